import type { Logger } from 'kafkajs'
import { NonRetriableError, place } from '../errors/bases.js'
import { InvalidTopicError, MetadataRetriesExceededError } from '../errors/index.js'
import type { MetadataCache } from '../metadata/cache/cache.js'
import type { TopicView } from '../metadata/cache/view.js'
import { isUnknown, type MissingAnswer } from '../metadata/requests/answer.js'
import type { MetadataRefresher } from '../metadata/requests/refresher.js'
import type { Ask, AskOwner, MetadataAnswer } from '../metadata/requests/refreshQueue.js'
import { DueTimer } from '../metadata/retry/dueTimer.js'
import { isTransportFailure } from '../metadata/retry/failure.js'
import type { RunningClock } from '../metadata/retry/runningClock.js'
import { type MetadataRetrySettings, nextDelayMs, nominalDelay } from '../metadata/retry/schedule.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { ZERO_UUID } from '../protocol/wire/codec.js'
import type { WaitRegistry } from '../waits/registry.js'
import { nobody, type Waiters } from '../waits/wait.js'
import type { AutoCreationEvidence } from './creation/autoCreation.js'
import type { TopicCreator } from './creation/creation.js'
import type { AutoCreateProbe } from './creation/probe.js'
import { CreateByAdmin } from './creationStrategies/admin.js'
import { CreateByBroker } from './creationStrategies/broker.js'
import { CreateNever } from './creationStrategies/never.js'
import { type CreationStrategy, refusalError, type WaitControl } from './creationStrategies/strategy.js'
import type { CreationExplainer } from './explain.js'
import { topicNameProblem } from './policy/name.js'
import type { TopicCreation, TopicPolicy } from './policy/policy.js'
import { RetryLog } from './retryLog.js'
import { type Problem, problemError, problemType, TopicWait } from './topicWait.js'

export interface ResolverOptions {
  readonly cache: MetadataCache
  readonly refresher: MetadataRefresher
  readonly clock: RunningClock
  readonly probe: AutoCreateProbe
  readonly explainer: CreationExplainer
  readonly evidence: AutoCreationEvidence
  readonly creator: TopicCreator
  readonly policy: TopicPolicy
  readonly retry: MetadataRetrySettings
  readonly logger: Logger
  readonly observer: Pick<ProducerObserver, 'topicWaited' | 'topicCreated' | 'metadataRetried'>
  readonly waits: WaitRegistry
}

/** Topics whose next attempts lie this close together are asked for together. ms */
const RETRY_BEAT_MS = 5

/**
 * Who waits for which topic. Each topic has its own attempts, backoff and budget; none waits for another. What many topics
 * have in common is done once per metadata answer, not per topic: there is one timer, and no error and no log line is made
 * for a topic that is only asked for again.
 */
