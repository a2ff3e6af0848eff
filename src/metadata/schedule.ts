import pRetry, { AbortError } from 'p-retry'
import { asError, isError } from '../util/realms.js'
import { isTransportFailure } from './failure.js'

/** One retry of a topic that is not available yet. */
export interface RetryNotice {
  readonly topic: string
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** ms until the next attempt; with `jitter` it is up to twice as long. Never above `maxTimeoutMs`. */
  readonly delayMs: number
  readonly error: Error
}

/** The bounded schedule of each waiting topic (p-retry). */
export interface MetadataRetrySettings {
  /** Attempts after the first one. Default 64. */
  readonly retries: number
  /** The first wait, and the least time between two requests that ask again. Default 50 ms. */
  readonly minTimeoutMs: number
  /** The longest wait. Default 1000 ms. */
  readonly maxTimeoutMs: number
  /** Growth of the wait. Default 2. */
  readonly factor: number
  /** Lengthens each wait by a random factor of 1 to 2 (p-retry's `randomize`). Default true. */
  readonly jitter: boolean
  /** The topic's whole budget. Default 30000 ms. */
  readonly maxRetryTimeMs: number
  /** Called before each wait. What it throws is ignored. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined
}

/** Thrown by an attempt that got an answer, but not the one that is waited for. */
export class NotYet extends Error {
  readonly reason: Error

  constructor(reason: Error) {
    super(reason.message)
    this.reason = reason
  }
}

export interface ScheduleEnd {
  readonly attempts: number
  readonly elapsedMs: number
  /** What the last attempt met. */
  readonly cause: Error
}

export interface Schedule {
  readonly retry: Omit<MetadataRetrySettings, 'onRetry'>
  readonly signal: AbortSignal
  /** Called before each wait. Must not throw. */
  readonly onRetry: (notice: Omit<RetryNotice, 'topic'>) => void
  /** The error for a spent budget. */
  readonly exhausted: (end: ScheduleEnd) => Error
}

/**
 * Repeats `attempt` until it returns. It goes on after `NotYet` and after failures of the transport; anything else
 * that is thrown ends it at once, as it is.
 *
 * @throws what `exhausted` makes when attempts or time are used up; the signal's reason when it is aborted
 */
export const onSchedule = async <T>(
  attempt: (attemptNumber: number) => Promise<T>,
  { retry, signal, onRetry, exhausted }: Schedule,
): Promise<T> => {
  const startedAt = performance.now()
  let attempts = 0
  let ending: { readonly error: unknown } | undefined

  const run = async (attemptNumber: number): Promise<T> => {
    attempts = attemptNumber
    try {
      return await attempt(attemptNumber)
    } catch (error) {
      if (error instanceof NotYet || isTransportFailure(error)) throw error
      // p-retry would end on most TypeErrors by itself but retry those that read like a browser's network error:
      // every error that is no answer ends the schedule the same way.
      ending = { error }
      throw new AbortError(isError(error) ? error : String(error))
    }
  }

  try {
    return await pRetry(run, {
      retries: retry.retries,
      minTimeout: retry.minTimeoutMs,
      maxTimeout: retry.maxTimeoutMs,
      factor: retry.factor,
      randomize: retry.jitter,
      maxRetryTime: retry.maxRetryTimeMs,
      signal,
      // Asked only when attempts and time are left, so a wait follows.
      shouldRetry: ({ error, attemptNumber }) => {
        if (signal.aborted) return false
        onRetry({
          attempt: attemptNumber,
          delayMs: nominalDelay(retry, attemptNumber),
          error: reasonOf(error),
        })
        return true
      },
    })
  } catch (error) {
    if (ending) throw ending.error
    if (signal.aborted) throw signal.reason
    if (attempts === 0) throw error
    const cause = reasonOf(asError(error))
    throw exhausted({ attempts, elapsedMs: performance.now() - startedAt, cause })
  }
}

/** The wait after an attempt, before jitter. ms */
export const nominalDelay = (
  {
    minTimeoutMs,
    maxTimeoutMs,
    factor,
  }: Pick<MetadataRetrySettings, 'minTimeoutMs' | 'maxTimeoutMs' | 'factor'>,
  attempt: number,
): number => Math.min(maxTimeoutMs, Math.round(minTimeoutMs * (factor > 0 ? factor : 1) ** (attempt - 1)))

const reasonOf = (error: Error): Error => (error instanceof NotYet ? error.reason : error)
