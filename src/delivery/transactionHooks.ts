import type { Lane } from './lane.js'

/** What the engine of a transactional producer needs of the transaction that its records are parts of. */
export interface TransactionHooks {
  /** Whether the partition is a part of the transaction. If not it is being added, and the lane's sender is woken then. */
  joins(lane: Lane): boolean
  /** Records of a batch have failed. */
  failed(error: Error): void
}
