import type { WaitOptions } from './types.js'

/**
 * Waits for a promise, a time and a signal, whichever comes first; leaves no timer or listener behind.
 *
 * @param timeoutError makes the error for `timeoutMs`
 */
export const waitFor = async (
  work: Promise<void>,
  { timeoutMs, signal }: WaitOptions,
  timeoutError: (afterMs: number) => Error,
): Promise<void> => {
  signal?.throwIfAborted()
  if (timeoutMs === undefined && signal === undefined) return work
  let timer: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  const cut = new Promise<never>((_, reject) => {
    if (timeoutMs !== undefined) timer = setTimeout(() => reject(timeoutError(timeoutMs)), timeoutMs)
    onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([work, cut])
  } finally {
    clearTimeout(timer)
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
  }
}
