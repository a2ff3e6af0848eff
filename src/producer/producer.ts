import kafkajs, {
  type Kafka,
  type Logger,
  type Message,
  type ProducerBatch,
  type ProducerRecord,
  type RecordMetadata,
} from 'kafkajs'
import type { DeliveryClass } from '../delivery/batch.js'
import { EnqueuedRecord, MultiCall, type OnDelivery, SingleCall, UnownedCall } from '../delivery/call.js'
import { NonRetriableError } from '../errors/bases.js'
import {
  BufferFullError,
  FlushTimeoutError,
  InvalidTopicError,
  NotSupportedError,
  ProducerClosedError,
  SendAbortedError,
} from '../errors/index.js'
import { silentObserver } from '../metrics/observer.js'
import { createPrometheusObserver } from '../metrics/prometheusObserver.js'
import { topicNameProblem } from '../topics/name.js'
import { type CallOptions, DeliveryClasses } from './deliveryClasses.js'
import { EventHub, PRODUCER_EVENTS } from './events.js'
import { type ProducerSettings, resolveOptions } from './options.js'
import { Session } from './session.js'
import type {
  Abortable,
  ResilientProducer,
  ResilientProducerOptions,
  TopicMessage,
  WaitOptions,
  WritableOptions,
} from './types.js'
import { checkMessage } from './validate.js'
import { waitFor } from './wait.js'
import { createWritable } from './writable.js'

/** `enqueue` answers false from here on. */
const HIGH_MARK = 0.8
/** `ready` resolves below. */
const LOW_MARK = 0.5
/** A SIGTERM's patience in most orchestrators is 30 s. ms */
const DISCONNECT_TIMEOUT_MS = 25000

type Status = 'disconnected' | 'connecting' | 'connected' | 'disconnecting'

interface TopicMessages {
  readonly topic: string
  readonly messages: readonly Message[]
}

interface SpaceWaiter {
  readonly isEnough: (session: Session) => boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A connected session with what its calls need. */
interface Live {
  readonly session: Session
  readonly classes: DeliveryClasses
}

class ProducerCore {
  readonly settings: ProducerSettings
  readonly logger: Logger
  readonly events: EventHub
  private readonly kafka: Kafka
  private readonly observer
  private status: Status = 'disconnected'
  private live: Live | undefined
  private opening: Session | undefined
  private connecting: Promise<void> | undefined
  private disconnecting: Promise<void> | undefined
  private readonly checkedTopics = new Set<string>()
  private spaceWaiters: SpaceWaiter[] = []
  private readonly unowned: UnownedCall
  /** The topic of the last `enqueue` that answered false: what `ready` waits for. */
  private heldTopic: string | undefined

  constructor(kafka: Kafka, options: ResilientProducerOptions | undefined) {
    this.settings = resolveOptions(options)
    this.kafka = kafka
    this.logger = kafka.logger().namespace('Producer')
    this.events = new EventHub(this.logger)
    this.observer =
      this.settings.metrics === undefined ? silentObserver : createPrometheusObserver(this.settings.metrics)
    this.unowned = new UnownedCall((error, topic) => {
      const report = this.settings.onDeliveryError
      if (report === undefined) this.logger.error(`An enqueued record failed: ${error.message}`, { topic })
      else report(error, { topic, partition: -1 })
    })
  }

