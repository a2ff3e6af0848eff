import { BrokersUnreachableError, CertificateError, type WaitOptions } from 'kafkajs-resilient-producer'
import { formatDuration } from '../terminal/format.js'
import { connectionProblem } from './problem.js'

interface Connectable {
  connect(options: WaitOptions): Promise<void>
}

/** No broker could be used in the time given for it. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

export interface ConnectLimits {
  readonly timeoutMs: number
  readonly brokers: readonly string[]
  readonly signal: AbortSignal
}

/**
 * Connects within `timeoutMs`, or says in the command's own words why not.
 *
 * @throws UnreachableError, the signal's reason, or what no other broker would mend
 */
export async function connectWithin(
  producer: Connectable,
  { timeoutMs, brokers, signal }: ConnectLimits,
): Promise<void> {
  try {
    await producer.connect({ timeoutMs, signal })
  } catch (error) {
    if (error instanceof BrokersUnreachableError) throw unreachable(brokers, error)
    if (error instanceof CertificateError)
      throw new UnreachableError(
        `cannot reach the broker ${error.broker}: ${connectionProblem(error.message)}`,
        { cause: error },
      )
    throw error
  }
}

function unreachable(brokers: readonly string[], error: BrokersUnreachableError): UnreachableError {
  const { cause } = error
  const where = brokers.length === 1 ? 'the broker' : 'any broker of'
  const problem = cause instanceof Error ? connectionProblem(cause.message) : 'no answer'
  return new UnreachableError(
    `cannot reach ${where} ${brokers.join(', ')}: ${problem} (given up after ${formatDuration(error.retryTime)})`,
    { cause: error },
  )
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
