import type { Logger } from 'kafkajs'
import type { MetadataOutcome, MetadataTrigger, ProducerObserver } from '../../metrics/observer.js'
import type { ControlAnswer, Transport } from '../../transport/port.js'
import { asError } from '../../util/realms.js'
import type { MetadataCache } from '../cache/cache.js'
import type { MetadataResponse } from '../cache/view.js'
import type { RunningClock } from '../retry/runningClock.js'
import { answersFor, outcomes, type TopicAnswer } from './answer.js'
import { Lookup, type LookupOptions } from './lookup.js'
import { MetadataRequests } from './metadataRequests.js'
import type { MetadataQuery } from './query.js'
import { type Ask, byOwner, type Load, mainTrigger, type QueuePace, RefreshQueue } from './refreshQueue.js'

export interface RefresherOptions {
  readonly transport: Pick<Transport, 'control'>
  readonly cache: MetadataCache
  readonly clock: Pick<RunningClock, 'now'>
  readonly logger: Logger
  readonly observer: Pick<ProducerObserver, 'metadataRefreshed'>
  /** ms */
  readonly requestTimeoutMs: number
  /** Of `metadataRetry`. */
  readonly pace: QueuePace
}

/** No broker answers metadata requests. */
export interface MetadataFailure {
  /** ms on the clock of `performance.now()` */
  readonly since: number
  readonly error: Error
}

interface BrokersAsk {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A name costs about 40 bytes on the wire; a request of 1,000 names to create is answered in 0.2-1.4 s. */
const MAX_NAMES = 2000
/**
 * Asks brokers for metadata: one request at a time, carrying all who ask and all who wait. An ask never joins a
 * request in flight but goes into the next: a request that was written before does not name it.
 */
export class MetadataRefresher {
  readonly #options: RefresherOptions
  readonly #requests: MetadataRequests
  readonly #queues: { readonly creating: RefreshQueue; readonly existing: RefreshQueue }
  #brokersAsks: BrokersAsk[] = []
  #inFlight = false
  #lastQueue: RefreshQueue | undefined
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #closed: { readonly error: unknown } | undefined
  /** Ends those who wait for the answer in flight. */
  #failOwed: ((error: unknown) => void) | undefined

  /** When a broker answered last; undefined: none has. ms on the clock of `performance.now()` */
  answeredAt: number | undefined
  /** Since when no broker answers, and why the last one did not; undefined while one does. */
  failure: MetadataFailure | undefined

  constructor(options: RefresherOptions) {
    this.#options = options
    this.#requests = new MetadataRequests(options, () => this.#closed !== undefined)
    this.#queues = {
      creating: new RefreshQueue(true, options.pace),
      existing: new RefreshQueue(false, options.pace),
    }
  }

