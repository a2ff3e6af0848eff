import kafkajs, { type Logger } from 'kafkajs'
import type { MetadataOutcome, MetadataTrigger, ProducerObserver } from '../metrics/observer.js'
import { ERROR, errorCode } from '../protocol/errorCodes.js'
import { metadataApi } from '../protocol/messages/metadata.js'
import type { ControlAnswer, Transport } from '../transport/port.js'
import { answerForError, answerWithoutLeader, type TopicAnswer } from './answer.js'
import type { MetadataCache } from './cache.js'
import { encodeQuery, METADATA_MAX_VERSION, type MetadataQuery } from './query.js'
import { type Ask, type Load, type Pace, type QueuePace, RefreshQueue } from './refreshQueue.js'
import type { MetadataResponse } from './view.js'

export interface RefresherOptions {
  readonly transport: Pick<Transport, 'control'>
  readonly cache: MetadataCache
  readonly logger: Logger
  readonly observer: Pick<ProducerObserver, 'metadataRefreshed'>
  /** ms */
  readonly requestTimeoutMs: number
  /** Of `metadataRetry`. */
  readonly pace: QueuePace
}

export interface LookupOptions {
  /** Whether the broker may create the topic (allow_auto_topic_creation). */
  readonly create: boolean
  readonly trigger: MetadataTrigger
  /** From 1, for the log. Default 1. */
  readonly attempt?: number
  /** Default `at-once`. */
  readonly pace?: Pace
  /** The broker to ask only when no other answers. */
  readonly avoidNode?: number | undefined
  /** Withdraws the ask as long as no request carries it. */
  readonly signal?: AbortSignal
}

interface BrokersAsk {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A name costs about 40 bytes on the wire; a request of 1,000 names to create is answered in 0.2-1.4 s. */
const MAX_NAMES = 2000

/**
 * Asks brokers for metadata: one request at a time, carrying all who ask and all who wait. A lookup never joins a
 * request in flight but goes into the next: a request that was written before does not name it.
 */
export class MetadataRefresher {
  readonly #options: RefresherOptions
  readonly #queues: { readonly creating: RefreshQueue; readonly existing: RefreshQueue }
  #brokersAsks: BrokersAsk[] = []
  #inFlight = false
  #lastQueue: RefreshQueue | undefined
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #closed: { readonly error: unknown } | undefined
  /** Those who wait for the answer in flight. */
  #owed: readonly { reject(error: unknown): void }[] = []

  constructor(options: RefresherOptions) {
    this.#options = options
    this.#queues = {
      creating: new RefreshQueue(true, options.pace),
      existing: new RefreshQueue(false, options.pace),
    }
  }

  /**
   * Asks once for one topic. The cache has taken the answer over by the time this resolves.
   *
   * @throws the transport's error when the request fails
   */
  lookup(name: string, options: LookupOptions): Promise<TopicAnswer> {
    const { create, trigger, attempt = 1, pace = 'at-once', avoidNode, signal } = options
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed.error)
      this.#queueOf(create).ask({ name, trigger, attempt, pace, avoidNode, signal, resolve, reject })
      this.#wake()
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
    for (const queue of Object.values(this.#queues)) queue.rejectAll(error)
    for (const each of [...this.#owed, ...this.#brokersAsks.splice(0)]) each.reject(error)
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
    await this.#exchange(
      'brokers-only',
      'connect',
      undefined,
      asks,
      ({ response, nodeId, version }, elapsedMs) => {
        const brokers = response.brokers.length
        this.#options.logger.debug('Metadata fetched', {
          trigger: 'connect',
          names: [],
          brokers,
          nodeId,
          version,
          elapsedMs,
        })
        for (const each of asks) each.resolve()
        return 'ok'
      },
    )
  }

