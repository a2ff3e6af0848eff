import type { DeliveryClass } from '../batch/batch.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { InFlightBatch } from './inFlightRequest.js'

export interface ReadyPartitionsSettings {
  readonly lingerMs: number
  /** No request grows beyond this by a further batch. bytes */
  readonly requestTargetBytes: number
}

/** What one request takes. */
export interface RequestLoad {
  readonly inFlightBatches: readonly InFlightBatch[]
  /** When a queue that holds back has something to send: Infinity where none does. ms on the clock of `performance.now()` */
  readonly nextDue: number
}

/**
 * While this many requests are in flight, only full batches join them and the rest gathers. Two, so that the broker
 * has one to work on while the answer of the other is on its way: with one, client and broker took turns.
 */
const GATHER_FROM = 2

/** What stands around the records of a batch: its header, its place, a share of the topic's name. bytes */
const BATCH_FRAME_BYTES = 100

/** The queues of one broker that may have something to send. */
export class ReadyPartitions {
  private readonly settings: ReadyPartitionsSettings
  private queues: PartitionQueue[] = []

  constructor(settings: ReadyPartitionsSettings) {
    this.settings = settings
  }

  get isEmpty(): boolean {
    return this.queues.length === 0
  }

  /** Those that wait at this moment. */
  get all(): readonly PartitionQueue[] {
    return [...this.queues]
  }

  add(queue: PartitionQueue): void {
    if (queue.isQueued) return
    queue.isQueued = true
    this.queues.push(queue)
  }

  remove(queue: PartitionQueue): void {
    if (!queue.isQueued) return
    queue.isQueued = false
    this.queues = this.queues.filter(each => each !== queue)
  }

  /** Those without batches leave. */
  prune(): void {
    this.queues = this.queues.filter(queue => (queue.isQueued = queue.batches.length > 0))
  }

  /**
   * Takes what one request can carry. Queues that have nothing to send now leave the list until they are woken.
   *
   * @param most how many partitions it may carry: the others gather records meanwhile
   */
  collect(now: number, inFlight: number, most: number): RequestLoad {
    const { lingerMs, requestTargetBytes } = this.settings
    const fill = lingerMs > 0 || inFlight >= GATHER_FROM ? 'full' : 'any'
    const openedBefore = lingerMs > 0 ? now - lingerMs : -1
    const inFlightBatches: InFlightBatch[] = []
    // Queues that found no place in this request come first in the next, or busy ones could keep them out for ever.
    const skipped: PartitionQueue[] = []
    const remaining: PartitionQueue[] = []
    let deliveryClass: DeliveryClass | undefined
    let bytes = 0
    let nextDue = Infinity
    const { queues: queued } = this
    let i = 0
    for (; i < queued.length && inFlightBatches.length < most; i++) {
      const queue = queued[i]!
      const offer = queue.offer(now, fill, openedBefore)
      if (offer === 'nothing') {
        queue.isQueued = false
        continue
      }
      if (offer === 'gathering' || offer === 'backingOff') {
        remaining.push(queue)
        nextDue = Math.min(nextDue, queue.dueAt(lingerMs))
        continue
      }
      if (
        deliveryClass !== undefined &&
        (offer.deliveryClass.acks !== deliveryClass.acks ||
          offer.deliveryClass.ackTimeoutMs !== deliveryClass.ackTimeoutMs ||
          bytes + offer.wireBytes + BATCH_FRAME_BYTES > requestTargetBytes)
      ) {
        skipped.push(queue)
        continue
      }
      deliveryClass = offer.deliveryClass
      bytes += offer.wireBytes + BATCH_FRAME_BYTES
      queue.take(offer)
      inFlightBatches.push({
        topic: queue.topic,
        topicBytes: queue.topicBytes,
        topicId: queue.topicId,
        partition: queue.partition,
        queue,
        batch: offer,
        answer: undefined,
      })
      remaining.push(queue)
    }
    this.queues = skipped.concat(queued.slice(i), remaining)
    return { inFlightBatches, nextDue }
  }
}
