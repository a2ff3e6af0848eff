/** How a wait ended. */
export type WaitOutcome = 'changed' | 'timeout' | 'aborted'

/**
 * Waits for a change, but not for ever.
 *
 * @param subscribe gets the callback to be called on a change, and returns a function that ends the subscription
 */
export const waitForChange = (
  ms: number,
  signal: AbortSignal,
  subscribe: (changed: () => void) => () => void,
): Promise<WaitOutcome> => {
  if (signal.aborted) return Promise.resolve('aborted')
  return new Promise(resolve => {
    const end = (outcome: WaitOutcome) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      unsubscribe()
      resolve(outcome)
    }
    const abort = () => end('aborted')
    const timer = setTimeout(() => end('timeout'), ms)
    signal.addEventListener('abort', abort)
    const unsubscribe = subscribe(() => end('changed'))
  })
}
