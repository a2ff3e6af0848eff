/** Gathering more than this would make one bad guess a batch far over the limit. */
const MOST = 8
/** The next batch may compress a little worse than the last ones. */
const MARGIN = 0.95
/** Down fast, up slowly: a batch that is too large is refused, one that is too small only costs a little. */
const WEIGHT_DOWN = 0.5
const WEIGHT_UP = 0.1

/**
 * How well the records of a topic or partition compress: an exponential moving average, as a value that never changes.
 * From it follows how many bytes to gather for a batch of a wished size on the wire.
 */
export class CompressionRatio {
  /** Nothing known: as if records did not compress. */
  static readonly unknown = new CompressionRatio(undefined)

  private readonly average: number | undefined

  private constructor(average: number | undefined) {
    this.average = average
  }

  /** Uncompressed bytes for each compressed byte; below 1 where compression makes records larger. */
  get value(): number {
    return this.average ?? 1
  }

  /** The estimate after one more batch. */
  after(uncompressedBytes: number, compressedBytes: number): CompressionRatio {
    if (!(uncompressedBytes > 0 && compressedBytes > 0)) return this
    const seen = uncompressedBytes / compressedBytes
    if (this.average === undefined) return new CompressionRatio(seen)
    const weight = seen < this.average ? WEIGHT_DOWN : WEIGHT_UP
    return new CompressionRatio(this.average + (seen - this.average) * weight)
  }

  /** How many uncompressed bytes to gather for `compressedBytes`: from once to eight times as many. */
  bytesToGather(compressedBytes: number): number {
    return Math.floor(compressedBytes * Math.min(MOST, Math.max(1, this.value * MARGIN)))
  }
}
