export interface WindowLimits {
  readonly records: number
  readonly bytes: number
}

const MAX_RECORDS = 50_000
const MAX_BYTES = 32 * 1024 * 1024

/**
 * What may be on its way at once, whatever the producer's buffer (`bufferBytes`) would take: that one counts encoded
 * bytes, and each record costs this process its origin and callback besides. Half the buffer at most, so that a long
 * line always finds a place in it.
 */
export function windowFor(bufferBytes: unknown): WindowLimits {
  const half = typeof bufferBytes === 'number' ? bufferBytes / 2 : MAX_BYTES
  return { records: MAX_RECORDS, bytes: Math.min(half, MAX_BYTES) }
}

/** Counts records on their way; once full, it is open again when half of them have ended. */
export class Window {
  private records = 0
  private bytes = 0
  private waiters: (() => void)[] = []

  constructor(private readonly limits: WindowLimits) {}

  get isFull(): boolean {
    return this.records >= this.limits.records || this.bytes >= this.limits.bytes
  }

  take(bytes: number): void {
    this.records++
    this.bytes += bytes
  }

  release(bytes: number): void {
    this.records--
    this.bytes -= bytes
    if (this.waiters.length > 0 && this.isHalfEmpty) for (const wake of this.waiters.splice(0)) wake()
  }

  halfEmpty(): Promise<void> {
    if (this.isHalfEmpty) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }

  private get isHalfEmpty(): boolean {
    return this.records <= this.limits.records / 2 && this.bytes <= this.limits.bytes / 2
  }
}
