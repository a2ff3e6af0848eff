import type { Logger } from 'kafkajs'
import type { PartitionQueue } from '../../../delivery/partitions/partitionQueue.js'
import { messageOf } from '../../../errors/bases.js'
import { endTransaction, type TransactionEnd } from './endTransaction.js'
import { TransactionPartitions } from './transactionPartitions.js'

/** How long partitions may take to learn of an epoch: a topic that is gone never does. ms */
const MARKING_MS = 2000

/**
 * Lets the partitions know of the new epoch, by the marker of a transaction without records. A batch of the old one that comes
 * later is refused then; else, before Kafka 3.6, it would become a part of the next transaction.
 */
export const markEpoch = async (
  queues: readonly PartitionQueue[],
  end: TransactionEnd & { readonly closing: AbortSignal; readonly logger: Logger },
): Promise<void> => {
  const { transactionalId, coordinators, identity, closing, logger } = end
  const transactionPartitions = new TransactionPartitions({
    transactionalId,
    identity: () => identity.current!,
    coordinators,
    patience: { timeoutMs: MARKING_MS, bound: 'the time for it', signal: closing },
    unknown: () => {},
    refused: () => {},
    failed: error => logger.debug('The new epoch was not written to partitions', { error: messageOf(error) }),
  })
  await transactionPartitions.add(queues)
  if (transactionPartitions.isBegun) await endTransaction(end, 'abort')
}
