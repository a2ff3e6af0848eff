import type { Batch } from '../batch/batch.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import { QueueList } from '../partitions/queueList.js'
import type { InFlightBatch } from '../requests/inFlightRequest.js'

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

/** So many queues whose batch does not fit into a request are passed over: it must not be searched through thousands. */
const MOST_SKIPPED = 64

/**
 * The queues of one broker that may have something to send. Those that hold back wait apart, so that a request costs what it carries and not
 * what waits: without a moment of their own until fewer requests are in flight, or until their moment, all of one millisecond together.
 */
export class ReadyPartitions {
  private readonly settings: ReadyPartitionsSettings
  private readonly ready = new QueueList()
  private readonly gathering = new QueueList()
  private readonly due = new Map<number, QueueList>()
  /** The earliest of those moments. */
  private firstDue = Infinity

  constructor(settings: ReadyPartitionsSettings) {
    this.settings = settings
  }

  get isEmpty(): boolean {
    if (!this.ready.isEmpty || !this.gathering.isEmpty) return false
    for (const list of this.due.values()) if (!list.isEmpty) return false
    return true
  }

  /** Those that wait at this moment. */
  get all(): readonly PartitionQueue[] {
    return [this.ready, this.gathering, ...this.due.values()].flatMap(list => [...list])
  }

  add(queue: PartitionQueue): void {
    this.ready.add(queue)
  }

  remove(queue: PartitionQueue): void {
    queue.waitsIn?.remove(queue)
  }

  /** Those without batches leave. */
  prune(): void {
    for (const queue of this.all) if (queue.batches.length === 0) this.remove(queue)
  }

  /**
   * Takes what one request can carry. Queues that have nothing to send now leave until they are woken.
   */
  collect(now: number, { inFlight, mostPartitions, targetBytes, version }: RequestBounds): RequestLoad {
    const { lingerMs } = this.settings
    const fill = lingerMs > 0 || inFlight >= GATHER_FROM ? 'full' : 'any'
    const openedBefore = lingerMs > 0 ? now - lingerMs : -1
    this.releaseDue(now)
    const inFlightBatches: InFlightBatch[] = []
    const unreadable: { queue: PartitionQueue; batch: Batch }[] = []
    const taken: PartitionQueue[] = []
    let deliveryClass: DeliveryClass | undefined
    let bytes = 0
    let skipped = 0
    /** @returns whether the request may take more */
    const visit = (queue: PartitionQueue): boolean => {
      const next = queue.prepareNext(now, fill, openedBefore)
      if (next === 'nothing') {
        this.remove(queue)
        return true
      }
      if (next === 'gathering' || next === 'backingOff') {
        this.holdBack(queue, queue.dueAt(lingerMs))
        return true
      }
      if (version < ZSTD_FROM && next.deliveryClass.compressor?.attributes === ZSTD) {
        unreadable.push({ queue, batch: next })
        return true
      }
      if (
        deliveryClass !== undefined &&
        (next.deliveryClass.acks !== deliveryClass.acks ||
          next.deliveryClass.ackTimeoutMs !== deliveryClass.ackTimeoutMs ||
          bytes + next.wireBytes + BATCH_FRAME_BYTES > targetBytes)
      ) {
        // It stays where it is, and comes first in the next: busy ones could keep it out for ever.
        return ++skipped < MOST_SKIPPED
      }
      deliveryClass = next.deliveryClass
      bytes += next.wireBytes + BATCH_FRAME_BYTES
      queue.take(next)
      inFlightBatches.push({
        topic: queue.topic,
        topicBytes: queue.topicBytes,
        topicId: queue.topicId,
        partition: queue.partition,
        queue,
        batch: next,
        answer: undefined,
      })
      this.remove(queue)
      taken.push(queue)
      return inFlightBatches.length < mostPartitions
    }
    // Those that gather have waited longest: what was taken just now comes behind them.
    const goesOn = fill === 'full' || this.gathering.every(visit)
    if (goesOn) this.ready.every(visit)
    for (const queue of taken) this.ready.add(queue)
    return { inFlightBatches, unreadable, nextDue: this.firstDue }
  }

  private holdBack(queue: PartitionQueue, dueAt: number): void {
    if (dueAt === Infinity) return this.gathering.add(queue)
    const moment = Math.ceil(dueAt)
    let list = this.due.get(moment)
    if (list === undefined) {
      list = new QueueList()
      this.due.set(moment, list)
      this.firstDue = Math.min(this.firstDue, moment)
    }
    list.add(queue)
  }

  private releaseDue(now: number): void {
    if (this.firstDue > now) return
    this.firstDue = Infinity
    for (const [moment, list] of this.due) {
      if (moment > now && !list.isEmpty) {
        this.firstDue = Math.min(this.firstDue, moment)
        continue
      }
      this.due.delete(moment)
      for (const queue of list) this.ready.add(queue)
    }
  }
}
