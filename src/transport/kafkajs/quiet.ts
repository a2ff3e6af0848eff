import type { Logger } from 'kafkajs'
import type { Emit, KafkajsRequestQueue } from './inside.js'

/** A failed step is reported to the caller, who knows whether it matters: kafkajs's own lines about it are for debugging. */
export const quietLogger = (logger: Logger): Logger => ({
  ...logger,
  error: logger.debug,
  warn: logger.debug,
  namespace: (name, level) => quietLogger(logger.namespace(name, level)),
})

/** How often kafkajs looks again when requests are held back for a reason other than a quota. ms */
const RECHECK_MS = 10

/**
 * kafkajs checks its queue every 1 ms for ever, and every 100 ms for requests that timed out (network/requestQueue).
 * Here requests have the caller's deadlines, and a timer runs only while requests are held back.
 */
export const stopIdleTimers = (queue: KafkajsRequestQueue): void => {
  queue.enforceRequestTimeout = false
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId !== null) return
    const wait = queue.throttledUntil - Date.now()
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null
        queue.checkPendingRequests()
      },
      wait > 0 ? wait : RECHECK_MS,
    )
  }
}

/** Runs a callback that is not ours. What it throws surfaces as an uncaught exception, but not in the middle of a parser or a loop. */
export const shielded = (callback: () => void): void => {
  try {
    callback()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

export const shieldedEmit =
  (emit: Emit): Emit =>
  (eventName, payload) =>
    shielded(() => emit(eventName, payload))
