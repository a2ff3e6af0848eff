import type { Message } from 'kafkajs'
import { NonRetriableError } from '../../errors/bases.js'
import { PartitionNotFoundError } from '../../errors/index.js'
import type { TopicView } from '../../metadata/cache/view.js'
import { RecordMeasure } from '../../protocol/records/measure.js'
import { asError } from '../../util/realms.js'
import type { Batch } from '../batch/batch.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionQueueHost } from '../partitions/partitionQueueHost.js'
import type { TopicPartitions } from '../waiting/topicPartitions.js'
import { RecordClock } from './recordClock.js'

/** Who waits for a record in the batch that takes it. */
export interface RecordOwnerSource {
  ownerIn(batch: Batch, index: number): RecordCompletion | null
}

/** What a record brings along into its batch. */
export interface AppendContext {
  readonly deliveryClass: DeliveryClass
  readonly flushBarrier: FlushBarrier
  /** When the call was made, where that is not now. ms on the clock of `performance.now()` */
  readonly startedAt: number | undefined
}

export type PartitionChoice = 'free' | 'pinned'

/** Keyless records try so many partitions before they wait. */
const PARTITIONS_TRIED = 3
/** And so many, while those that they have found cannot move. */
const MOST_TRIED = 16

/** Chooses a record's partition, and encodes it behind the others there. Its topic is there. */
export class RecordAppender {
  private readonly host: PartitionQueueHost
  private readonly measure = new RecordMeasure()
  private measured: Message | undefined
  private readonly clock = new RecordClock()

  constructor(host: PartitionQueueHost) {
    this.host = host
  }

  get measuredBytes(): number {
    return this.measure.recordBytes
  }

  /** What the buffer counts for the message. bytes */
  sizeOf(message: Message): number {
    this.measured = message
    return this.measure.of(message).recordBytes
  }

  /**
   * The partition of a record, chosen once. One that may go to any goes where there is room, if there is any.
   *
   * @returns its queue, or what keeps it out of every partition
   */
  route(
    topic: TopicPartitions,
    message: Message,
    bytes: number,
    deliveryClass: DeliveryClass,
  ): PartitionQueue | Error {
    if (topic.partitioner.isForeign) return this.askPartitioner(topic, message, bytes)
    if (message.key != null || message.partition != null) return this.choose(topic, message)
    if (topic.keylessBatch(deliveryClass) !== undefined) {
      const { keylessQueue } = topic
      if (keylessQueue.canTake(bytes)) return keylessQueue
      topic.leave(keylessQueue)
    }
    return this.routeKeyless(topic, message, bytes)
  }

  /** Where all are full the record waits, but not at one that cannot move if there is another. */
  private routeKeyless(topic: TopicPartitions, message: Message, bytes: number): PartitionQueue | Error {
    let movable: PartitionQueue | undefined
    for (let tried = 1; ; tried++) {
      const queue = this.choose(topic, message)
      if (queue instanceof Error || queue.canTake(bytes)) return queue
      // Those behind it spread over the others.
      topic.partitioner.left(queue.partition, bytes)
      if (!queue.group.isStuck) movable ??= queue
      if (tried >= MOST_TRIED || (tried >= PARTITIONS_TRIED && movable !== undefined)) return movable ?? queue
    }
  }

  /** A user's partitioner may send something itself: that finds the buffer as full as it is with this record. */
  private askPartitioner(topic: TopicPartitions, message: Message, bytes: number): PartitionQueue | Error {
    const { budget } = this.host
    budget.reserve(bytes)
    try {
      return this.choose(topic, message)
    } finally {
      budget.unreserve(bytes)
    }
  }

  private choose(topic: TopicPartitions, message: Message): PartitionQueue | Error {
    const { partitioner, name } = topic
    const view = topic.view!
    let partition: number
    try {
      partition = partitioner.choose(view, message, topic)
      if (typeof partition !== 'number') {
        throw new TypeError(
          `it answered ${partition === undefined ? 'undefined' : `a ${typeof partition}`}, not a number`,
        )
      }
    } catch (error) {
      const cause = asError(error)
      return new NonRetriableError(`The partitioner failed: ${cause.message}`, {
        topic: name,
        outcome: 'not-written',
        cause,
      })
    }
    if (!isPartitionOf(view, partition)) {
      return new PartitionNotFoundError(name, partition, view.partitions.length)
    }
    return topic.queueOf(partition)
  }