  async #refresh(queue: RefreshQueue, { asks, names }: Load): Promise<void> {
    const { logger } = this.#options
    let unfinished: readonly string[] = names
    const query = { names, create: queue.create }
    const trigger = mainTrigger(asks)
    const avoid = asks.find(each => each.avoidNode !== undefined)?.avoidNode
    await this.#exchange(query, trigger, avoid, asks, ({ response, nodeId, version }, elapsedMs) => {
      const answers = this.#apply(response, names, nodeId)
      unfinished = names.filter(name => answers.get(name)!.kind === 'creating')
      logger.debug('Metadata fetched', {
        trigger,
        ...query,
        nodeId,
        version,
        elapsedMs,
        // Getters, since 1,000 names would cost milliseconds each time and debug lines are mostly off.
        get outcomes() {
          return outcomes(answers)
        },
        get attempts() {
          return attempts(asks)
        },
      })
      for (const ask of asks) ask.resolve(answers.get(ask.name)!)
      return asks.every(each => answers.get(each.name)!.kind === 'available') ? 'ok' : 'partial'
    })
    queue.ended(unfinished)
  }

  /** One request and its end. `take` runs only for an answer that is still wanted. */
  async #exchange(
    query: MetadataQuery,
    trigger: MetadataTrigger,
    avoidNode: number | undefined,
    owed: readonly { reject(error: unknown): void }[],
    take: (answer: ControlAnswer<MetadataResponse>, elapsedMs: number) => MetadataOutcome,
  ): Promise<void> {
    const { transport, cache, logger, observer, requestTimeoutMs } = this.#options
    const startedAt = performance.now()
    this.#inFlight = true
    this.#owed = owed
    let outcome: MetadataOutcome = 'failed'
    try {
      const answer = await transport.control(
        metadataApi,
        version => encodeQuery(query, version),
        { target: { anyBut: avoidNode }, timeoutMs: requestTimeoutMs },
        METADATA_MAX_VERSION,
      )
      if (!this.#closed) {
        // A broker that is starting knows nobody yet: its answer would make every topic look deleted.
        if (answer.response.brokers.length === 0)
          throw new kafkajs.KafkaJSError(`broker ${answer.nodeId} answered metadata without any broker`)
        cache.applyBrokers(answer.response)
        outcome = take(answer, Math.round(performance.now() - startedAt))
      }
    } catch (error) {
      const asked = query === 'brokers-only' ? { names: [] } : query
      const elapsedMs = Math.round(performance.now() - startedAt)
      logger.debug('Metadata request failed', { trigger, ...asked, elapsedMs, error: String(error) })
      for (const each of owed) each.reject(error)
    } finally {
      this.#inFlight = false
      this.#owed = []
      observer.metadataRefreshed(trigger, outcome, performance.now() - startedAt)
      this.#wake()
    }
  }

  #apply(
    response: MetadataResponse,
    names: readonly string[],
    nodeId: number,
  ): ReadonlyMap<string, TopicAnswer> {
    const now = performance.now()
    const byName = new Map(response.topics.map(each => [each.name, each]))
    const answers = new Map<string, TopicAnswer>()
    for (const name of names) {
      const metadata = byName.get(name)
      // A name that the broker left out is one it does not know.
      const code = metadata?.errorCode ?? ERROR.UNKNOWN_TOPIC_OR_PARTITION
      if (!metadata || code !== ERROR.NONE) answers.set(name, answerForError(code, nodeId))
      else {
        const topic = this.#options.cache.applyTopic(name, metadata, now)
        const usable = topic && topic.available.length > 0
        answers.set(name, usable ? { kind: 'available', topic } : answerWithoutLeader(nodeId))
      }
    }
    return answers
  }
}

const triggerOrder: readonly MetadataTrigger[] = ['topic', 'leader', 'age']

/** The label of a request that several reasons share. */
const mainTrigger = (asks: readonly Ask[]): MetadataTrigger =>
  triggerOrder.find(trigger => asks.some(each => each.trigger === trigger)) ?? 'topic'

const outcomes = (answers: ReadonlyMap<string, TopicAnswer>): Record<string, string> =>
  Object.fromEntries(
    [...answers].map(([name, answer]) => [
      name,
      answer.kind === 'available' ? 'available' : errorCode(answer.errorCode).type,
    ]),
  )

const attempts = (asks: readonly Ask[]): Record<string, number> =>
  Object.fromEntries(asks.map(each => [each.name, each.attempt]))
