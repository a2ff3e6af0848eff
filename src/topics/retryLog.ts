import type { Logger } from 'kafkajs'
import { messageOf } from '../errors/bases.js'
import type { MetadataRetrySettings } from '../metadata/retry/schedule.js'
import { isPromiseLike } from '../util/realms.js'
import { problemError, type TopicWait } from './topicWait.js'

/** An attempt that failed and is followed by another. */
export interface Retried {
  readonly wait: TopicWait
  /** Until the next attempt, without jitter. ms */
  readonly delayMs: number
}

/** Tells of topics that are asked for again: one debug line for all topics of a metadata answer. */
export class RetryLog {
  readonly #logger: Logger
  readonly #retry: MetadataRetrySettings

  constructor(logger: Logger, retry: MetadataRetrySettings) {
    this.#logger = logger
    this.#retry = retry
  }

  retried(retried: readonly Retried[]): void {
    this.#logger.debug('Topics are not available yet', {
      // A getter, since 1,000 topics would cost milliseconds each time and debug lines are mostly off.
      get topics() {
        return Object.fromEntries(
          retried.map(({ wait, delayMs }) => [
            wait.name,
            {
              attempt: wait.attempt,
              delayMs,
              elapsedMs: Math.round(performance.now() - wait.startedAt),
              error: messageOf(wait.problem && problemError(wait.name, wait.problem)),
            },
          ]),
        )
      },
    })
  }

  /** To the user's `metadataRetry.onRetry`. */
  tellRetry(wait: TopicWait, delayMs: number): void {
    const { name: topic, attempt, problem } = wait
    try {
      const error = problemError(topic, problem!)
      const returned: unknown = this.#retry.onRetry?.({ topic, attempt, delayMs, error })
      if (isPromiseLike(returned)) returned.then(undefined, thrown => this.#reportOnRetry(topic, thrown))
    } catch (thrown) {
      this.#reportOnRetry(topic, thrown)
    }
  }

  #reportOnRetry(topic: string, thrown: unknown): void {
    this.#logger.error('metadataRetry.onRetry threw', { topic, error: String(thrown) })
  }
}
