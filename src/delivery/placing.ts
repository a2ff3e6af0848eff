import type { Message, RecordMetadata } from 'kafkajs'
import { NonRetriableError } from '../errors/bases.js'
import { PartitionNotFoundError } from '../errors/index.js'
import type { TopicView } from '../metadata/view.js'
import { RecordMeasure } from '../protocol/records/measure.js'
import type { DeliveryClass } from './batch.js'
import type { Call } from './call.js'
import type { Generation } from './generations.js'
import type { LaneHost } from './lane.js'
import type { TopicLanes } from './topicLanes.js'

/** What the messages of a call share on their way into batches. */
export interface Consignment {
  readonly topic: TopicLanes
  readonly call: Call
  readonly deliveryClass: DeliveryClass
  readonly generation: Generation
  /** When the call was made, where that is not now. ms on the clock of `performance.now()` */
  readonly startedAt: number | undefined
}

/** Chooses a record's partition and encodes it behind the others there. The buffer has let it in, and its topic is there. */
export class Placing {
  private readonly host: LaneHost
  private readonly measure = new RecordMeasure()

  constructor(host: LaneHost) {
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
  place(consignment: Consignment, message: Message, bytes: number, index: number): Error | undefined {
    const { topic, call, deliveryClass, generation, startedAt } = consignment
    const view = topic.view!
    let partition: number
    try {
      partition = topic.partitioner.choose(view, message, bytes)
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error))
      return new NonRetriableError(`The partitioner threw: ${cause.message}`, {
        topic: topic.name,
        outcome: 'not-written',
        cause,
      })
    }
    if (!isPartitionOf(view, partition)) {
      return new PartitionNotFoundError(topic.name, partition, view.partitions.length)
    }
    const measure = this.measured(topic, message)
    const { pool } = this.host
    const lane = topic.laneOf(partition, this.host)
    const limits = lane.limitsOf(deliveryClass)
    const timestamp = timestampOf(message)
    let batch = lane.openBatch(deliveryClass, generation, startedAt)
    let owner = call.ownerIn(batch)
    if (!batch.append(message, measure, timestamp, bytes, owner, limits, pool)) {
      lane.close(batch)
      batch = lane.openBatch(deliveryClass, generation, startedAt)
      owner = call.ownerIn(batch)
      batch.append(message, measure, timestamp, bytes, owner, limits, pool)
    }
    if (batch.generations[0] !== generation) batch.join(generation)
    // It waited for its topic, or for space, while a flush was called.
    if (generation.isSealed) lane.hurry(batch)
    call.placed(owner, index)
    return undefined
  }

  private measured(topic: TopicLanes, message: Message): RecordMeasure {
    // A user's partitioner may have sent something itself, by which the measure was taken anew.
    return topic.partitioner.isForeign ? this.measure.of(message) : this.measure
  }

  /**
   * The short way for the one message of a call: it shares its batch's promise. `sizeOf` was asked for this message last.
   *
   * @returns undefined where something is wrong: the long way says what
   */
  placeAtOnce(
    topic: TopicLanes,
    message: Message,
    bytes: number,
    deliveryClass: DeliveryClass,
    generation: Generation,
  ): Promise<RecordMetadata[]> | undefined {
    const view = topic.view!
    let partition: number
    try {
      partition = topic.partitioner.choose(view, message, bytes)
    } catch {
      return undefined
    }
    if (!isPartitionOf(view, partition)) return undefined
    const measure = this.measured(topic, message)
    const { pool } = this.host
    const lane = topic.laneOf(partition, this.host)
    const limits = lane.limitsOf(deliveryClass)
    const timestamp = timestampOf(message)
    let batch = lane.openBatch(deliveryClass, generation, undefined)
    if (!batch.append(message, measure, timestamp, bytes, batch.promised, limits, pool)) {
      lane.close(batch)
      batch = lane.openBatch(deliveryClass, generation, undefined)
      batch.append(message, measure, timestamp, bytes, batch.promised, limits, pool)
    }
    if (batch.generations[0] !== generation) batch.join(generation)
    return batch.promised.add()
  }
}

const isPartitionOf = (view: TopicView, partition: number): boolean =>
  partition >= 0 && partition < view.partitions.length && Number.isInteger(partition)

/** kafkajs takes the time of the call where the timestamp is not given or empty. ms since the epoch */
const timestampOf = (message: Message): number => (message.timestamp ? Number(message.timestamp) : Date.now())
