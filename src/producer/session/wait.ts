import { NonRetriableError } from '../../errors/bases.js'
import { onAbort } from '../calls/abortListeners.js'
import type { WaitOptions } from '../types.js'

/** What a Node.js timer can wait: above it fires at once. ms */
const LONGEST_TIMER_MS = 2147483647

/** @throws {NonRetriableError} on what is no time: taken for 0 it would cut a flush off */
export const checkTimeout = (timeoutMs: number | undefined): void => {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  throw new NonRetriableError(`timeoutMs must be a number of ms of at least 0, not ${String(timeoutMs)}`)
}

/**
 * Waits for a promise, a time and a signal, whichever comes first; leaves no timer or listener behind.
 *
 * @param timeoutError makes the error for `timeoutMs`
 * @throws {NonRetriableError} on a `timeoutMs` that is no time; the signal's reason when it is aborted
 */
export const waitFor = async (
  work: Promise<void>,
  { timeoutMs, signal }: WaitOptions,
  timeoutError: (afterMs: number) => Error,
): Promise<void> => {
  // Who no longer waits does not hear of its failure.
  work.catch(() => {})
  checkTimeout(timeoutMs)
  signal?.throwIfAborted()
  if (timeoutMs === undefined && signal === undefined) return work
  let timer: NodeJS.Timeout | undefined
  let stopListening: (() => void) | undefined
  const cut = new Promise<never>((_, reject) => {
    if (timeoutMs !== undefined && timeoutMs <= LONGEST_TIMER_MS)
      timer = setTimeout(() => reject(timeoutError(timeoutMs)), timeoutMs)
    if (signal !== undefined) stopListening = onAbort(signal, () => reject(signal.reason))
  })
  try {
    await Promise.race([work, cut])
  } finally {
    clearTimeout(timer)
    stopListening?.()
  }
}
