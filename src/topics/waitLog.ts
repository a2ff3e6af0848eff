import type { Logger } from 'kafkajs'
import { messageOf, place } from '../errors/bases.js'
import type { MetadataRetrySettings } from '../metadata/schedule.js'
import { isPromiseLike } from '../util/realms.js'
import { problemError, problemType, type TopicWait } from './topicWait.js'

/** From here on a wait is worth a warning. ms */
const WARN_AFTER_MS = 5_000

/** An attempt that failed and is followed by another. */
export interface Retried {
  readonly wait: TopicWait
  /** Until the next attempt, without jitter. ms */
  readonly delayMs: number
}

/** Tells of topics that are waited for: one line for all topics of a metadata answer, and one warning per cause. */
export class WaitLog {
  readonly #logger: Logger
  readonly #retry: MetadataRetrySettings
  /** Since the last line about them. */
  readonly #succeeded: TopicWait[] = []

  constructor(logger: Logger, retry: MetadataRetrySettings) {
    this.#logger = logger
    this.#retry = retry
  }

  /** @param likelyCauseOf what the wait most likely waits in vain for */
  retried(retried: readonly Retried[], likelyCauseOf: (wait: TopicWait) => string | undefined): void {
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
    const now = performance.now()
    const byCause = new Map<string, TopicWait[]>()
    for (const { wait } of retried) {
      if (wait.warned || now - wait.startedAt < WARN_AFTER_MS) continue
      wait.warned = true
      const cause = `${wait.settings.create} ${problemType(wait.problem!)}`
      const waits = byCause.get(cause)
      if (waits) waits.push(wait)
      else byCause.set(cause, [wait])
    }
    for (const waits of byCause.values()) this.#warn(waits, likelyCauseOf(waits[0]!))
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

  succeeded(wait: TopicWait): void {
    if (!wait.warned) return
    if (this.#succeeded.push(wait) === 1) queueMicrotask(() => this.#tellSucceeded())
  }

  /** One line for all topics that one answer brought. */
  #tellSucceeded(): void {
    const waits = this.#succeeded.splice(0)
    const { name: topic, startedAt } = waits[0]!
    const elapsedMs = Math.round(performance.now() - startedAt)
    const others = waits.length === 1 ? '' : ` and ${waits.length - 1} more`
    this.#logger.info(`The wait for ${place(topic)}${others} is over`, {
      topic,
      topics: waits.length,
      elapsedMs,
    })
  }

  #warn(waits: readonly TopicWait[], likelyCause: string | undefined): void {
    const [first] = waits
    const { name: topic, attempt, settings, startedAt, problem } = first!
    const others = waits.length === 1 ? '' : ` and ${waits.length - 1} more`
    const cause = messageOf(problemError(topic, problem!))
    const advice = likelyCause === undefined ? '' : `. ${likelyCause}`
    this.#logger.warn(`Still waiting for ${place(topic)}${others}: ${cause}${advice}`, {
      topic,
      topics: waits.length,
      attempt,
      elapsedMs: Math.round(performance.now() - startedAt),
      create: settings.create,
      maxRetryTimeMs: this.#retry.maxRetryTimeMs,
    })
  }

  #reportOnRetry(topic: string, thrown: unknown): void {
    this.#logger.error('metadataRetry.onRetry threw', { topic, error: String(thrown) })
  }
}
