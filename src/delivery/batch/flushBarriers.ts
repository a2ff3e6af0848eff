/** What was accepted between two calls of `flush`. */
export class FlushBarrier {
  /** A flush waits for it: its records do not linger any more. */
  isSealed = false
  private unended = 0
  private waiters: (() => void)[] = []

  get isEmpty(): boolean {
    return this.unended === 0
  }

  add(): void {
    this.unended++
  }

  done(): void {
    this.unended--
    if (this.unended > 0) return
    const waiters = this.waiters
    this.waiters = []
    for (const resume of waiters) resume()
  }

  whenEmpty(): Promise<void> {
    if (this.unended === 0) return Promise.resolve()
    return new Promise(resolve => this.waiters.push(resolve))
  }
}

/**
 * Lets `flush` wait for what was accepted before it, and for that alone, however much is sent meanwhile: batches and
 * waiting calls belong to the flush barrier in which they came.
 */
export class FlushBarriers {
  private older: FlushBarrier[] = []
  current = new FlushBarrier()

  /** Ends the current flush barrier; resolves when it and all before it have ended. */
  async seal(): Promise<void> {
    this.older = this.older.filter(each => !each.isEmpty)
    this.older.push(this.current)
    this.current.isSealed = true
    this.current = new FlushBarrier()
    await Promise.all(this.older.map(each => each.whenEmpty()))
  }
}
