/** What a process holds at a quiet moment. */
export interface MemorySample {
  /** ms since 1970 */
  readonly at: number
  /** Alive on the heap and outside of it, without the recorder's own columns; after a collection where one can be asked for. bytes */
  readonly heldBytes: number
  readonly residentBytes: number
  readonly inFlight: number
}

const EVERY_MS = 5_000

/** Samples the process's memory from time to time. */
export class MemoryWatch {
  readonly samples: MemorySample[] = []
  private readonly ownBytes: () => number
  private readonly inFlight: () => number
  private timer: NodeJS.Timeout | undefined

  constructor(ownBytes: () => number, inFlight: () => number) {
    this.ownBytes = ownBytes
    this.inFlight = inFlight
  }

  start(): void {
    this.timer = setInterval(() => this.sample(), EVERY_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    this.sample()
  }

  private sample(): void {
    globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    this.samples.push({
      at: Date.now(),
      heldBytes: heapUsed + external - this.ownBytes(),
      residentBytes: rss,
      inFlight: this.inFlight(),
    })
  }
}
