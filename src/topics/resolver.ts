import type { Logger } from 'kafkajs'
import { NonRetriableError, place } from '../errors/bases.js'
import { InvalidTopicError, MetadataRetriesExceededError } from '../errors/index.js'
import type { MetadataCache } from '../metadata/cache.js'
import { failureType } from '../metadata/failure.js'
import type { MetadataRefresher } from '../metadata/refresher.js'
import { type MetadataRetrySettings, onSchedule, type RetryNotice } from '../metadata/schedule.js'
import type { TopicView } from '../metadata/view.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { isPromiseLike } from '../util/realms.js'
import type { TopicCreator } from './creation.js'
import { createByAdmin } from './creationStrategies/admin.js'
import { createByBroker } from './creationStrategies/broker.js'
import { createNever, unknownAtLast } from './creationStrategies/never.js'
import type { Attempt, StrategyContext } from './creationStrategies/strategy.js'
import type { CreationExplainer } from './explain.js'
import { topicNameProblem } from './name.js'
import type { TopicPolicy, TopicSettings } from './policy.js'
import type { AutoCreateProbe } from './probe.js'

export interface ResolverOptions {
  readonly cache: MetadataCache
  readonly refresher: MetadataRefresher
  readonly probe: AutoCreateProbe
  readonly explainer: CreationExplainer
  readonly creator: TopicCreator
  readonly policy: TopicPolicy
  readonly retry: MetadataRetrySettings
  readonly logger: Logger
  readonly observer: Pick<ProducerObserver, 'topicWaited' | 'topicCreated' | 'metadataRetried'>
}

/** From here on a wait is worth a warning. ms */
const WARN_AFTER_MS = 5_000

const ended = new Error('the wait has ended')

interface Wait {
  readonly topic: string
  readonly settings: TopicSettings
  readonly startedAt: number
  readonly ending: AbortController
  readonly promise: Promise<TopicView>
  readonly resolve: (view: TopicView) => void
  readonly reject: (error: unknown) => void
  /** An answer said that the topic is not there yet. */
  missed: boolean
  warned: boolean
  /** Why the last attempt failed. */
  problem: Error | undefined
}

/** Who waits for which topic. Each topic has its own attempts, backoff and budget; none waits for another. */
export class TopicResolver {
  readonly #options: ResolverOptions
  readonly #waits = new Map<string, Wait>()
  #closed: { readonly error: unknown } | undefined

  constructor(options: ResolverOptions) {
    this.#options = options
    // A request for one topic names all that wait: what it learns ends their waits, in the middle of a backoff too.
    options.cache.subscribe(change => {
      if (!('topic' in change) || change.topic.available.length === 0) return
      const wait = this.#waits.get(change.topic.name)
      if (wait) this.#succeed(wait, change.topic)
    })
  }

  /** Topics that are waited for. */
  get waiting(): number {
    return this.#waits.size
  }

