import type { PartitionQueue } from './partitions/partitionQueue.js'

/** What the engine of a transactional producer needs of the transaction that its records are parts of. */
export interface TransactionHooks {
  /** Whether the partition is a part of the transaction. If not it is being added, and the queue's sender is woken then. */
  joins(queue: PartitionQueue): boolean
  /** What its coordinator is asked in vain. */
  readonly problem: Error | undefined
  /** Records of a batch have failed. */
  failed(error: Error): void
}
