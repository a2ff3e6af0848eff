/** The one source of every random choice of a cluster, so that a seed repeats a run (mulberry32). */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** At least 0, below `limit`. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** 32 hexadecimal digits, as topic ids are written here. */
  uuid(): string {
    let digits = ''
    for (let i = 0; i < 32; i++) digits += this.below(16).toString(16)
    return digits
  }
}
