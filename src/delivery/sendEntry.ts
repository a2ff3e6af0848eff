import type { Message } from 'kafkajs'
import type { DeliveryClass } from './batch.js'
import type { Call } from './call.js'
import { Expiring } from './deadlines.js'
import type { Generation } from './generations.js'
import type { Place } from './line.js'
import type { TopicLanes } from './topicLanes.js'

/**
 * One topic's messages of one call while some of them are in no batch: they wait for buffer space, or are admitted and
 * wait for the topic. Messages go strictly in order: [0, placed) are in batches, [placed, admitted) are parked.
 */
export class SendEntry extends Expiring {
  readonly topic: TopicLanes
  readonly messages: readonly Message[]
  readonly call: Call
  readonly deliveryClass: DeliveryClass
  readonly generation: Generation
  /** When the call was made. ms on the clock of `performance.now()` */
  readonly startedAt: number
  placed = 0
  admitted = 0
  /** What the buffer counts for each parked message, from `placed` on. bytes */
  readonly charges: number[] = []
  /** Its place among its topic's parked entries, if it has one. */
  parkedAt: Place<SendEntry> | undefined
  /** Its place among those that wait for space, if it does: in its topic's `waitingIn`. */
  waitsAt: Place<SendEntry> | undefined
  private readonly onExpire: (entry: SendEntry) => void

  constructor(
    topic: TopicLanes,
    messages: readonly Message[],
    call: Call,
    deliveryClass: DeliveryClass,
    generation: Generation,
    startedAt: number,
    onExpire: (entry: SendEntry) => void,
  ) {
    super()
    this.topic = topic
    // The caller may change its array and its messages meanwhile; the bytes of keys and values are still shared.
    this.messages = messages.map(({ headers, ...message }) =>
      headers ? { ...message, headers: { ...headers } } : message,
    )
    this.call = call
    this.deliveryClass = deliveryClass
    this.generation = generation
    this.startedAt = startedAt
    this.onExpire = onExpire
    generation.add()
  }

  override expire(): void {
    this.onExpire(this)
  }
}