  /**
   * Waits until the topic has a leader, by its policy's way. All who ask for a topic share one wait.
   *
   * @throws {InvalidTopicError | TopicAuthorizationError | UnknownTopicError | TopicCreationDisabledError |
   *   TopicCreationError | MetadataRetriesExceededError}
   */
  resolve(topic: string): Promise<TopicView> {
    if (this.#closed) return Promise.reject(this.#closed.error)
    const wait = this.#waits.get(topic)
    if (wait) return wait.promise
    const problem = topicNameProblem(topic)
    if (problem !== undefined) return Promise.reject(new InvalidTopicError(topic, problem))
    try {
      return this.#begin(topic, this.#options.policy.policyFor(topic)).promise
    } catch (error) {
      // The policy may be the caller's own function.
      return Promise.reject(error)
    }
  }

  /** Why a topic that is waited for is not there yet; undefined before the first attempt has failed. */
  problemOf(topic: string): Error | undefined {
    return this.#waits.get(topic)?.problem
  }

  /** Nobody waits for the topic any more: it is not asked for again. */
  release(topic: string): void {
    const wait = this.#waits.get(topic)
    if (wait) this.#fail(wait, new NonRetriableError(`Nobody waits for ${place(topic)} any more.`, { topic }))
  }

  /** Ends all waits, present and future, with `error`. */
  abort(error: unknown): void {
    this.#closed ??= { error }
    for (const wait of [...this.#waits.values()]) this.#fail(wait, error)
  }

  #begin(topic: string, settings: TopicSettings): Wait {
    const { refresher, retry } = this.#options
    const wait = newWait(topic, settings)
    this.#waits.set(topic, wait)
    refresher.wait(topic, settings.create === 'broker')
    const isNever = settings.create === 'never'
    onSchedule(this.#strategy(wait), {
      retry: isNever ? fitted(retry, settings.waitForMs) : retry,
      signal: wait.ending.signal,
      onRetry: notice => this.#noteRetry(wait, notice),
      exhausted: end =>
        (isNever ? unknownAtLast(topic, end) : undefined) ?? new MetadataRetriesExceededError(topic, end),
    }).then(
      view => this.#succeed(wait, view),
      error => this.#fail(wait, error),
    )
    return wait
  }

  #strategy(wait: Wait): Attempt {
    const { refresher } = this.#options
    const context: StrategyContext = {
      topic: wait.topic,
      settings: wait.settings,
      fail: error => this.#fail(wait, error),
      lookup: async (attempt, create, pace = attempt === 1 ? 'first' : 'again') => {
        const answer = await refresher.lookup(wait.topic, {
          create,
          trigger: 'topic',
          attempt,
          pace,
          signal: wait.ending.signal,
        })
        wait.missed ||= answer.kind === 'creating'
        return answer
      },
    }
    switch (wait.settings.create) {
      case 'broker':
        return createByBroker(context, this.#options)
      case 'admin':
        return createByAdmin(context, this.#options)
      case 'never':
        return createNever(context)
    }
  }

  #succeed(wait: Wait, view: TopicView): void {
    if (!this.#end(wait, 'available')) return
    if (wait.missed && wait.settings.create === 'broker')
      this.#options.observer.topicCreated(wait.topic, 'broker')
    wait.resolve(view)
  }

  #fail(wait: Wait, error: unknown): void {
    if (this.#end(wait, 'failed')) wait.reject(error)
  }

  #end(wait: Wait, outcome: 'available' | 'failed'): boolean {
    if (this.#waits.get(wait.topic) !== wait) return false
    this.#waits.delete(wait.topic)
    this.#options.refresher.unwait(wait.topic, wait.settings.create === 'broker')
    // Ends the schedule in its backoff, and takes back an ask that no request carries yet.
    wait.ending.abort(ended)
    this.#options.observer.topicWaited(wait.topic, outcome, performance.now() - wait.startedAt)
    return true
  }

  #noteRetry(wait: Wait, { attempt, delayMs, error }: Omit<RetryNotice, 'topic'>): void {
    const { topic } = wait
    const { logger, observer, retry } = this.#options
    const elapsedMs = Math.round(performance.now() - wait.startedAt)
    wait.problem = error
    observer.metadataRetried(topic, failureType(error))
    logger.debug('Topic is not available yet', { topic, attempt, delayMs, elapsedMs, error: error.message })
    if (elapsedMs >= WARN_AFTER_MS && !wait.warned) {
      wait.warned = true
      logger.warn(`Still waiting for ${place(topic)}: ${error.message}`, {
        topic,
        attempt,
        elapsedMs,
        create: wait.settings.create,
        maxRetryTimeMs: retry.maxRetryTimeMs,
      })
    }
    try {
      const returned: unknown = retry.onRetry?.({ topic, attempt, delayMs, error })
      if (isPromiseLike(returned)) returned.then(undefined, thrown => this.#reportOnRetry(topic, thrown))
    } catch (thrown) {
      this.#reportOnRetry(topic, thrown)
    }
  }

  #reportOnRetry(topic: string, thrown: unknown): void {
    this.#options.logger.error('metadataRetry.onRetry threw', { topic, error: String(thrown) })
  }
}

/**
 * With a short `waitForMs` the steps are short too, so that it is not overstepped by a long one; a long one is not cut short by what is
 * meant for a cluster that does not answer.
 */
const fitted = (retry: MetadataRetrySettings, waitForMs: number): MetadataRetrySettings => ({
  ...retry,
  maxTimeoutMs: Math.min(retry.maxTimeoutMs, Math.max(retry.minTimeoutMs, waitForMs / 4)),
  ...(waitForMs > retry.maxRetryTimeMs && {
    retries: Infinity,
    maxRetryTimeMs: waitForMs + retry.maxRetryTimeMs,
  }),
})

const newWait = (topic: string, settings: TopicSettings): Wait => {
  let resolve: Wait['resolve'] = () => {}
  let reject: Wait['reject'] = () => {}
  const promise = new Promise<TopicView>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  // A released wait has no listener left; its end is no unhandled rejection.
  promise.catch(() => {})
  return {
    topic,
    settings,
    startedAt: performance.now(),
    ending: new AbortController(),
    promise,
    resolve,
    reject,
    missed: false,
    warned: false,
    problem: undefined,
  }
}
