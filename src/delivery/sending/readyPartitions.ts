import type { Batch, DeliveryClass } from '../batch/batch.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { InFlightBatch } from './inFlightRequest.js'

export interface ReadyPartitionsSettings {
  readonly lingerMs: number
}

/** What bounds one request. */
export interface RequestBounds {
  /** How many requests to the broker are under way. */
  readonly inFlight: number
  /** How many partitions it may carry: the others gather records meanwhile. */
  readonly mostPartitions: number
  /** It does not grow beyond this by a further batch. bytes */
  readonly targetBytes: number
  /** The highest Produce version that the broker speaks. */
  readonly version: number
}

/** What one request takes. */
export interface RequestLoad {
  readonly inFlightBatches: readonly InFlightBatch[]
  /** Compressed by a codec that the broker does not know. */
  readonly unreadable: readonly { readonly queue: PartitionQueue; readonly batch: Batch }[]
  /** When a queue that holds back has something to send: Infinity where none does. ms on the clock of `performance.now()` */
  readonly nextDue: number
}

/**
 * While this many requests are in flight, only full batches join them and the rest gathers. Two, so that the broker
 * has one to work on while the answer of the other is on its way: with one, client and broker took turns.
 */
const GATHER_FROM = 2

/** Zstandard came with this version of Produce, in Kafka 2.1 (KIP-110). */
const ZSTD_FROM = 7
const ZSTD = 4

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
   */
  collect(now: number, { inFlight, mostPartitions, targetBytes, version }: RequestBounds): RequestLoad {
    const { lingerMs } = this.settings
    const fill = lingerMs > 0 || inFlight >= GATHER_FROM ? 'full' : 'any'
    const openedBefore = lingerMs > 0 ? now - lingerMs : -1
    const inFlightBatches: InFlightBatch[] = []
    const unreadable: { queue: PartitionQueue; batch: Batch }[] = []
    // Queues that found no place in this request come first in the next, or busy ones could keep them out for ever.
    const skipped: PartitionQueue[] = []
    const remaining: PartitionQueue[] = []
    let deliveryClass: DeliveryClass | undefined
    let bytes = 0
    let nextDue = Infinity
    const { queues: queued } = this
    let i = 0
    for (; i < queued.length && inFlightBatches.length < mostPartitions; i++) {
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
      if (version < ZSTD_FROM && offer.deliveryClass.compressor?.attributes === ZSTD) {
        unreadable.push({ queue, batch: offer })
        remaining.push(queue)
        continue
      }
      if (
        deliveryClass !== undefined &&
        (offer.deliveryClass.acks !== deliveryClass.acks ||
          offer.deliveryClass.ackTimeoutMs !== deliveryClass.ackTimeoutMs ||
          bytes + offer.wireBytes + BATCH_FRAME_BYTES > targetBytes)
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
    return { inFlightBatches, unreadable, nextDue }
  }
}
