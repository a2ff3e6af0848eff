import type { Clock } from '../../src/logging/clock.js'

/** Time that stands still until it is moved. */
export class FakeClock implements Clock {
  private ms = 0
  private readonly timers = new Set<{ readonly at: number; readonly run: () => void }>()

  now(): number {
    return this.ms
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.ms + delayMs, run }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  get armed(): number {
    return this.timers.size
  }

  /** Runs what becomes due, in its order. */
  advance(ms: number): void {
    const until = this.ms + ms
    for (;;) {
      const [next] = [...this.timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      this.timers.delete(next)
      this.ms = Math.max(this.ms, next.at)
      next.run()
    }
    this.ms = until
  }
}
