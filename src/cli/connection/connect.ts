import { formatDuration } from '../terminal/format.js'
import { connectionProblem } from './problem.js'

interface Connectable {
  connect(): Promise<void>
  disconnect(options?: { timeoutMs?: number }): Promise<void>
}

/** No broker could be used in the time given for it. */
export class ConnectTimeoutError extends Error {
  override name = 'ConnectTimeoutError'
}

export interface ConnectLimits {
  readonly timeoutMs: number
  readonly brokers: readonly string[]
  readonly signal: AbortSignal
  /** Why the last attempt failed, as far as the client's log tells. */
  readonly lastError: () => string | undefined
}

/**
 * Connects within `timeoutMs` or gives up, whatever the client's own patience is.
 *
 * @throws ConnectTimeoutError, the signal's reason, or why no broker could be used
 */
export async function connectWithin(producer: Connectable, limits: ConnectLimits): Promise<void> {
  const { timeoutMs, signal } = limits
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new ConnectTimeoutError(timeoutMessage(limits))), timeoutMs)
  try {
    await orAborted(producer.connect(), AbortSignal.any([signal, limit.signal]))
  } catch (error) {
    // Not awaited: it may wait for the very connection that was given up.
    producer.disconnect({ timeoutMs: 0 }).catch(() => {})
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function timeoutMessage({ brokers, timeoutMs, lastError }: ConnectLimits): string {
  const last = lastError()
  const where = brokers.length === 1 ? 'the broker' : 'any broker of'
  const problem = last === undefined ? 'no answer' : connectionProblem(last)
  return `cannot reach ${where} ${brokers.join(', ')}: ${problem} (given up after ${formatDuration(timeoutMs)})`
}

/** The promise's outcome, unless the signal aborts first: then its reason is thrown and the promise left to itself. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {})
  signal.throwIfAborted()
  let stopListening = () => {}
  const aborted = new Promise<never>((_, reject) => {
    const listener = () => reject(signal.reason)
    signal.addEventListener('abort', listener, { once: true })
    stopListening = () => signal.removeEventListener('abort', listener)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stopListening()
  }
}
