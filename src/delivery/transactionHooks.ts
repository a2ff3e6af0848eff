import type { PartitionQueue } from './partitions/partitionQueue.js'

/** What the engine of a transactional producer needs of the transaction that its records are parts of. */
export interface TransactionHooks {
  /** Adds the partition to the transaction. @returns false while it is being added; the queue's sender is woken then */
  ensureAdded(queue: PartitionQueue): boolean
  /** What its coordinator is asked in vain. */
  readonly problem: Error | undefined
  /** Records of a batch have failed. */
  failed(error: Error): void
}
