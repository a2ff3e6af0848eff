import type { Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Message } from 'kafkajs'
import {
  type DeliveryTeller,
  EnqueuedRecord,
  type OnDelivery,
  UnownedRecord,
  WatchedRecord,
} from '../../delivery/calls/enqueuedRecord.js'
import { StreamedRecord } from '../../delivery/calls/streamedRecord.js'
import type { DeliveryEngine, Hold } from '../../delivery/engine.js'
import { NonRetriableError } from '../../errors/bases.js'
import { BufferFullError, ProducerClosedError } from '../../errors/index.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { DeliveryClasses } from '../checks/deliveryClasses.js'
import { type TopicNames, takeMessage } from '../checks/validate.js'
import type { ProducerSettings } from '../options/options.js'
import type { TopicMessage, WritableOptions } from '../types.js'
import type { UnownedFailures } from '../unowned.js'
import { watchOf } from './watchedCalls.js'
import { createWritable, type HeldWrite } from './writable.js'

const NO_OPTIONS = {}

interface SpaceWaiter {
  /** Whether it waits no more. */
  readonly isOver: () => boolean
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

/** The session of a connected producer. */
export interface EnqueueingSession {
  readonly engine: DeliveryEngine
  readonly classes: DeliveryClasses
}

/** Whether the producer is connected. */
export interface EnqueueingLifecycle {
  readonly live: EnqueueingSession | undefined
  /** @throws when the producer is not connected */
  readonly connected: EnqueueingSession
}

export interface EnqueueingParts {
  readonly lifecycle: EnqueueingLifecycle
  readonly settings: ProducerSettings
  readonly topicNames: TopicNames
  readonly unowned: UnownedFailures
  readonly observer: ProducerObserver
}

/** `enqueue`, `ready` and `writable`: records without promises, held back by the fill of the buffer. */
export class Enqueueing implements DeliveryTeller {
  private readonly parts: EnqueueingParts
  private readonly unowned: UnownedRecord
  private readonly waiters = new Set<SpaceWaiter>()
  /** Why the last `enqueue` answered false, if it did: its caller is the next to call `ready`. */
  private ownHold: Hold | undefined
  /** The last one there was, for callers who ask without having been answered. */
  private lastHold: Hold | undefined

  constructor(parts: EnqueueingParts) {
    this.parts = parts
    this.unowned = new UnownedRecord((error, topic) => parts.unowned.report(error, { topic, partition: -1 }))
  }

  /** @throws on bad input, or when the producer is not connected */
  enqueue(topic: string, message: Message, onDelivery?: OnDelivery): boolean {
    const { lifecycle, settings, topicNames } = this.parts
    if (!topic) throw new NonRetriableError('Invalid topic')
    if (onDelivery !== undefined && typeof onDelivery !== 'function') {
      throw new NonRetriableError('onDelivery must be a function', { topic })
    }
    // The name of a topic that is known was checked: one look-up for both.
    const known = lifecycle.live?.engine.topic(topic)
    if (known === undefined) topicNames.check(topic)
    const taken = takeMessage(topic, message, 0, settings)
    const { engine, classes } = lifecycle.connected
    const call = onDelivery === undefined ? this.unowned : this.recordOf(topic, message, onDelivery)
    const hold = engine.enqueue(known ?? engine.topicOf(topic), taken, call, classes.of(NO_OPTIONS))
    this.ownHold = hold
    return hold === undefined || this.heldBack(topic, hold, call)
  }

  private recordOf(topic: string, message: Message, onDelivery: OnDelivery): EnqueuedRecord {
    const watch = watchOf(message)
    return watch === undefined
      ? new EnqueuedRecord(topic, onDelivery, this)
      : new WatchedRecord(topic, onDelivery, this, watch)
  }

  /** @returns false, the answer to one who should wait */
  private heldBack(topic: string, hold: Hold, call: EnqueuedRecord | UnownedRecord): false {
    const { settings, observer } = this.parts
    this.lastHold = hold
    if (hold.outcome === 'refused') {
      const error = new BufferFullError(topic, { bufferBytes: settings.bufferBytes, waitedMs: 0 })
      observer.recordsFailed(topic, 1, error.name)
      queueMicrotask(() => call.failedBefore(error, topic))
    }
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
      void this.parts.lifecycle.connected
    } catch (error) {
      return Promise.reject(error)
    }
    const { ownHold, lastHold } = this
    this.ownHold = undefined
    if (ownHold !== undefined) return this.when(() => ownHold.isOver).ended
    if (lastHold === undefined || lastHold.isOver) return Promise.resolve()
    // Nothing is known of this caller: it is not held by a topic that may be another's and cannot move.
    return lastHold.isStuck ? nextTurn() : this.when(() => lastHold.isOver || lastHold.isStuck).ended
  }

  private when(isOver: () => boolean): HeldWrite {
    if (isOver()) return { ended: Promise.resolve(), cancel: () => {} }
    let waiter: SpaceWaiter | undefined
    const ended = new Promise<void>((resolve, reject) => {
      waiter = { isOver, resolve, reject }
      this.waiters.add(waiter)
    })
    return { ended, cancel: () => this.waiters.delete(waiter!) }
  }

  /** Buffer space came free. */
  freed(): void {
    for (const waiter of this.waiters) {
      if (!waiter.isOver()) continue
      this.waiters.delete(waiter)
      waiter.resolve()
    }
  }

  closed(): void {
    this.ownHold = undefined
    this.lastHold = undefined
    const waiters = [...this.waiters]
    this.waiters.clear()
    for (const waiter of waiters) waiter.reject(new ProducerClosedError())
  }

  writable(options: WritableOptions = {}): Writable {
    return createWritable(
      { hand: (record, onDelivery, onTaken) => this.hand(record, onDelivery, onTaken) },
      options,
    )
  }

  /** Takes a record of a stream, whose fields are read once. @throws on bad input, or when the producer is not connected */
  private hand(
    record: TopicMessage,
    onDelivery: OnDelivery,
    onTaken: (held: HeldWrite | undefined) => void,
  ): { withdraw(): void } {
    const { lifecycle, settings, topicNames } = this.parts
    const { topic } = record
    if (!topic) throw new NonRetriableError('Invalid topic')
    topicNames.check(topic)
    const message = takeMessage(topic, record, 0, settings)
    const { engine, classes } = lifecycle.connected
    const call = new StreamedRecord(topic, onDelivery, this, watchOf(record), destination => {
      const hold = engine.holdAt(destination)
      onTaken(hold === undefined ? undefined : this.when(() => hold.isOver))
    })
    engine.submitPatiently(topic, message, call, classes.of(NO_OPTIONS))
    return {
      withdraw: () => engine.abortUnsent(call.links, topic, new Error('the stream was destroyed')),
    }
  }
}
