import type { Message, RecordMetadata } from 'kafkajs'
import type { Batch } from '../batch/batch.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { FlushBarriers } from '../batch/flushBarriers.js'
import type { BufferBudget } from '../buffer/bufferBudget.js'
import type { Destination } from '../buffer/shares.js'
import { WaitingSends } from '../calls/waitingSends.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { TurnWork } from '../turns.js'
import type { AdmissionHost } from '../waiting/admissionHost.js'
import type { SendCompletion } from '../waiting/sendCompletion.js'
import type { TopicPartitions } from '../waiting/topicPartitions.js'
import type { TopicWait, WaitLimits } from '../waiting/topicWait.js'
import { WaitFailures } from '../waiting/waitFailures.js'
import type { CallMoment, WaitingRecord, WaitLine } from '../waiting/waitLine.js'
import { type RecordPlacing, WaitQueues } from '../waiting/waitQueues.js'
import { CallMoments } from './callMoments.js'
import { bufferFull, notEncoded } from './intakeErrors.js'
import {
  type AppendContext,
  type PartitionChoice,
  RecordAppender,
  type RecordOwnerSource,
} from './recordAppender.js'
import { Refused } from './refused.js'
import { reuse } from './takenMessage.js'

const PROMISED: RecordOwnerSource = { ownerIn: batch => batch.promised }

/** So many records of one call are encoded at once; the others follow in later turns of the event loop. */
const RECORDS_AT_ONCE = 4000
/** The call's message is the last one of the batch. */
const notePlaced = (call: SendCompletion, batch: Batch, index: number): void => {
  const owner = call.ownerIn(batch, index)
  call.placed(owner, index)
  if (call.links !== undefined && owner !== null) call.links.placed(batch, owner)
}

/**
 * The way into the buffer. A record that finds its topic there and room is encoded at once; the others wait in order, each in the
 * queue of its own destination ({@link WaitLine}).
 */
export class Admission implements RecordPlacing {
  /** Ends what waits here. */
  readonly waitFailures: WaitFailures
  readonly waits: WaitQueues
  private readonly host: AdmissionHost
  private readonly budget: BufferBudget
  private readonly flushBarriers: FlushBarriers
  private readonly appender: RecordAppender
  private readonly moments: CallMoments
  private sends = new WaitingSends()

  constructor(limits: WaitLimits, flushBarriers: FlushBarriers, turns: TurnWork, host: AdmissionHost) {
    this.budget = host.budget
    this.flushBarriers = flushBarriers
    this.moments = new CallMoments(flushBarriers)
    this.host = host
    this.appender = new RecordAppender(host)
    this.waitFailures = new WaitFailures(limits, host, turns)
    this.waits = new WaitQueues(limits, host, turns, this.waitFailures, this)
  }

  /** What the buffer counts for the message that was handed over last. */
  get measuredBytes(): number {
    return this.appender.measuredBytes
  }

  /** One message of one call: the short way, where nothing has to wait. */
  sendOne(topic: TopicPartitions, message: Message, deliveryClass: DeliveryClass): Promise<RecordMetadata[]> {
    const bytes = this.appender.sizeOf(message)
    let queue: PartitionQueue | undefined
    if (topic.isOpen) {
      const { current } = this.flushBarriers
      const taken = this.appender.appendKeyless(topic, message, bytes, deliveryClass, current, PROMISED, 0)
      if (taken !== undefined) {
        this.budget.take(taken.queue!, bytes)
        reuse(message)
        return taken.promised.add()
      }
      const routed = this.appender.route(topic, message, bytes, deliveryClass)
      if (routed instanceof Error) return Promise.reject(this.failed(routed, topic))
      if (routed.canTake(bytes)) {
        const batch = this.put(
          topic,
          routed,
          message,
          bytes,
          this.moments.contextOf(deliveryClass),
          PROMISED,
          0,
        )
        if (batch instanceof Error) return Promise.reject(batch)
        if (!topic.partitioner.isForeign) reuse(message)
        return batch.promised.add()
      }
      queue = routed
    }
    if (this.sends.isFull) this.sends = new WaitingSends()
    const { sends } = this
    const moment = this.moments.momentOf(deliveryClass)
    return this.waits.wait(topic, queue, message, sends, sends.nextIndex, moment, bytes)
      ? sends.add()
      : Promise.reject(this.refusal(topic, 1))
  }

  /** Takes one topic's messages of a call, which were validated before. */
  submit(
    topic: TopicPartitions,
    messages: readonly Message[],
    call: SendCompletion,
    deliveryClass: DeliveryClass,
    patience: 'maxBlockMs' | 'endless' = 'maxBlockMs',
  ): void {
    const moment: CallMoment = {
      deliveryClass,
      flushBarrier: this.flushBarriers.current,
      startedAt: performance.now(),
      isPatient: patience === 'endless',
      lastIndex: messages.length - 1,
    }
    const now = this.moments.contextOf(deliveryClass)
    for (let index = 0; index < messages.length; index++) {
      const error =
        call.links?.withdrawnBy ?? this.submitOne(topic, messages[index]!, call, index, moment, now)
      if (error === undefined) continue
      this.host.observer.recordsFailed(topic.name, messages.length - index, error.name)
      call.failedBefore(error, topic.name, index, messages.length)
      break
    }
    if (topic.view !== undefined && topic.waiting !== undefined) this.waits.topicReady(topic)
  }

