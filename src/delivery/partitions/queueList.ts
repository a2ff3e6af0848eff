import type { PartitionQueue } from './partitionQueue.js'

/** A place in a {@link QueueList}. */
export interface ListedQueue {
  /** @internal the list that the queue is in: at most one */
  waitsIn: QueueList | undefined
  /** @internal */
  queueBefore: PartitionQueue | undefined
  /** @internal */
  queueBehind: PartitionQueue | undefined
}

/**
 * Partition queues in the order in which they came, linked through themselves: of ten thousand that move to another broker together,
 * each leaves in constant time.
 */
export class QueueList {
  private first: PartitionQueue | undefined
  private last: PartitionQueue | undefined
  /** The next that `every` visits. */
  private cursor: PartitionQueue | undefined

  get isEmpty(): boolean {
    return this.first === undefined
  }

  /** Puts the queue last, and takes it out of the list that it was in, if that is another one. */
  add(queue: PartitionQueue): void {
    if (queue.waitsIn === this) return
    queue.waitsIn?.remove(queue)
    queue.waitsIn = this
    queue.queueBefore = this.last
    if (this.last === undefined) this.first = queue
    else this.last.queueBehind = queue
    this.last = queue
  }

  remove(queue: PartitionQueue): void {
    if (queue.waitsIn !== this) return
    const { queueBefore: before, queueBehind: behind } = queue
    if (queue === this.cursor) this.cursor = behind
    if (before === undefined) this.first = behind
    else before.queueBehind = behind
    if (behind === undefined) this.last = before
    else behind.queueBefore = before
    queue.waitsIn = undefined
    queue.queueBefore = undefined
    queue.queueBehind = undefined
  }

  /**
   * Visits the queues, which may leave meanwhile, until one answers false. Not to be nested.
   *
   * @returns whether all were visited
   */
  every(visit: (queue: PartitionQueue) => boolean): boolean {
    this.cursor = this.first
    while (this.cursor !== undefined) {
      const queue = this.cursor
      this.cursor = queue.queueBehind
      if (visit(queue)) continue
      this.cursor = undefined
      return false
    }
    return true
  }

  /** Those of this moment. */
  *[Symbol.iterator](): Generator<PartitionQueue, void> {
    const queues: PartitionQueue[] = []
    for (let queue = this.first; queue !== undefined; queue = queue.queueBehind) queues.push(queue)
    yield* queues
  }
}