  /**
   * The short way of a keyless record: to the partition on which the partitioner stays, where nothing is chosen or looked up.
   *
   * @returns the batch that took it; undefined where it has to take the long way
   */
  appendKeyless(
    topic: TopicPartitions,
    message: Message,
    bytes: number,
    deliveryClass: DeliveryClass,
    flushBarrier: FlushBarrier,
    owners: RecordOwnerSource,
    index: number,
  ): Batch | undefined {
    if (message.key != null || message.partition != null || topic.partitioner.isForeign) return undefined
    const batch = topic.keylessBatch(deliveryClass)
    if (batch === undefined) return undefined
    const { keylessQueue } = topic
    if (!keylessQueue.canTake(bytes)) return undefined
    if (!this.write(keylessQueue, batch, message, bytes, owners, index)) {
      // It is full: closed, it may leave, and the partitioner goes on to the next.
      keylessQueue.close(batch)
      return undefined
    }
    this.measured = undefined
    batch.join(flushBarrier)
    return batch
  }

  /**
   * Encodes a record into the queue's open batch, or into the next one where that is full.
   *
   * @param bytes what the buffer counts for it
   * @param index of the message among its call's
   * @param choice a record that waited at its partition is pinned to it: elsewhere later ones would overtake it
   * @returns the batch that took it
   * @throws {RangeError} where there is no memory for it: nothing has changed then
   */
  append(
    topic: TopicPartitions,
    queue: PartitionQueue,
    message: Message,
    bytes: number,
    context: AppendContext,
    owners: RecordOwnerSource,
    index: number,
    choice: PartitionChoice,
  ): Batch {
    const { deliveryClass, flushBarrier, startedAt } = context
    const isPlain =
      choice === 'free' && message.key == null && message.partition == null && !topic.partitioner.isForeign
    let target = queue
    let batch = target.openBatch(deliveryClass, flushBarrier, startedAt)
    // Another one may have been measured since.
    if (this.measured !== message) this.measure.of(message)
    // Kept, it would hold the caller's bytes until the next record.
    this.measured = undefined
    if (!this.write(target, batch, message, bytes, owners, index)) {
      // It is full: closed, it may leave, and the partitioner goes on to the next.
      target.close(batch)
      if (isPlain) target = this.nextFor(topic, queue, message, bytes)
      batch = target.openBatch(deliveryClass, flushBarrier, startedAt)
      if (!this.write(target, batch, message, bytes, owners, index)) {
        target.close(batch)
        // A new batch takes any first record.
        batch = target.openBatch(deliveryClass, flushBarrier, startedAt)
        this.write(target, batch, message, bytes, owners, index)
      }
    }
    batch.join(flushBarrier)
    // It waited while a flush was called.
    if (flushBarrier.isSealed && !batch.isDue) target.sendWithoutLinger(batch)
    if (isPlain) topic.stayWith(target, batch, bytes)
    return batch
  }

  private nextFor(
    topic: TopicPartitions,
    full: PartitionQueue,
    message: Message,
    bytes: number,
  ): PartitionQueue {
    const next = this.choose(topic, message)
    return next instanceof Error || !next.canTake(bytes) ? full : next
  }

  /** @returns false when the batch is full */
  private write(
    queue: PartitionQueue,
    batch: Batch,
    message: Message,
    bytes: number,
    owners: RecordOwnerSource,
    index: number,
  ): boolean {
    const limits = queue.limitsOf(batch)
    const owner = owners.ownerIn(batch, index)
    return batch.append(
      message,
      this.measure,
      this.timestampOf(message),
      bytes,
      owner,
      limits,
      this.host.pool,
    )
  }

  /** kafkajs takes the time of the call where the timestamp is not given or empty. ms since the epoch */
  private timestampOf({ timestamp }: Message): number {
    return timestamp ? Number(timestamp) : this.clock.now()
  }
}

const isPartitionOf = (view: TopicView, partition: number): boolean =>
  partition >= 0 && partition < view.partitions.length && Number.isInteger(partition)