  /**
   * Puts a question. Its owner is told the answer once the cache has taken it over, or that the request failed.
   *
   * @param create whether the broker may create the topic (allow_auto_topic_creation)
   */
  ask(ask: Ask, create: boolean): void {
    if (this.#closed) return ask.owner.failed([ask], this.#closed.error, this.#options.clock.now)
    this.#queueOf(create).ask(ask)
    this.#wake()
  }

  /** Takes a question back, as long as no request carries it. */
  withdraw(ask: Ask, create: boolean): void {
    this.#queueOf(create).withdraw(ask)
  }

  /**
   * Asks once for one topic. The cache has taken the answer over by the time this resolves.
   *
   * @throws the transport's error when the request fails
   */
  lookup(name: string, options: LookupOptions): Promise<TopicAnswer> {
    return new Promise((resolve, reject) => {
      const lookup = new Lookup(name, options, resolve, reject)
      options.signal?.addEventListener('abort', () => {
        this.withdraw(lookup, options.create)
        reject(options.signal?.reason)
      })
      this.ask(lookup, options.create)
    })
  }

  /** Asks for the brokers alone. */
  fetchBrokers(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed.error)
      this.#brokersAsks.push({ resolve, reject })
      this.#wake()
    })
  }

  /** Until `unwait`, each request with the same flag names the topic; what it learns arrives through the cache. */
  wait(name: string, create: boolean): void {
    if (!this.#closed) this.#queueOf(create).wait(name)
  }

  unwait(name: string, create: boolean): void {
    this.#queueOf(create).unwait(name)
  }

  /** Ends every ask with `error`; an answer in flight is dropped. */
  close(error: unknown): void {
    if (this.#closed) return
    this.#closed = { error }
    clearImmediate(this.#immediate)
    clearTimeout(this.#timer)
    const { now } = this.#options.clock
    this.#failOwed?.(error)
    for (const queue of Object.values(this.#queues))
      byOwner(queue.clear(), (owner, asks) => owner.failed(asks, error, now))
    for (const each of this.#brokersAsks.splice(0)) each.reject(error)
  }

  #queueOf(create: boolean): RefreshQueue {
    return create ? this.#queues.creating : this.#queues.existing
  }

  /** Looks for work on the next turn, so that all who ask in this one share a request. */
  #wake(): void {
    if (this.#closed || this.#inFlight || this.#immediate) return
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#closed || this.#inFlight) return
    clearTimeout(this.#timer)
    if (this.#brokersAsks.length > 0) {
      void this.#refreshBrokers(this.#brokersAsks.splice(0))
      return
    }
    const now = performance.now()
    const queue = this.#nextQueue(now)
    const load = queue?.take(MAX_NAMES, now)
    if (queue && load) {
      this.#lastQueue = queue
      void this.#refresh(queue, load)
      return
    }
    const readyAt = Math.min(...Object.values(this.#queues).map(each => each.readyAt()))
    if (Number.isFinite(readyAt))
      this.#timer = setTimeout(() => this.#pump(), Math.max(1, Math.ceil(readyAt - now)))
  }

  /** In turn: a queue with much to ask must not keep the other waiting. */
  #nextQueue(now: number): RefreshQueue | undefined {
    const { creating, existing } = this.#queues
    const inTurn = this.#lastQueue === creating ? [existing, creating] : [creating, existing]
    return inTurn.find(each => each.readyAt() <= now)
  }

  async #refreshBrokers(asks: readonly BrokersAsk[]): Promise<void> {
    await this.#exchange('brokers-only', 'connect', undefined, {
      failed: error => {
        for (const each of asks) each.reject(error)
      },
      answered: async ({ response, nodeId, version }, elapsedMs) => {
        const brokers = response.brokers.length
        const told = { trigger: 'connect', names: [], brokers, nodeId, version, elapsedMs }
        this.#options.logger.debug('Metadata fetched', told)
        for (const each of asks) each.resolve()
        return 'ok'
      },
    })
  }

  async #refresh(queue: RefreshQueue, { asks, names }: Load): Promise<void> {
    const { cache, logger, clock } = this.#options
    let unfinished: readonly string[] = names
    const query = { names, create: queue.create }
    const trigger = mainTrigger(asks)
    const avoid = asks.find(each => each.avoidNode !== undefined)?.avoidNode
    const sentAt = clock.now
    await this.#exchange(query, trigger, avoid, {
      failed: error => byOwner(asks, (owner, its) => owner.failed(its, error, sentAt)),
      answered: async ({ response, nodeId, version }, elapsedMs, create) => {
        const topics = await answersFor(names, response, nodeId, cache, () => !this.#closed)
        if (this.#closed) return 'failed'
        unfinished = names.filter(name => topics.get(name)!.kind === 'creating')
        logger.debug('Metadata fetched', {
          trigger,
          names,
          create,
          nodeId,
          version,
          elapsedMs,
          // Getters, since 1,000 names would cost milliseconds each time and debug lines are mostly off.
          get outcomes() {
            return outcomes(topics)
          },
          get attempts() {
            return Object.fromEntries(asks.map(each => [each.name, each.attempt]))
          },
        })
        byOwner(asks, (owner, its) => owner.answered(its, { topics, nodeId, create, sentAt }))
        return asks.every(each => topics.get(each.name)!.kind === 'available') ? 'ok' : 'partial'
      },
    })
    queue.ended(unfinished)
  }

  /** One request and its end. `answered` runs only for an answer that is still wanted. */
  async #exchange(
    query: MetadataQuery,
    trigger: MetadataTrigger,
    avoidNode: number | undefined,
    asker: {
      failed(error: unknown): void
      answered(
        answer: ControlAnswer<MetadataResponse>,
        elapsedMs: number,
        create: boolean,
      ): Promise<MetadataOutcome>
    },
  ): Promise<void> {
    const { cache, logger, observer } = this.#options
    const startedAt = performance.now()
    this.#inFlight = true
    this.#failOwed = asker.failed
    let outcome: MetadataOutcome = 'failed'
    try {
      const { answer, sent } = await this.#requests.send(query, avoidNode)
      if (!this.#closed) {
        cache.applyBrokers(answer.response)
        this.answeredAt = performance.now()
        this.failure = undefined
        const create = sent !== 'brokers-only' && sent.create
        outcome = await asker.answered(answer, Math.round(performance.now() - startedAt), create)
      }
    } catch (error) {
      const asked = query === 'brokers-only' ? { names: [] } : query
      const elapsedMs = Math.round(performance.now() - startedAt)
      logger.debug('Metadata request failed', { trigger, ...asked, elapsedMs, error: String(error) })
      this.failure = { since: this.failure?.since ?? startedAt, error: asError(error) }
      if (!this.#closed) asker.failed(error)
    } finally {
      this.#inFlight = false
      this.#failOwed = undefined
      observer.metadataRefreshed(trigger, outcome, performance.now() - startedAt)
      this.#wake()
    }
  }
}
