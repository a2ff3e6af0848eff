import pRetry, { AbortError } from 'p-retry'
import { asError, isError } from '../../util/realms.js'
import { isTransportFailure } from './failure.js'
import { RunningClock } from './runningClock.js'

/** One retry of a topic that is not available yet, as `metadataRetry.onRetry` gets it. */
export interface RetryNotice {
  /** The topic that is not available. */
  readonly topic: string
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** The time until the next attempt, in ms; with `jitter` up to twice the schedule's. Never above `maxTimeoutMs`. */
  readonly delayMs: number
  /** What the attempt met: a broker's answer, or the error of the request. */
  readonly error: Error
}

/** The bounded schedule of each waiting topic. */
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
 * that is thrown ends it at once, as it is. Time in which the process stood still is not a part of the budget.
 *
 * @throws what `exhausted` makes when attempts or time are used up; the signal's reason when it is aborted
 */
export const onSchedule = async <T>(
  attempt: (attemptNumber: number) => Promise<T>,
  { retry, signal, onRetry, exhausted }: Schedule,
): Promise<T> => {
  const clock = new RunningClock()
  clock.start()
  const startedAt = clock.now
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
      // p-retry measures its budget and its waits in wall time: both are kept here.
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      maxTimeout: 0,
      signal,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (signal.aborted) return false
        const delayMs = nextDelayMs(retry, attemptNumber, clock.now - startedAt)
        if (delayMs === undefined) return false
        onRetry({
          attempt: attemptNumber,
          delayMs: nominalDelay(retry, attemptNumber),
          error: reasonOf(error),
        })
        await delay(delayMs, signal)
        return !signal.aborted
      },
    })
  } catch (error) {
    if (ending) throw ending.error
    if (signal.aborted) throw signal.reason
    if (attempts === 0) throw error
    const cause = reasonOf(asError(error))
    throw exhausted({ attempts, elapsedMs: clock.now - startedAt, cause })
  } finally {
    clock.stop()
  }
}

type Backoff = Pick<MetadataRetrySettings, 'minTimeoutMs' | 'maxTimeoutMs' | 'factor'>

/** The wait after an attempt, before jitter. ms */
export const nominalDelay = ({ minTimeoutMs, maxTimeoutMs, factor }: Backoff, attempt: number): number =>
  Math.min(maxTimeoutMs, Math.round(Math.max(minTimeoutMs, 1) * (factor > 0 ? factor : 1) ** (attempt - 1)))

/**
 * The wait before the next attempt, in ms; undefined when the attempts or the time are used up. The last wait ends with
 * the budget.
 *
 * @param attempts made so far, from 1
 * @param elapsedMs of the budget
 */
export const nextDelayMs = (
  retry: Schedule['retry'],
  attempts: number,
  elapsedMs: number,
): number | undefined => {
  const remainingMs = retry.maxRetryTimeMs - elapsedMs
  if (attempts > retry.retries || remainingMs <= 0) return undefined
  const jitter = retry.jitter ? 1 + Math.random() : 1
  const delayMs = Math.min(retry.maxTimeoutMs, nominalDelay(retry, attempts) * jitter)
  return Math.min(delayMs, remainingMs)
}

/** Resolves early when the signal aborts. */
const delay = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })

const reasonOf = (error: Error): Error => (error instanceof NotYet ? error.reason : error)