  connect(): Promise<void> {
    if (this.status === 'connected') return Promise.resolve()
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined
    })
    return this.connecting
  }

  private async open(): Promise<void> {
    await this.disconnecting
    const { kafka, settings, logger, observer } = this
    const session = new Session({
      kafka,
      settings,
      logger,
      observer,
      emit: (name, payload) => this.events.emit(name, payload),
    })
    this.status = 'connecting'
    this.opening = session
    try {
      await session.open()
    } catch (error) {
      this.status = 'disconnected'
      await session.close()
      throw error
    } finally {
      this.opening = undefined
    }
    session.engine.onSpace = () => this.spaceFreed(session)
    this.live = { session, classes: new DeliveryClasses(settings, session.isSequenced, logger) }
    this.status = 'connected'
    this.events.emit(PRODUCER_EVENTS.CONNECT, undefined)
  }

  disconnect({
    timeoutMs = DISCONNECT_TIMEOUT_MS,
  }: {
    readonly timeoutMs?: number | undefined
  } = {}): Promise<void> {
    this.disconnecting ??= this.shut(timeoutMs).finally(() => {
      this.disconnecting = undefined
    })
    return this.disconnecting
  }

  private async shut(timeoutMs: number): Promise<void> {
    // A connect under way is broken off and awaited: its session would otherwise come alive after this.
    await this.opening?.close()
    await this.connecting?.catch(() => {})
    const { live } = this
    this.status = 'disconnecting'
    if (live !== undefined) {
      await waitFor(live.session.engine.flush(), { timeoutMs }, () => new Error('time is up')).catch(() => {})
      this.live = undefined
      await live.session.close()
    }
    for (const waiter of this.spaceWaiters.splice(0)) waiter.reject(new ProducerClosedError())
    this.status = 'disconnected'
    this.events.emit(PRODUCER_EVENTS.DISCONNECT, undefined)
  }

  private get connected(): Live {
    if (this.live !== undefined && this.status === 'connected') return this.live
    if (this.status === 'disconnecting') {
      throw new NonRetriableError(
        "The producer is disconnecting; therefore, it can't safely accept messages anymore",
      )
    }
    throw new kafkajs.KafkaJSError('The producer is disconnected')
  }

  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]> {
    const { topic, messages, acks, signal } = record
    const isShort =
      signal === undefined &&
      (acks === undefined || acks === -1) &&
      this.status === 'connected' &&
      Array.isArray(messages) &&
      messages.length === 1 &&
      this.checkedTopics.has(topic)
    return (isShort && this.sendOne(record)) || this.sendAll([record], record, signal)
  }

  /** The same as `sendAll` for the common case: one message for a known topic with room in the buffer. */
  private sendOne(record: ProducerRecord): Promise<RecordMetadata[]> | undefined {
    const { topic, messages } = record
    const message = messages[0]!
    const { session, classes } = this.live!
    try {
      checkMessage(topic, message, 0, this.settings)
      return session.engine.sendAtOnce(topic, message, classes.of(record))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]> {
    return this.sendAll(mergeTopics(batch.topicMessages ?? []), batch, batch.signal)
  }

  private sendAll(
    topics: readonly TopicMessages[],
    options: CallOptions,
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata[]> {
    let live: Live
    let deliveryClass: DeliveryClass
    let count = 0
    try {
      for (const { topic } of topics) if (!topic) throw new NonRetriableError('Invalid topic')
      if (this.settings.idempotent === true && options.acks !== undefined && options.acks !== -1) {
        throw new NonRetriableError(
          "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
        )
      }
      for (const { topic, messages } of topics) {
        if (!Array.isArray(messages)) {
          throw new NonRetriableError(`Invalid messages array [${messages}] for topic "${topic}"`)
        }
        this.checkTopic(topic)
        for (let i = 0; i < messages.length; i++) checkMessage(topic, messages[i], i, this.settings)
        count += messages.length
      }
      live = this.connected
      deliveryClass = live.classes.of(options)
      if (signal?.aborted) throw new SendAbortedError(topics[0]?.topic ?? '', { cause: signal.reason })
    } catch (error) {
      return Promise.reject(error)
    }
    if (count === 0) return Promise.resolve([])
    const { engine } = live.session
    let stopListening = (): void => {}
    const result = new Promise<RecordMetadata[]>((resolve, reject) => {
      const call = count === 1 ? new SingleCall(resolve, reject) : new MultiCall(count, resolve, reject)
      if (signal === undefined) {
        for (const { topic, messages } of topics) {
          if (messages.length > 0) engine.submit(topic, messages, call, deliveryClass)
        }
        return
      }
      const entries = topics.flatMap(({ topic, messages }) => {
        const entry = messages.length > 0 ? engine.submit(topic, messages, call, deliveryClass) : undefined
        return entry === undefined ? [] : [entry]
      })
      const onAbort = (): void => {
        const names = topics.map(each => each.topic)
        engine.withdraw(entries, call, names, signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      stopListening = () => signal.removeEventListener('abort', onAbort)
    })
    if (signal === undefined) return result
    return result.finally(() => stopListening())
  }

  private checkTopic(topic: string): void {
    if (this.checkedTopics.has(topic)) return
    const problem = typeof topic === 'string' ? topicNameProblem(topic) : 'it is not a string'
    if (problem !== undefined) throw new InvalidTopicError(String(topic), problem)
    // Bounded: names that are used once only must not pile up here.
    if (this.checkedTopics.size < 100_000) this.checkedTopics.add(topic)
  }

  enqueue(topic: string, message: Message, onDelivery?: OnDelivery): boolean {
    if (!topic) throw new NonRetriableError('Invalid topic')
    this.checkTopic(topic)
    checkMessage(topic, message, 0, this.settings)
    const { session, classes } = this.connected
    const { engine } = session
    const call =
      onDelivery === undefined ? this.unowned : new EnqueuedRecord(topic, this.guarded(topic, onDelivery))
    if (!engine.hasRoomFor(topic, message)) {
      const error = new BufferFullError(topic, { bufferBytes: engine.budget.limitBytes, waitedMs: 0 })
      this.observer.recordsFailed(topic, 1, error.name)
      queueMicrotask(() => call.failedBefore(error, topic))
      this.heldTopic = topic
      return false
    }
    engine.submit(topic, [message], call, classes.of({}))
    if (engine.isBelow(HIGH_MARK, topic)) return true
    this.heldTopic = topic
    return false
  }

  /** A callback that throws must not stop the settling of the records after its own. */
  private guarded(topic: string, onDelivery: OnDelivery): OnDelivery {
    return (error, delivered) => {
      try {
        onDelivery(error, delivered)
      } catch (thrown) {
        this.logger.error(`onDelivery threw: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
          topic,
        })
      }
    }
  }

  ready(): Promise<void> {
    try {
      if (this.isReady(this.connected.session)) return Promise.resolve()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.whenSpace(session => this.isReady(session))
  }

  private whenSpace(isEnough: (session: Session) => boolean): Promise<void> {
    return new Promise((resolve, reject) => this.spaceWaiters.push({ isEnough, resolve, reject }))
  }

  /** Records of a topic that is not there yet have a share of their own: who filled that waits for that. */
  private isReady({ engine }: Session): boolean {
    if (!engine.isBelow(LOW_MARK, this.heldTopic)) return false
    this.heldTopic = undefined
    return true
  }

  private spaceFreed(session: Session): void {
    if (this.spaceWaiters.length === 0) return
    const waiters = this.spaceWaiters
    this.spaceWaiters = []
    for (const waiter of waiters) {
      if (waiter.isEnough(session)) waiter.resolve()
      else this.spaceWaiters.push(waiter)
    }
  }

  async flush({ timeoutMs, signal }: WaitOptions = {}): Promise<void> {
    const { engine } = this.connected.session
    await waitFor(
      engine.flush(),
      { timeoutMs, signal },
      afterMs => new FlushTimeoutError(afterMs, engine.budget.records),
    )
  }

  writable(options: WritableOptions = {}): ReturnType<typeof createWritable> {
    const hasRoom = ({ engine }: Session, { topic, ...message }: TopicMessage): boolean =>
      engine.hasRoomFor(topic, message)
    return createWritable(
      {
        enqueue: ({ topic, ...message }: TopicMessage, onDelivery: OnDelivery) =>
          this.enqueue(topic, message, onDelivery),
        ready: () => this.ready(),
        hasRoom: record => hasRoom(this.connected.session, record),
        whenRoom: record => this.whenSpace(session => hasRoom(session, record)),
      },
      options,
    )
  }
}

/** The messages of a topic that is named twice follow each other, as in kafkajs. */
const mergeTopics = (topicMessages: readonly TopicMessages[]): readonly TopicMessages[] => {
  const merged = new Map<string, TopicMessages>()
  for (const each of topicMessages) {
    const known = merged.get(each.topic)
    const isMergeable = known !== undefined && Array.isArray(known.messages) && Array.isArray(each.messages)
    merged.set(
      each.topic,
      isMergeable ? { topic: each.topic, messages: [...known.messages, ...each.messages] } : each,
    )
  }
  return [...merged.values()]
}

/**
 * Wraps the brokers, credentials and logger of a kafkajs `Kafka` into a producer that waits for topics, retries by
 * partition and never doubles what was acknowledged. The returned object is a kafkajs `Producer`: its methods need no
 * `this`, and may be replaced, as instrumentations do.
 *
 * @throws {InvalidOptionsError} that lists every problem, {@link IncompatibleKafkajsError}
 */
export const createResilientProducer = (
  kafka: Kafka,
  options?: ResilientProducerOptions,
): ResilientProducer => {
  const core = new ProducerCore(kafka, options)
  return {
    connect: () => core.connect(),
    disconnect: wait => core.disconnect(wait),
    isIdempotent: () => core.settings.idempotent !== false,
    events: PRODUCER_EVENTS,
    on: ((name: string, listener: (event: never) => void) =>
      core.events.on(name, listener as (event: unknown) => void)) as ResilientProducer['on'],
    send: record => core.send(record),
    sendBatch: batch => core.sendBatch(batch),
    transaction: () =>
      Promise.reject(
        new NotSupportedError('transaction()', 'Use the producer of kafkajs for transactions meanwhile.'),
      ),
    logger: () => core.logger,
    enqueue: (topic, message, onDelivery) => core.enqueue(topic, message, onDelivery),
    ready: () => core.ready(),
    writable: writableOptions => core.writable(writableOptions),
    flush: wait => core.flush(wait),
  }
}