  /** @returns why neither this message nor those behind it are taken */
  private submitOne(
    topic: TopicPartitions,
    message: Message,
    call: SendCompletion,
    index: number,
    moment: CallMoment,
    context: AppendContext,
  ): Error | undefined {
    const bytes = this.appender.sizeOf(message)
    let queue: PartitionQueue | undefined
    // The others follow in later turns, and what comes later is appended after them.
    if (topic.isOpen && index < RECORDS_AT_ONCE) {
      const { deliveryClass, flushBarrier } = context
      const taken = this.appender.appendKeyless(
        topic,
        message,
        bytes,
        deliveryClass,
        flushBarrier,
        call,
        index,
      )
      if (taken !== undefined) {
        this.budget.take(taken.queue!, bytes)
        notePlaced(call, taken, index)
        return undefined
      }
      const routed = this.appender.route(topic, message, bytes, deliveryClass)
      if (call.links?.withdrawnBy !== undefined) return call.links.withdrawnBy
      if (routed instanceof Error || routed.canTake(bytes)) {
        this.place(topic, routed, message, bytes, context, call, index)
        return undefined
      }
      queue = routed
    }
    const hasPlace = this.waits.wait(topic, queue, message, call, index, moment, bytes)
    return hasPlace ? undefined : bufferFull(topic.name, this.budget)
  }

  /**
   * Takes a message if there is room for it, be it only to wait for its topic.
   *
   * @returns where it is, if it has not ended at once
   */
  enqueue(
    topic: TopicPartitions,
    message: Message,
    deliveryClass: DeliveryClass,
    call: SendCompletion,
  ): Destination | Refused | undefined {
    const bytes = this.appender.sizeOf(message)
    if (!topic.isOpen) return this.enqueueForTopic(topic, message, bytes, deliveryClass, call)
    const { current } = this.flushBarriers
    const taken = this.appender.appendKeyless(topic, message, bytes, deliveryClass, current, call, 0)
    if (taken !== undefined) {
      this.budget.take(taken.queue!, bytes)
      reuse(message)
      return taken.queue
    }
    const queue = this.appender.route(topic, message, bytes, deliveryClass)
    if (!(queue instanceof Error) && !queue.canTake(bytes)) return new Refused(queue)
    this.place(topic, queue, message, bytes, this.moments.contextOf(deliveryClass), call, 0)
    if (!topic.partitioner.isForeign) reuse(message)
    return queue instanceof Error ? undefined : queue
  }

  private enqueueForTopic(
    topic: TopicPartitions,
    message: Message,
    bytes: number,
    deliveryClass: DeliveryClass,
    call: SendCompletion,
  ): Destination | Refused {
    const wait = this.waits.waitOf(topic)
    // While its records are given their partitions it takes more, for the turns that this lasts.
    const isTaken = wait.isPlacing ? this.budget.mayWait(bytes) : this.waits.canPark(wait, bytes)
    if (isTaken)
      this.waits.wait(topic, undefined, message, call, 0, this.moments.momentOf(deliveryClass), bytes)
    else this.waits.dropEmpty(wait)
    return isTaken ? wait : new Refused(wait)
  }

  private place(
    topic: TopicPartitions,
    queue: PartitionQueue | Error,
    message: Message,
    bytes: number,
    context: AppendContext,
    call: SendCompletion,
    index: number,
    choice: PartitionChoice = 'free',
  ): void {
    const batch =
      queue instanceof Error
        ? this.failed(queue, topic)
        : this.put(topic, queue, message, bytes, context, call, index, choice)
    if (batch instanceof Error) return call.failedBefore(batch, topic.name, index, index + 1)
    notePlaced(call, batch, index)
  }

  /** @returns the batch that took the record, or why none does */
  private put(
    topic: TopicPartitions,
    queue: PartitionQueue,
    message: Message,
    bytes: number,
    context: AppendContext,
    owners: RecordOwnerSource,
    index: number,
    choice: PartitionChoice = 'free',
  ): Batch | Error {
    let batch: Batch
    try {
      batch = this.appender.append(topic, queue, message, bytes, context, owners, index, choice)
    } catch (error) {
      return this.failed(notEncoded(topic.name, queue.partition, error), topic)
    }
    // A full batch may have sent it on to another partition.
    this.budget.take(batch.queue!, bytes)
    return batch
  }

  private failed(error: Error, { name }: TopicPartitions): Error {
    this.host.observer.recordsFailed(name, 1, error.name)
    return error
  }

  private refusal(topic: TopicPartitions, records: number): Error {
    const error = bufferFull(topic.name, this.budget)
    this.host.observer.recordsFailed(topic.name, records, error.name)
    return error
  }

  placeWaiting(topic: TopicPartitions, wait: TopicWait, line: WaitLine, record: WaitingRecord): void {
    const { message, call, index, moment, bytes } = record
    if (line.kind === 'admitted') this.budget.give(wait, bytes, 1)
    const queue = call.links?.withdrawnBy ?? this.appender.route(topic, message, bytes, moment.deliveryClass)
    // A user's partitioner may have aborted the call.
    const end = call.links?.withdrawnBy ?? queue
    if (!(end instanceof Error) && !this.mayPass(line, end, bytes)) {
      if (line.kind === 'admitted') this.budget.waits(bytes)
      return this.waits.moveTo(topic, end, record)
    }
    if (line.kind === 'space') this.budget.waitsNoMore(bytes)
    this.place(topic, end, message, bytes, moment, call, index)
    moment.flushBarrier.done()
  }

  /**
   * What was admitted needs no space. But where the topic was gone for a while, records may wait at the partition since before: those
   * that came while it was gone must not pass them.
   */
  private mayPass(line: WaitLine, queue: PartitionQueue, bytes: number): boolean {
    return line.kind === 'space' ? queue.canTake(bytes) : !queue.hasWaiting
  }

  placePinned(topic: TopicPartitions, queue: PartitionQueue, record: WaitingRecord): void {
    const { message, call, index, moment, bytes } = record
    this.place(topic, queue, message, bytes, moment, call, index, 'pinned')
    moment.flushBarrier.done()
  }
}
