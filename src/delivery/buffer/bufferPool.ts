const SMALLEST_SHIFT = 9

/**
 * Buffers for batch bodies in sizes of powers of two, so that an open partition costs what its records need and a busy
 * one allocates nothing. What it keeps for reuse is bounded.
 */
export class BufferPool {
  private readonly free: Buffer[][] = []
  private keptBytes = 0
  private readonly keepBytes: number

  /** @param keepBytes the most that is kept for reuse. bytes */
  constructor(keepBytes: number) {
    this.keepBytes = keepBytes
  }

  /** Gives back half of what is kept: called now and then while less is needed. */
  shrink(): void {
    for (const list of this.free) {
      if (list === undefined) continue
      for (const buffer of list.splice(0, Math.ceil(list.length / 2))) this.keptBytes -= buffer.length
    }
  }

  /** A buffer of at least `bytes`, its content undefined. */
  take(bytes: number): Buffer {
    const shift = bytes <= 1 << SMALLEST_SHIFT ? SMALLEST_SHIFT : 32 - Math.clz32(bytes - 1)
    const kept = this.free[shift]?.pop()
    if (kept === undefined) return Buffer.allocUnsafeSlow(2 ** shift)
    this.keptBytes -= kept.length
    return kept
  }

  /** The caller must not touch the buffer afterwards, nor may a socket still be writing it. */
  give(buffer: Buffer): void {
    if (this.keptBytes + buffer.length > this.keepBytes) return
    const shift = 31 - Math.clz32(buffer.length)
    // A view of a larger buffer would keep all of that, however short it is.
    if (buffer.length !== 2 ** shift || buffer.buffer.byteLength !== buffer.length) return
    this.keptBytes += buffer.length
    const list = this.free[shift]
    if (list === undefined) this.free[shift] = [buffer]
    else list.push(buffer)
  }
}
