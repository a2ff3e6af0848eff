import type { Message } from 'kafkajs'
import { NonRetriableError } from '../../errors/bases.js'
import { PartitionNotFoundError } from '../../errors/index.js'
import type { TopicView } from '../../metadata/view.js'
import { RecordMeasure } from '../../protocol/records/measure.js'
import { asError } from '../../util/realms.js'
import type { Batch, DeliveryClass } from '../batch/batch.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { SendCompletion } from '../calls/sendCompletion.js'
import type { PartitionQueue, PartitionQueueHost } from '../partitions/partitionQueue.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import { RecordClock } from './recordClock.js'

/** What the messages of a call share on their way into batches. */
export interface AppendContext {
  readonly topic: TopicPartitions
  readonly call: SendCompletion
  readonly deliveryClass: DeliveryClass
  readonly flushBarrier: FlushBarrier
  /** When the call was made, where that is not now. ms on the clock of `performance.now()` */
  readonly startedAt: number | undefined
}

/** Who waits for a record in the batch that takes it. */
export type RecordOwnerSource = Pick<SendCompletion, 'ownerIn'>

/** Chooses a record's partition and encodes it behind the others there. The buffer has let it in, and its topic is there. */
export class RecordAppender {
  private readonly host: PartitionQueueHost
  private readonly measure = new RecordMeasure()
  private readonly clock = new RecordClock()

  constructor(host: PartitionQueueHost) {
    this.host = host
  }

  /** What the buffer counts for the message. bytes */
  sizeOf(message: Message): number {
    return this.measure.of(message).recordBytes
  }

  /**
   * `sizeOf` was asked for this message last.
   *
   * @param bytes what the buffer counts for it
   * @param index its place among the call's messages of the topic
   * @returns what keeps it out of every partition
   */
  place(context: AppendContext, message: Message, bytes: number, index: number): Error | undefined {
    const { topic, call, deliveryClass, flushBarrier, startedAt } = context
    const batch = this.put(topic, message, bytes, deliveryClass, flushBarrier, startedAt, call)
    if (batch instanceof Error) return batch
    // It waited for its topic, or for space, while a flush was called.
    if (flushBarrier.isSealed && !batch.isDue) topic.sendWithoutLinger(batch)
    call.placed(call.ownerIn(batch), index)
    return undefined
  }

  /**
   * `sizeOf` was asked for this message last.
   *
   * @param startedAt when the call was made, where that is not now. ms on the clock of `performance.now()`
   * @returns the batch that took the record, or what keeps it out of every partition
   */
  put(
    topic: TopicPartitions,
    message: Message,
    bytes: number,
    deliveryClass: DeliveryClass,
    flushBarrier: FlushBarrier,
    startedAt: number | undefined,
    waiting: RecordOwnerSource,
  ): Batch | Error {
    const isPlain = message.key == null && message.partition == null && !topic.partitioner.isForeign
    const stickyBatch = isPlain ? topic.keylessBatch(deliveryClass) : undefined
    if (stickyBatch !== undefined) {
      // The partition on which the partitioner stays: nothing is chosen or looked up.
      const queue = topic.keylessQueue
      if (this.append(queue, stickyBatch, message, bytes, flushBarrier, waiting)) return stickyBatch
      // It is full: closed, it may leave, and the partitioner goes on to the next.
      queue.close(stickyBatch)
    }
    const queue = this.choose(topic, message)
    if (queue instanceof Error) return queue
    let batch = queue.openBatch(deliveryClass, flushBarrier, startedAt)
    if (!this.append(queue, batch, message, bytes, flushBarrier, waiting)) {
      queue.close(batch)
      batch = queue.openBatch(deliveryClass, flushBarrier, startedAt)
      this.append(queue, batch, message, bytes, flushBarrier, waiting)
    }
    if (isPlain) topic.stayWith(queue, batch, bytes)
    return batch
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
    // A user's partitioner may have sent something itself, by which the measure was taken anew.
    if (partitioner.isForeign) this.measure.of(message)
    return topic.queueOf(partition, this.host)
  }

  /** @returns false when the batch is full */
  private append(
    queue: PartitionQueue,
    batch: Batch,
    message: Message,
    bytes: number,
    flushBarrier: FlushBarrier,
    waiting: RecordOwnerSource,
  ): boolean {
    const limits = queue.limitsOf(batch)
    const timestamp = this.timestampOf(message)
    const owner = waiting.ownerIn(batch)
    if (!batch.append(message, this.measure, timestamp, bytes, owner, limits, this.host.pool)) return false
    batch.join(flushBarrier)
    return true
  }

  /** kafkajs takes the time of the call where the timestamp is not given or empty. ms since the epoch */
  private timestampOf({ timestamp }: Message): number {
    return timestamp ? Number(timestamp) : this.clock.now()
  }
}

const isPartitionOf = (view: TopicView, partition: number): boolean =>
  partition >= 0 && partition < view.partitions.length && Number.isInteger(partition)
