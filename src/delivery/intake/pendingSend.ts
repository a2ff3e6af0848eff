import type { Message } from 'kafkajs'
import type { DeliveryClass } from '../batch/batch.js'
import { Expiring } from '../batch/expiryList.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { SendCompletion } from '../calls/sendCompletion.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import type { QueueNode } from './linkedQueue.js'

/**
 * One topic's messages of one call while some of them are in no batch: they wait for buffer space, or are admitted and
 * wait for the topic. Messages go strictly in order: [0, placed) are in batches, [placed, admitted) are parked.
 */
export class PendingSend extends Expiring {
  readonly topic: TopicPartitions
  readonly messages: readonly Message[]
  readonly call: SendCompletion
  readonly deliveryClass: DeliveryClass
  readonly flushBarrier: FlushBarrier
  /** When the call was made. ms on the clock of `performance.now()` */
  readonly startedAt: number
  placed = 0
  admitted = 0
  /** What the buffer counts for each parked message, from `placed` on. bytes */
  readonly charges: number[] = []
  /** Its place among its topic's parked entries, if it has one. */
  parkedAt: QueueNode<PendingSend> | undefined
  /** Its place among those that wait for space, if it does: in its topic's `waitingIn`. */
  waitsAt: QueueNode<PendingSend> | undefined
  private readonly onExpire: (entry: PendingSend) => void

  constructor(
    topic: TopicPartitions,
    messages: readonly Message[],
    call: SendCompletion,
    deliveryClass: DeliveryClass,
    flushBarrier: FlushBarrier,
    startedAt: number,
    onExpire: (entry: PendingSend) => void,
  ) {
    super()
    this.topic = topic
    // They are the producer's own copies: see `takeMessage`. The bytes of keys and values are still shared with the caller.
    this.messages = messages
    this.call = call
    this.deliveryClass = deliveryClass
    this.flushBarrier = flushBarrier
    this.startedAt = startedAt
    this.onExpire = onExpire
    flushBarrier.add()
  }

  override expire(): void {
    this.onExpire(this)
  }
}
