import type { WaitRegistry } from '../../waits/registry.js'
import type { PartitionQueue } from './partitionQueue.js'

/** The one wait of a partition, in `PartitionQueue.wait`: for a leader, or for an attempt that succeeds. */
export class PartitionWaits {
  private readonly registry: WaitRegistry

  constructor(registry: WaitRegistry) {
    this.registry = registry
  }

  /** Why the partition's records wait, as far as that is the partition's own trouble. */
  causeOf({ wait }: PartitionQueue): Error | undefined {
    return wait && this.registry.causeOf(wait)
  }

  /** The partition has records and no leader. */
  leaderless(queue: PartitionQueue): void {
    if (queue.wait === undefined) this.begin(queue, 'leader', undefined)
    else this.registry.change(queue.wait, 'leader')
  }

  led(queue: PartitionQueue): void {
    if (queue.wait?.kind === 'leader') this.end(queue, 'over')
  }

  /** A batch was answered with an error, and is retried. */
  retried(queue: PartitionQueue, error: Error): void {
    if (queue.wait === undefined) this.begin(queue, 'retry', error)
    else this.registry.change(queue.wait, queue.wait.kind, error)
  }

  /** A batch was acknowledged. */
  delivered(queue: PartitionQueue): void {
    this.end(queue, 'over')
  }

  /** A batch ended otherwise. */
  left(queue: PartitionQueue): void {
    if (queue.batches.length === 0) this.end(queue, 'given-up')
  }

  private begin(queue: PartitionQueue, kind: 'leader' | 'retry', error: Error | undefined): void {
    const { topic, partition } = queue
    queue.wait = this.registry.begin(kind, { topic, partition }, { error, waiters: queue })
  }

  private end(queue: PartitionQueue, how: 'over' | 'given-up'): void {
    if (queue.wait === undefined) return
    this.registry.end(queue.wait, how)
    queue.wait = undefined
  }
}
