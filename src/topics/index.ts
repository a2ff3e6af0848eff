import type { Logger } from 'kafkajs'
import { messageOf } from '../errors/bases.js'
import { BrokersUnreachableError } from '../errors/index.js'
import { isLoginTrouble } from '../errors/loginTrouble.js'
import { MetadataCache, type TopicListener } from '../metadata/cache/cache.js'
import type { TopicView } from '../metadata/cache/view.js'
import { LeaderRefresh } from '../metadata/leaders.js'
import { type MetadataFailure, MetadataRefresher } from '../metadata/requests/refresher.js'
import { RunningClock } from '../metadata/retry/runningClock.js'
import { type MetadataRetrySettings, onSchedule } from '../metadata/retry/schedule.js'
import { MetadataUpkeep } from '../metadata/upkeep.js'
import type { ProducerObserver } from '../metrics/observer.js'
import type { BrokerAddress, Transport } from '../transport/port.js'
import type { WaitRegistry } from '../waits/registry.js'
import type { Waiters } from '../waits/wait.js'
import { AutoCreationEvidence } from './creation/autoCreation.js'
import { TopicCreator } from './creation/creation.js'
import { AutoCreateProbe } from './creation/probe.js'
import { CreationExplainer } from './explain.js'
import type { TopicPolicy } from './policy/policy.js'
import { TopicResolver } from './resolver.js'

export type { TopicChange, TopicListener } from '../metadata/cache/cache.js'
export type { TopicView } from '../metadata/cache/view.js'
export type { MetadataRetrySettings, RetryNotice } from '../metadata/retry/schedule.js'
export { AutoCreationEvidence } from './creation/autoCreation.js'
export {
  compileTopicPolicy,
  TOPIC_CREATIONS,
  type TopicCreation,
  type TopicMatch,
  type TopicPolicy,
  type TopicPolicyOptions,
  type TopicRule,
  topicPolicyProblems,
} from './policy/policy.js'

export interface TopicDirectoryOptions {
  readonly transport: Pick<Transport, 'control' | 'setBrokers' | 'pending'>
  readonly policy: TopicPolicy
  /** What is known of the cluster's auto-creation; shared by directories of one cluster. Default: nothing. */
  readonly autoCreation?: AutoCreationEvidence | undefined
  readonly metadataRetry: MetadataRetrySettings
  /** ms */
  readonly metadataMaxAgeMs: number
  /** ms */
  readonly metadataMaxIdleMs: number
  /** ms */
  readonly metadataRequestTimeoutMs: number
  readonly logger: Logger
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
}

/** Topics as the delivery stages see them: what is known, and waiting for what is not there yet. */
export class TopicDirectory {
  readonly #options: TopicDirectoryOptions
  readonly #cache: MetadataCache
  readonly #refresher: MetadataRefresher
  readonly #upkeep: MetadataUpkeep
  readonly #leaders: LeaderRefresh
  readonly #resolver: TopicResolver
  readonly #closing = new AbortController()

