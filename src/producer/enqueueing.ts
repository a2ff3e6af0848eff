import type { Writable } from 'node:stream'
import type { Message } from 'kafkajs'
import {
  type DeliveryTeller,
  EnqueuedRecord,
  type OnDelivery,
  UnownedRecord,
} from '../delivery/calls/enqueuedRecord.js'
import { NonRetriableError } from '../errors/bases.js'
import { BufferFullError, ProducerClosedError } from '../errors/index.js'
import type { ProducerObserver } from '../metrics/observer.js'
import type { Lifecycle } from './lifecycle.js'
import type { ProducerSettings } from './options.js'
import type { Session } from './session.js'
import type { TopicMessage, WritableOptions } from './types.js'
import type { UnownedFailures } from './unowned.js'
import { type TopicNames, takeMessage } from './validate.js'
import { createWritable } from './writable.js'

/** `enqueue` answers false from here on. */
const HIGH_MARK = 0.8
/** `ready` resolves below. */
const LOW_MARK = 0.5

const NO_OPTIONS = {}

interface SpaceWaiter {
  readonly isEnough: (session: Session) => boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Callbacks that only look on: a failure still goes to `onDeliveryError`. */
const onlookers = new WeakSet<OnDelivery>()

/** Marks a callback of one who watches for others, as an instrumentation does, and takes no failure off them. */
export const lookingOn = (onDelivery: OnDelivery): OnDelivery => {
  onlookers.add(onDelivery)
  return onDelivery
}

/** A stream's record, with its message as it was read, or what is wrong with it. */
interface TakenRecord {
  readonly record: TopicMessage
  readonly topic: string
  readonly message: Message | undefined
  readonly problem: unknown
}

export interface EnqueueingParts {
  readonly lifecycle: Lifecycle
  readonly settings: ProducerSettings
  readonly topicNames: TopicNames
  readonly unowned: UnownedFailures
  readonly observer: ProducerObserver
}

/** `enqueue`, `ready` and `writable`: records without promises, held back by the fill of the buffer. */
export class Enqueueing implements DeliveryTeller {
  private readonly parts: EnqueueingParts
  private readonly unowned: UnownedRecord
  private waiters: SpaceWaiter[] = []
  /** The topic of the last `enqueue` that answered false: what `ready` waits for. */
  private heldTopic: string | undefined

  constructor(parts: EnqueueingParts) {
    this.parts = parts
    this.unowned = new UnownedRecord((error, topic) => parts.unowned.report(error, { topic, partition: -1 }))
  }

  /** @throws on bad input, or when the producer is not connected */
  enqueue(topic: string, message: Message, onDelivery?: OnDelivery): boolean {
    const { settings, topicNames } = this.parts
    if (!topic) throw new NonRetriableError('Invalid topic')
    if (onDelivery !== undefined && typeof onDelivery !== 'function') {
      throw new NonRetriableError('onDelivery must be a function', { topic })
    }
    topicNames.check(topic)
    return this.enqueueTaken(topic, takeMessage(topic, message, 0, settings), onDelivery)
  }

  private enqueueTaken(topic: string, message: Message, onDelivery: OnDelivery | undefined): boolean {
    const { lifecycle, observer } = this.parts
    const { session, classes } = lifecycle.connected
    const { engine } = session
    const deliveryClass = classes.of(NO_OPTIONS)
    const call = onDelivery === undefined ? this.unowned : new EnqueuedRecord(topic, onDelivery, this)
    const queues = engine.topicPartitions(topic)
    const taken = queues !== undefined && engine.admission.enqueueAtOnce(queues, message, deliveryClass, call)
    if (!taken) {
      if (!engine.hasRoomFor(topic, message)) {
        const error = new BufferFullError(topic, { bufferBytes: engine.budget.limitBytes, waitedMs: 0 })
        observer.recordsFailed(topic, 1, error.name)
        queueMicrotask(() => call.failedBefore(error, topic))
        this.heldTopic = topic
        return false
      }
      engine.submit(topic, [message], call, deliveryClass)
    }
    // A topic that took it at once is there, and has no share of its own to fill.
    if (engine.isBelow(HIGH_MARK, taken ? undefined : topic)) return true
    this.heldTopic = topic
    return false
  }

  /** A callback that throws must not stop the settling of the records after its own. */
  tell(onDelivery: OnDelivery, error: Error | null, delivered: Parameters<OnDelivery>[1]): void {
    try {
      onDelivery(error, delivered)
    } catch (thrown) {
      this.parts.unowned.threw('onDelivery', thrown, delivered)
    }
    if (error !== null && onlookers.has(onDelivery)) this.parts.unowned.report(error, delivered)
  }

  ready(): Promise<void> {
    try {
      if (this.isReady(this.parts.lifecycle.connected.session)) return Promise.resolve()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.whenSpace(session => this.isReady(session))
  }

  private whenSpace(isEnough: (session: Session) => boolean): Promise<void> {
    return new Promise((resolve, reject) => this.waiters.push({ isEnough, resolve, reject }))
  }

  /** Records of a topic that is not there yet have a share of their own: who filled that waits for that. */
  private isReady({ engine }: Session): boolean {
    if (!engine.isBelow(LOW_MARK, this.heldTopic)) return false
    this.heldTopic = undefined
    return true
  }

  /** Buffer space came free. */
  freed(session: Session): void {
    if (this.waiters.length === 0) return
    const waiters = this.waiters
    this.waiters = []
    for (const waiter of waiters) {
      if (waiter.isEnough(session)) waiter.resolve()
      else this.waiters.push(waiter)
    }
  }

  closed(): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(new ProducerClosedError())
  }

  /** Checks a record of a stream and reads its fields, once. */
  private take(record: TopicMessage): TakenRecord {
    const { topic } = record
    try {
      if (!topic) throw new NonRetriableError('Invalid topic')
      this.parts.topicNames.check(topic)
      return {
        record,
        topic,
        message: takeMessage(topic, record, 0, this.parts.settings),
        problem: undefined,
      }
    } catch (problem) {
      return { record, topic, message: undefined, problem }
    }
  }

  writable(options: WritableOptions = {}): Writable {
    // A stream has one record at a time, for which it asks more than once.
    let last: TakenRecord | undefined
    const take = (record: TopicMessage): TakenRecord => {
      if (last?.record !== record) last = this.take(record)
      return last
    }
    const hasRoom = ({ engine }: Session, record: TopicMessage): boolean => {
      const { topic, message } = take(record)
      // What is no message cannot be measured: to say so is `enqueue`'s.
      return message === undefined || engine.hasRoomFor(topic, message)
    }
    return createWritable(
      {
        enqueue: (record, onDelivery) => {
          const { topic, message, problem } = take(record)
          last = undefined
          if (message === undefined) throw problem
          return this.enqueueTaken(topic, message, onDelivery)
        },
        ready: () => this.ready(),
        hasRoom: record => hasRoom(this.parts.lifecycle.connected.session, record),
        whenRoom: record => this.whenSpace(session => hasRoom(session, record)),
      },
      options,
    )
  }
}
