import { asError } from '../../util/realms.js'
import type { Batch } from '../batch/batch.js'
import type { PartitionQueue } from './partitionQueue.js'

/** Compresses closed batches, off the event loop where the codec works so. */
export class BatchCompression {
  private readonly onReady: (queue: PartitionQueue, batch: Batch) => void

  constructor(onReady: (queue: PartitionQueue, batch: Batch) => void) {
    this.onReady = onReady
  }

  start(queue: PartitionQueue, batch: Batch, onFailed: (error: Error) => void): void {
    const { compressor } = batch.deliveryClass
    if (compressor === undefined) return
    batch.compressing = true
    const { body } = batch
    /** Records were withdrawn from the batch meanwhile: it is compressed again. */
    const isOutdated = (): boolean => batch.body !== body
    try {
      const result = compressor.compress(body.subarray(0, batch.bodyBytes))
      if (Buffer.isBuffer(result)) {
        this.done(queue, batch, result)
        return
      }
      // The codec reads the body until it is done: the buffer must not be reused before.
      batch.pendingWrites++
      result.then(
        compressed => {
          batch.pendingWrites--
          if (!isOutdated()) this.done(queue, batch, compressed)
          this.onReady(queue, batch)
        },
        (error: unknown) => {
          batch.pendingWrites--
          if (isOutdated()) this.onReady(queue, batch)
          else onFailed(asError(error))
        },
      )
    } catch (error) {
      // The batch is not in a request, and its queue is being looked through: it ends on the next turn.
      queueMicrotask(() => onFailed(asError(error)))
    }
  }

  private done(queue: PartitionQueue, batch: Batch, compressed: Buffer): void {
    batch.compressed = compressed
    queue.noteCompression(batch.bodyBytes, compressed.length)
  }
}
