import type { Batch } from '../batch/batch.js'
import type { PartitionQueue } from './partitionQueue.js'

/** A broker remembers the last five batches of a producer on a partition: more could not be told from new ones. */
const MAX_UNRESOLVED = 5

/** How much a batch must hold to be sent: while requests are in flight, records gather. */
export type FillMode = 'any' | 'full'

/** What a queue has for its sender: a batch, one that is not due yet, or nothing until the sender is woken for it. */
export type NextBatch = Batch | 'gathering' | 'backingOff' | 'nothing'

/** How many batches may be in flight with this one. */
const window = (queue: PartitionQueue, batch: Batch): number => {
  if (!batch.deliveryClass.sequenced || !queue.producerState.mayPipeline) return 1
  // Batches without a sequence travel alone, so that order holds around them.
  return queue.batches[0]!.deliveryClass.sequenced ? MAX_UNRESOLVED : 1
}

/**
 * Whether one of the first batches is in flight again. The broker remembers five batches: were a new one written
 * behind it each time that its answer is lost, it would be forgotten, and refused although it is in the log.
 */
const isResending = ({ batches }: PartitionQueue, count: number): boolean => {
  for (let i = 0; i < count; i++) if (batches[i]!.attempts > 1) return true
  return false
}

/**
 * The batch of a queue to send next, if any may be sent now. Changes nothing.
 *
 * @param openedBefore an open batch as old as this goes whatever it holds. ms on the clock of `performance.now()`
 */
export const peekBatch = (
  queue: PartitionQueue,
  now: number,
  fill: FillMode,
  openedBefore: number,
): NextBatch => {
  const { batches } = queue
  let at = 0
  while (at < batches.length && (batches[at]!.state === 'inFlight' || batches[at]!.isSetAside)) at++
  const batch = batches[at]
  if (batch === undefined || queue.inFlight >= window(queue, batch)) return 'nothing'
  // Nothing new goes past a batch that waits to be sent again: `at` stops there.
  if (batch.state === 'waiting' && batch.retryAt > now) return 'backingOff'
  if (batch.identity === undefined && isResending(queue, at)) return 'nothing'
  if (batch.state === 'open' && fill === 'full' && !batch.isDue && batch.createdAt > openedBefore) {
    return 'gathering'
  }
  return batch
}

/** Where the batch has no sequence yet: begins to number, and adds the partition to the transaction. @returns false while that is waited for */
const prepareSequence = (queue: PartitionQueue, batch: Batch): boolean => {
  if (!batch.deliveryClass.sequenced || batch.identity !== undefined) return true
  if (!queue.producerState.begin(queue.host.obtainIdentity())) return false
  return !batch.deliveryClass.transactional || queue.host.ensureInTransaction(queue)
}

/**
 * Makes a batch ready for a request: its withdrawn records are dropped, it is closed and compressed where its class has a codec, and its
 * partition can number it. {@link PartitionQueue.take} puts it in flight.
 *
 * @returns false while that is waited for; the sender is woken then
 */
export const prepareBatch = (queue: PartitionQueue, batch: Batch): boolean => {
  if (batch.withdrawnCount > 0 && batch.attempts === 0) queue.host.dropWithdrawn(queue, batch)
  if (batch.deliveryClass.compressor !== undefined && batch.compressed === undefined) {
    queue.close(batch)
    if (!batch.compressing) queue.host.compress(queue, batch)
    // A codec that works at once has filled it in.
    if (batch.compressed === undefined) return false
  }
  return prepareSequence(queue, batch)
}