export class TopicResolver implements AskOwner, WaitControl {
  readonly #options: ResolverOptions
  readonly #waits = new Map<string, TopicWait>()
  readonly #strategies: Readonly<Record<TopicCreation, CreationStrategy>>
  readonly #pauses = new DueTimer<TopicWait>(RETRY_BEAT_MS, waits => this.#askNext(waits))
  readonly #log: RetryLog
  #closed: { readonly error: unknown } | undefined

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#log = new RetryLog(options.logger, options.retry)
    this.#strategies = {
      broker: new CreateByBroker(this, options),
      admin: new CreateByAdmin(this, options),
      never: new CreateNever(this),
    }
    // A request for one topic names all that wait: what it learns ends their waits, in the middle of a pause too.
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

  /** Those of them that exist, without a leader. */
  get leaderless(): number {
    let count = 0
    for (const { ongoing } of this.#waits.values()) if (ongoing?.kind === 'leader') count++
    return count
  }

  /**
   * Waits until the topic has a leader, by its policy's strategy. All who ask for a topic share one wait.
   *
   * @param waiters the records that wait
   * @throws {InvalidTopicError | TopicAuthorizationError | UnknownTopicError | TopicCreationDisabledError |
   *   TopicCreationError | MetadataRetriesExceededError}
   */
  resolve(topic: string, waiters: Waiters = nobody): Promise<TopicView> {
    if (this.#closed) return Promise.reject(this.#closed.error)
    const wait = this.#waits.get(topic)
    if (wait) {
      wait.waiters.add(waiters)
      return wait.promise
    }
    const problem = topicNameProblem(topic)
    if (problem !== undefined) return Promise.reject(new InvalidTopicError(topic, problem))
    try {
      const settings = this.#options.policy.policyFor(topic)
      const begun = new TopicWait(topic, settings, this, each => this.#strategyOf(each).likelyCause?.(each))
      begun.waiters.add(waiters)
      return this.#begin(begun)
    } catch (error) {
      // The policy may be the caller's own function.
      return Promise.reject(error)
    }
  }

  /** Why a topic that is waited for is not there yet; undefined before the first attempt has failed. */
  problemOf(topic: string): Error | undefined {
    const problem = this.#waits.get(topic)?.problem
    return problem && problemError(topic, problem)
  }

  /** These do not wait for the topic any more: where nobody else does, it is not asked for again. */
  release(topic: string, waiters: Waiters = nobody): void {
    const wait = this.#waits.get(topic)
    wait?.waiters.remove(waiters)
    // The engine for transactions waits here together with the producer's other sends.
    if (wait?.waiters.isEmpty)
      this.fail(wait, new NonRetriableError(`Nobody waits for ${place(topic)} any more.`, { topic }))
  }

  /** Ends all waits, present and future, with `error`. */
  abort(error: unknown): void {
    this.#closed ??= { error }
    for (const wait of [...this.#waits.values()]) this.fail(wait, error)
  }

  #begin(wait: TopicWait): Promise<TopicView> {
    const { refresher, clock, waits } = this.#options
    if (this.#waits.size === 0) clock.start()
    this.#waits.set(wait.name, wait)
    const { name: topic, waiters } = wait
    wait.ongoing = waits.begin('topic', { topic }, { waiters, error: wait })
    refresher.wait(wait.name, this.#strategyOf(wait).asksBroker)
    this.#ask(wait)
    return wait.promise
  }

  #strategyOf({ settings }: TopicWait): CreationStrategy {
    return this.#strategies[settings.create]
  }

  #ask(wait: TopicWait): void {
    const { refresher, clock } = this.#options
    wait.noteAsked(clock.now)
    refresher.ask(wait, this.#strategyOf(wait).asksBroker)
  }

  askAgain(wait: TopicWait): void {
    if (wait.hasEnded) return
    wait.pace = 'at-once'
    this.#ask(wait)
  }

  #askNext(waits: readonly TopicWait[]): void {
    for (const wait of waits) {
      wait.attempt++
      wait.pace = 'again'
      this.#ask(wait)
    }
  }

  answered(asks: readonly Ask[], { topics, nodeId, create, sentAt }: MetadataAnswer): void {
    const later: TopicWait[] = []
    const unknown = new Map<CreationStrategy, TopicWait[]>()
    const answers = new Map<TopicWait, MissingAnswer>()
    for (const wait of this.#open(asks, sentAt)) {
      const answer = topics.get(wait.name)!
      const strategy = this.#strategyOf(wait)
      if (answer.kind === 'available') this.#succeed(wait, answer.topic)
      else if (answer.kind === 'refused') {
        if (strategy.refused) strategy.refused(wait, answer.errorCode)
        else this.fail(wait, refusalError(wait.name, answer.errorCode, wait.attempt))
      } else {
        if (!answer.exists) wait.missed = true
        this.#options.waits.change(wait.ongoing!, answer.exists ? 'leader' : 'topic')
        answers.set(wait, answer)
        if (!isUnknown(answer)) later.push(wait)
        else if (unknown.get(strategy)?.push(wait) === undefined) unknown.set(strategy, [wait])
      }
    }
    this.retry(later, wait => answers.get(wait)!)
    for (const [strategy, waits] of unknown) strategy.unknown({ waits, answers, nodeId, create })
  }

  failed(asks: readonly Ask[], error: unknown, sentAt: number): void {
    const waits = this.#open(asks, sentAt)
    if (isTransportFailure(error)) this.retry(waits, () => error)
    else for (const wait of waits) this.fail(wait, error)
  }

  /** The waits among the asks that have not ended meanwhile, by another answer or because nobody waits any more. */
  #open(asks: readonly Ask[], sentAt: number): readonly TopicWait[] {
    const waits = (asks as readonly TopicWait[]).filter(each => !each.hasEnded)
    for (const wait of waits) wait.noteSent(sentAt, this.#options.retry.maxTimeoutMs)
    return waits
  }

  retry(waits: readonly TopicWait[], problemOf: (wait: TopicWait) => Problem): void {
    const { clock, observer } = this.#options
    const retried: TopicWait[] = []
    const { now } = clock
    for (const wait of waits) {
      if (wait.hasEnded) continue
      wait.problem = problemOf(wait)
      const retry = this.#retryOf(wait)
      const delayMs = nextDelayMs(retry, wait.attempt, wait.elapsedMs(now))
      if (delayMs === undefined) {
        this.#exhaust(wait, wait.problem, now)
        continue
      }
      observer.metadataRetried(wait.name, problemType(wait.problem))
      this.#pauses.add(wait, delayMs)
      retried.push(wait)
      if (retry.onRetry) this.#log.tellRetry(wait, nominalDelay(retry, wait.attempt))
    }
    if (retried.length === 0) return
    this.#log.retried(
      retried.map(wait => ({ wait, delayMs: nominalDelay(this.#retryOf(wait), wait.attempt) })),
    )
  }

  #retryOf({ settings }: TopicWait): MetadataRetrySettings {
    const { retry } = this.#options
    return settings.create === 'never' ? fitted(retry, settings.waitForMs) : retry
  }

  #exhaust(wait: TopicWait, problem: Problem, now: number): void {
    const strategy = this.#strategyOf(wait)
    const cause = problemError(wait.name, problem)
    const end = { attempts: wait.attempt, elapsedMs: wait.elapsedMs(now), cause }
    this.fail(
      wait,
      strategy.exhausted?.(wait, end) ??
        new MetadataRetriesExceededError(wait.name, end, strategy.likelyCause?.(wait)),
    )
  }

  #succeed(wait: TopicWait, view: TopicView): void {
    if (!this.#end(wait, 'available')) return
    if (wait.missed) {
      this.#strategyOf(wait).appeared?.(wait)
      if (wait.settings.create === 'broker')
        this.#options.observer.topicCreated(wait.name, 'broker', knownId(view))
    }
    wait.resolve(view)
  }

  fail(wait: TopicWait, error: unknown): void {
    if (this.#end(wait, 'failed')) wait.reject(error)
  }

  #end(wait: TopicWait, outcome: 'available' | 'failed'): boolean {
    if (wait.hasEnded) return false
    wait.hasEnded = true
    const { refresher, clock, observer, waits } = this.#options
    const { asksBroker } = this.#strategyOf(wait)
    this.#waits.delete(wait.name)
    this.#pauses.remove(wait)
    refresher.withdraw(wait, asksBroker)
    refresher.unwait(wait.name, asksBroker)
    if (this.#waits.size === 0) clock.stop()
    waits.end(wait.ongoing!, outcome === 'available' ? 'over' : 'given-up')
    observer.topicWaited(wait.name, outcome, performance.now() - wait.startedAt)
    return true
  }
}

/** Undefined where the brokers tell no ids. */
const knownId = ({ topicId }: TopicView): string | undefined => (topicId === ZERO_UUID ? undefined : topicId)

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
