import type { Batch } from '../batch/batch.js'
import { CompressionRatio } from '../compression/ratio.js'

export interface BatchLimits {
  readonly bytes: number
  readonly records: number
}

/** So many full batches in a row have to be taken before the next are twice as large. */
const FULL_BATCHES_TO_GROW = 4
/** And so many before a size is tried again that the broker has refused; twice as many after each time that it was refused again. */
const FULL_BATCHES_TO_RETRY = 32
const MOST_TO_RETRY = 4096
/** A batch that holds this part of its limit counts as full. */
const FULL = 0.5
/** A batch divided by its records has halves of different sizes. */
const NEARLY = 0.75

/** What is asked of a batch. */
type SizedBatch = Pick<Batch, 'bodyBytes' | 'state'>

/**
 * How large the batches of one partition become, where that is not simply the producer's limit: after the broker has refused one as
 * too large, and where records are compressed. A limit that was lowered for a moment (`max.message.bytes`) must not make batches
 * small for ever, nor one that stays cost more than a refused request now and then: one batch alone tries a size that was refused.
 */
export class BatchSizing {
  private readonly ceiling: BatchLimits
  private uncompressed: BatchLimits
  private compressed: BatchLimits
  private ratio = CompressionRatio.unknown
  /** Full batches that were taken since the limit changed. */
  private taken = 0
  /** The smallest size that was refused and has not been taken since. bytes */
  private refusedBytes = Infinity
  private toRetry = FULL_BATCHES_TO_RETRY
  /** The batch that tries twice the limit, and its limits. */
  private trial: SizedBatch | undefined
  private trialLimits: BatchLimits | undefined

  constructor(ceiling: BatchLimits) {
    this.ceiling = ceiling
    this.uncompressed = ceiling
    this.compressed = ceiling
  }

  limits(batch: SizedBatch, isCompressed: boolean): BatchLimits {
    if (batch === this.trial) return this.trialLimits!
    return isCompressed ? this.compressed : this.uncompressed
  }

  /** A batch has been opened. */
  opened(batch: SizedBatch): void {
    const { bytes, records } = this.uncompressed
    if (!this.isAtRefusedSize || this.taken < this.toRetry) return
    if (this.trial !== undefined && this.trial.state !== 'ended') return
    this.taken = 0
    this.trial = batch
    this.trialLimits = { bytes: Math.min(this.ceiling.bytes, bytes * 2), records }
  }

  /** A batch was compressed: the next one gathers what should fill the limit on the wire. */
  noteCompression(uncompressedBytes: number, compressedBytes: number): void {
    this.ratio = this.ratio.after(uncompressedBytes, compressedBytes)
    this.gather()
  }

  /** The broker refused this batch as too large: from here on they are smaller. */
  refused(batch: SizedBatch): void {
    if (batch === this.trial) {
      this.toRetry = Math.min(MOST_TO_RETRY, this.toRetry * 2)
      this.trial = undefined
      return
    }
    const { bodyBytes } = batch
    this.refusedBytes = Math.min(this.refusedBytes, bodyBytes)
    this.ratio = CompressionRatio.unknown
    this.limitTo(Math.min(this.uncompressed.bytes, Math.max(1, Math.floor(bodyBytes / 2))))
  }

  /** The broker took this batch. */
  accepted(batch: SizedBatch): void {
    const { bytes } = this.uncompressed
    const { bodyBytes } = batch
    if (bytes >= this.ceiling.bytes || bodyBytes < bytes * FULL) return
    if (bodyBytes >= this.refusedBytes * NEARLY) {
      this.refusedBytes = Infinity
      this.toRetry = FULL_BATCHES_TO_RETRY
    }
    this.taken++
    const isTried = batch === this.trial
    if (isTried) this.trial = undefined
    if (isTried ? bodyBytes > bytes : !this.isAtRefusedSize && this.taken >= FULL_BATCHES_TO_GROW)
      this.limitTo(Math.min(this.ceiling.bytes, bytes * 2))
  }

  /** Twice the limit is about what was refused once, or more. */
  private get isAtRefusedSize(): boolean {
    return this.uncompressed.bytes * 2 > this.refusedBytes * NEARLY
  }

  private limitTo(bytes: number): void {
    this.taken = 0
    this.uncompressed = { bytes, records: this.ceiling.records }
    this.gather()
  }

  private gather(): void {
    const { bytes, records } = this.uncompressed
    this.compressed = { bytes: this.ratio.bytesToGather(bytes), records }
  }
}
