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
 * Lets `flush` wait for what was accepted before it, and for that alone, however much is sent meanwhile: batches and waiting
 * records belong to the flush barrier in which they came.
 */
export class FlushBarriers {
  private former: Promise<unknown> = Promise.resolve()
  current = new FlushBarrier()

  /** Ends the current flush barrier; resolves when it and all before it have ended. */
  async seal(): Promise<void> {
    const { current } = this
    current.isSealed = true
    this.current = new FlushBarrier()
    this.former = Promise.all([this.former, current.whenEmpty()])
    await this.former
  }
}
