import type { DeliveryClass } from './batch.js'
import type { Passenger } from './flight.js'
import type { Lane } from './lane.js'

export interface LaneQueueSettings {
  readonly lingerMs: number
  /** No request grows beyond this by a further batch. bytes */
  readonly requestTargetBytes: number
}

/** What one request takes. */
export interface Load {
  readonly passengers: readonly Passenger[]
  /** When a lane that holds back has something to send: Infinity where none does. ms on the clock of `performance.now()` */
  readonly nextDue: number
}

/**
 * While this many requests are in flight, only full batches join them and the rest gathers. Two, so that the broker
 * has one to work on while the answer of the other is on its way: with one, client and broker took turns.
 */
const GATHER_FROM = 2

/** What stands around the records of a batch: its header, its place, a share of the topic's name. bytes */
const BATCH_FRAME_BYTES = 100

/** The lanes of one broker that may have something to send. */
export class LaneQueue {
  private readonly settings: LaneQueueSettings
  private lanes: Lane[] = []

  constructor(settings: LaneQueueSettings) {
    this.settings = settings
  }

  get isEmpty(): boolean {
    return this.lanes.length === 0
  }

  /** Those that wait at this moment. */
  get all(): readonly Lane[] {
    return [...this.lanes]
  }

  add(lane: Lane): void {
    if (lane.isQueued) return
    lane.isQueued = true
    this.lanes.push(lane)
  }

  remove(lane: Lane): void {
    if (!lane.isQueued) return
    lane.isQueued = false
    this.lanes = this.lanes.filter(each => each !== lane)
  }

  /**
   * Takes what one request can carry. Lanes that have nothing to send now leave the list until they are woken.
   *
   * @param most how many partitions it may carry: the others gather records meanwhile
   */
  collect(now: number, inFlight: number, most: number): Load {
    const { lingerMs, requestTargetBytes } = this.settings
    const fill = lingerMs > 0 || inFlight >= GATHER_FROM ? 'full' : 'any'
    const openedBefore = lingerMs > 0 ? now - lingerMs : -1
    const passengers: Passenger[] = []
    // Lanes that found no place in this request come first in the next, or busy ones could keep them out for ever.
    const skipped: Lane[] = []
    const remaining: Lane[] = []
    let deliveryClass: DeliveryClass | undefined
    let bytes = 0
    let nextDue = Infinity
    const { lanes: queued } = this
    let i = 0
    for (; i < queued.length && passengers.length < most; i++) {
      const lane = queued[i]!
      const offer = lane.offer(now, fill, openedBefore)
      if (offer === 'nothing') {
        lane.isQueued = false
        continue
      }
      if (offer === 'gathering' || offer === 'backingOff') {
        remaining.push(lane)
        nextDue = Math.min(nextDue, lane.dueAt(lingerMs))
        continue
      }
      if (
        deliveryClass !== undefined &&
        (offer.deliveryClass.acks !== deliveryClass.acks ||
          offer.deliveryClass.ackTimeoutMs !== deliveryClass.ackTimeoutMs ||
          bytes + offer.wireBytes + BATCH_FRAME_BYTES > requestTargetBytes)
      ) {
        skipped.push(lane)
        continue
      }
      deliveryClass = offer.deliveryClass
      bytes += offer.wireBytes + BATCH_FRAME_BYTES
      lane.take(offer)
      passengers.push({
        topic: lane.topic,
        topicBytes: lane.topicBytes,
        topicId: lane.topicId,
        partition: lane.partition,
        lane,
        batch: offer,
        answer: undefined,
      })
      remaining.push(lane)
    }
    this.lanes = skipped.concat(queued.slice(i), remaining)
    return { passengers, nextDue }
  }
}