  constructor(options: TopicDirectoryOptions) {
    const { transport, policy, metadataRetry: retry, metadataRequestTimeoutMs: requestTimeoutMs } = options
    const { logger, observer, waits } = options
    const cache = new MetadataCache({
      onBrokers: brokers => transport.setBrokers(brokers),
      onListenerError: error =>
        logger.error(
          'A listener for topic changes threw: this is a defect of the producer, please report it',
          { error: messageOf(error) },
        ),
    })
    const controllerId = () => cache.controllerId
    const clock = new RunningClock()
    const refresher = new MetadataRefresher({
      transport,
      cache,
      clock,
      logger,
      observer,
      requestTimeoutMs,
      pace: retry,
    })
    this.#options = options
    this.#cache = cache
    this.#refresher = refresher
    this.#resolver = new TopicResolver({
      cache,
      refresher,
      clock,
      evidence: options.autoCreation ?? new AutoCreationEvidence(),
      probe: new AutoCreateProbe({ transport, logger, requestTimeoutMs }),
      explainer: new CreationExplainer({ transport, controllerId, logger, requestTimeoutMs }),
      creator: new TopicCreator({ transport, controllerId, logger }),
      policy,
      retry,
      logger,
      observer,
      waits,
    })
    this.#upkeep = new MetadataUpkeep({ ...options, cache, refresher })
    this.#leaders = new LeaderRefresh({ cache, upkeep: this.#upkeep, logger, retry })
    cache.subscribe(() => this.#upkeep.arm())
  }

  /** The brokers of the newest metadata. */
  get brokers(): readonly BrokerAddress[] {
    return this.#cache.brokers
  }

  /** Of the newest metadata; undefined: unknown. */
  get clusterId(): string | undefined {
    return this.#cache.clusterId
  }

  /** Of the topics in use; a topic of which no partition has had a leader yet counts as one. */
  get partitionsWithoutLeader(): number {
    return this.#cache.partitionsWithoutLeader + this.#resolver.leaderless
  }

  /** When a broker answered a metadata request last; undefined: none has. ms on the clock of `performance.now()` */
  get answeredAt(): number | undefined {
    return this.#refresher.answeredAt
  }

  /** Since when no broker answers metadata requests, and why; undefined while one does. */
  get failure(): MetadataFailure | undefined {
    return this.#refresher.failure
  }

  /** How many topics are waited for. */
  get waitingTopics(): number {
    return this.#resolver.waiting
  }

  /**
   * Asks for the brokers, on the schedule of `metadataRetry`.
   *
   * @param onFailure learns of each attempt that failed and is followed by another
   * @throws KafkaJSSASLAuthenticationError and other final errors of the transport, at once
   * @throws {BrokersUnreachableError} when no broker answered within `metadataRetry`
   */
  connect(onFailure: (error: Error) => void = () => {}): Promise<void> {
    const { metadataRetry: retry, logger, waits, transport } = this.#options
    const startedAt = performance.now()
    let lastError: Error | undefined
    // Its error is asked for where somebody looks: a first attempt that hangs has not failed yet.
    const wait = waits.begin(
      'connection',
      {},
      {
        since: startedAt,
        error: {
          get error() {
            return lastError ?? transport.pending()
          },
          likelyCause: undefined,
        },
      },
    )
    return onSchedule(() => this.#refresher.fetchBrokers(), {
      retry,
      signal: this.#closing.signal,
      onRetry: ({ attempt, delayMs, error }) => {
        onFailure(error)
        const elapsedMs = Math.round(performance.now() - startedAt)
        logger.debug('No broker answered', { attempt, delayMs, elapsedMs, error: error.message })
        lastError = error
        waits.change(wait, isLoginTrouble(error) ? 'authentication' : 'connection', error)
      },
      exhausted: ({ attempts, elapsedMs, cause }) =>
        new BrokersUnreachableError('No broker answered', { attempts, elapsedMs, cause }),
    }).then(
      () => waits.end(wait, 'over'),
      error => {
        waits.end(wait, 'given-up')
        throw error
      },
    )
  }

  /** What is known of a topic: a map lookup, for the hot path. It also counts as a use (`metadataMaxIdleMs`). */
  topic(name: string): TopicView | undefined {
    return this.#cache.topic(name)
  }

  /**
   * The topic, once it has a leader: from the cache, or waited for by its policy. All who ask share one wait.
   *
   * @param waiters the records that wait
   * @throws see TopicResolver.resolve; after `close`, its error
   */
  resolve(name: string, waiters?: Waiters): Promise<TopicView> {
    const known = this.#cache.topic(name)
    return known && known.available.length > 0
      ? Promise.resolve(known)
      : this.#resolver.resolve(name, waiters)
  }

  /** Why a topic that is waited for is not there yet, as far as it is known. */
  problemOf(name: string): Error | undefined {
    return this.#resolver.problemOf(name)
  }

  /** These do not need the topic any more: where nobody else does, its wait ends, rejected, and it is not asked for again. */
  release(name: string, waiters?: Waiters): void {
    this.#resolver.release(name, waiters)
  }

  /**
   * After a leadership error, an unknown topic, or a leader's silence: asks for that topic again, through another
   * broker than `avoidNode` where there is one. What changes is told to the subscribers; a topic that two answers do
   * not know is `gone`. To be called at each failure: asking is coalesced, backed off while nothing changes, and goes
   * on by itself for up to 30 s while a partition has no leader.
   */
  refreshLeaders(name: string, { avoidNode }: { readonly avoidNode?: number | undefined } = {}): void {
    this.#leaders.request(name, avoidNode)
  }

  /** A leader hint (KIP-951). Returns whether it was news. */
  learnLeader(
    topic: string,
    partition: number,
    leader: number,
    leaderEpoch: number,
    endpoint?: BrokerAddress,
  ): boolean {
    return this.#cache.learnLeader(topic, partition, leader, leaderEpoch, endpoint)
  }

  /** Called synchronously after each change of a topic. Returns what ends it. */
  subscribe(listener: TopicListener): () => void {
    return this.#cache.subscribe(listener)
  }

  /** Ends everything that waits with `error`; no timer is left. The directory cannot be used again. */
  close(error: Error): void {
    this.#closing.abort(error)
    this.#resolver.abort(error)
    this.#leaders.close()
    this.#upkeep.close()
    this.#refresher.close(error)
  }
}
