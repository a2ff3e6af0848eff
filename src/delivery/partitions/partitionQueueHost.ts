import type { ProducerObserver } from '../../metrics/observer.js'
import type { Batch } from '../batch/batch.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { ProducerIdentity } from '../batch/producerIdentity.js'
import type { BufferBudget } from '../buffer/bufferBudget.js'
import type { BufferPool } from '../buffer/bufferPool.js'
import type { ShareGroup } from '../buffer/shares.js'
import type { BatchLimits } from './batchSizing.js'
import type { BusyQueues } from './busyQueues.js'
import type { PartitionQueue } from './partitionQueue.js'

/** Who sends the batches of a queue. */
export interface PartitionSender {
  readonly nodeId: number
  readonly isConnected: boolean
  /** How many requests the broker has not answered yet. */
  readonly inFlight: number
  /** 0 while the broker answers as soon as the others; grows by one at each look that finds it late. */
  readonly lateness: number
  /** The broker's latency as a multiple of the one from which on it is late. */
  readonly slowness: number
  /** Its records wait for the broker, which the sender tells of. */
  readonly isWaiting: boolean
  /** Why its records wait, as far as it is known. */
  readonly cause: Error | undefined
  /** What its partitions hold of the buffer. */
  readonly share: ShareGroup
  /** The queue may have something to send. */
  wake(queue: PartitionQueue): void
  /** Connects again where the broker was out of reach and no record waits for it, so that it is found when it is back. */
  probe(): void
}

/** What a queue needs of the engine. */
export interface PartitionQueueHost {
  readonly batchLimits: BatchLimits
  readonly pool: BufferPool
  readonly budget: BufferBudget
  readonly busy: BusyQueues
  /** The identity under which a queue begins to number. Undefined: it is being asked for, and the queue's sender is woken then. */
  obtainIdentity(): ProducerIdentity | undefined
  /** The epochs of the current id are used up; with transactions, a partition cannot go on with the current epoch. */
  renewIdentity(spent: ProducerIdentity): void
  /** Adds the partition to the transaction. @returns false while it is being added; its sender is woken then */
  ensureInTransaction(queue: PartitionQueue): boolean
  newBatch(
    queue: PartitionQueue,
    deliveryClass: DeliveryClass,
    flushBarrier: FlushBarrier,
    startedAt: number,
  ): Batch
  /** Rejects a batch whose earlier attempts may have been written and whose sequence the broker has lost. */
  rejectSequenceLost(queue: PartitionQueue, batch: Batch): void
  compress(queue: PartitionQueue, batch: Batch): void
  /** Takes its withdrawn records out of a batch that is in no request. */
  dropWithdrawn(queue: PartitionQueue, batch: Batch): void
  readonly observer: Pick<ProducerObserver, 'epochBumped'>
}

/** The stay of a topic's keyless records on one partition. */
export interface KeylessStay {
  /** They go to another partition, if they go to this one now. */
  leave(queue: PartitionQueue): void
}
