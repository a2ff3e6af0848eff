import type { Batch } from './batch.js'
import type { Lane } from './lane.js'

/** Compresses closed batches, off the event loop where the codec works so. */
export class Compression {
  private readonly onReady: (lane: Lane, batch: Batch) => void

  constructor(onReady: (lane: Lane, batch: Batch) => void) {
    this.onReady = onReady
  }

  start(lane: Lane, batch: Batch, onFailed: (error: Error) => void): void {
    const { compressor } = batch.deliveryClass
    if (compressor === undefined) return
    batch.compressing = true
    const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
    try {
      const result = compressor.compress(batch.body.subarray(0, batch.bodyBytes))
      if (Buffer.isBuffer(result)) {
        this.done(lane, batch, result)
        return
      }
      // The codec reads the body until it is done: the buffer must not be reused before.
      batch.pendingWrites++
      result.then(
        compressed => {
          batch.pendingWrites--
          this.done(lane, batch, compressed)
          this.onReady(lane, batch)
        },
        (error: unknown) => {
          batch.pendingWrites--
          onFailed(asError(error))
        },
      )
    } catch (error) {
      // The batch is not in a request, and its lane is being looked through: it ends on the next turn.
      queueMicrotask(() => onFailed(asError(error)))
    }
  }

  private done(lane: Lane, batch: Batch, compressed: Buffer): void {
    batch.compressed = compressed
    lane.noteCompression(batch.bodyBytes, compressed.length)
  }
}
