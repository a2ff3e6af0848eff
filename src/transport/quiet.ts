import type { Logger } from 'kafkajs'

/** A failed step is reported to the caller, who knows whether it matters: a mechanism's own lines about it are for debugging. */
export const quietLogger = (logger: Logger): Logger => ({
  ...logger,
  error: logger.debug,
  warn: logger.debug,
  namespace: (name, level) => quietLogger(logger.namespace(name, level)),
})

/** What a callback that is not ours has thrown becomes an uncaught exception, but not in the middle of a parser or a loop. */
export const surface = (error: unknown): void => {
  process.nextTick(() => {
    throw error
  })
}

/** Runs a callback that is not ours, and lets what it throws surface. */
export const shielded = (callback: () => void): void => {
  try {
    callback()
  } catch (error) {
    surface(error)
  }
}
