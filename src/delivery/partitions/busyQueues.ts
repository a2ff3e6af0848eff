import type { PartitionQueue } from './partitionQueue.js'

/** The queues that have batches: a linked list through the queues, since with many topics each record joins and leaves it. */
export class BusyQueues {
  /** How many batches are in a request. */
  inFlight = 0
  private first: PartitionQueue | undefined

  add(queue: PartitionQueue): void {
    if (queue.isBusy) return
    queue.isBusy = true
    queue.busyBehind = this.first
    if (this.first !== undefined) this.first.busyBefore = queue
    this.first = queue
  }

  remove(queue: PartitionQueue): void {
    if (!queue.isBusy) return
    queue.isBusy = false
    if (queue.busyBefore === undefined) this.first = queue.busyBehind
    else queue.busyBefore.busyBehind = queue.busyBehind
    if (queue.busyBehind !== undefined) queue.busyBehind.busyBefore = queue.busyBefore
    queue.busyBefore = undefined
    queue.busyBehind = undefined
  }

  /** Those of this moment. */
  get all(): readonly PartitionQueue[] {
    const all: PartitionQueue[] = []
    for (let queue = this.first; queue !== undefined; queue = queue.busyBehind) all.push(queue)
    return all
  }
}
