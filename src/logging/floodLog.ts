import type { Logger } from 'kafkajs'
import { type Clock, systemClock } from './clock.js'

/** Failures are gathered for this long before their first line, so that those of one moment share it. ms */
export const FIRST_LINE_AFTER_MS = 250
/** The least time between two lines for one cause. ms */
export const NEXT_LINE_AFTER_MS = 5_000
/** More causes than a producer's errors have; further ones share the last line. */
const MOST_CAUSES = 50

export interface FloodLine {
  /** For one occurrence. */
  readonly one: string
  /** For several; `count` stands before it. */
  readonly many: string
  /** Of the first occurrence. */
  readonly details: Readonly<Record<string, unknown>>
}

interface Cause {
  /** Occurrences since the last line. */
  count: number
  line: FloodLine | undefined
  startedAt: number
  /** When the next line may be written. ms */
  dueAt: number
}

/** Keeps the process alive until the line is written. */
const lastingClock: Clock = {
  now: systemClock.now,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/**
 * ERROR lines for what may happen hundreds of thousands of times at once: one line per cause, with a count; while it goes
 * on, one more every 5 s. There is no timer while nothing has failed lately.
 */
export class FloodLog {
  private readonly logger: Logger
  private readonly clock: Clock
  private readonly causes = new Map<string, Cause>()
  private stopTimer: (() => void) | undefined
  private timerAt = Number.POSITIVE_INFINITY

  constructor(logger: Logger, clock: Clock = lastingClock) {
    this.logger = logger
    this.clock = clock
  }

  /**
   * @param cause what shares a line, from a small set
   * @param line made for the first occurrence of each line only
   * @param count how many occurrences
   */
  report(cause: string, line: () => FloodLine, count = 1): void {
    const key = this.causes.has(cause) || this.causes.size < MOST_CAUSES ? cause : 'others'
    const known = this.causes.get(key)
    if (known !== undefined && known.count > 0) {
      known.count += count
      return
    }
    const now = this.clock.now()
    const dueAt = known?.dueAt ?? now + FIRST_LINE_AFTER_MS
    this.causes.set(key, { count, line: line(), startedAt: now, dueAt })
    if (dueAt < this.timerAt) this.arm(dueAt)
  }

  /** Writes what is gathered, now: nothing may follow. */
  flush(): void {
    this.disarm()
    const gathered = [...this.causes.values()]
    this.causes.clear()
    for (const cause of gathered) this.write(cause)
  }

  private arm(dueAt: number): void {
    this.disarm()
    this.timerAt = dueAt
    this.stopTimer = this.clock.after(dueAt - this.clock.now(), () => {
      this.disarm()
      this.tellDue()
    })
  }

  private disarm(): void {
    this.stopTimer?.()
    this.stopTimer = undefined
    this.timerAt = Number.POSITIVE_INFINITY
  }

  private tellDue(): void {
    const now = this.clock.now()
    let nextDue = Number.POSITIVE_INFINITY
    for (const [key, cause] of this.causes) {
      if (cause.dueAt <= now) {
        // Nothing since its last line: the next occurrence is a first one.
        if (cause.count === 0) {
          this.causes.delete(key)
          continue
        }
        this.write(cause)
        cause.dueAt = now + NEXT_LINE_AFTER_MS
      }
      nextDue = Math.min(nextDue, cause.dueAt)
    }
    if (nextDue < this.timerAt) this.arm(nextDue)
  }

  private write(cause: Cause): void {
    const { count, line, startedAt } = cause
    if (line === undefined || count === 0) return
    cause.count = 0
    cause.line = undefined
    if (count === 1) return this.logger.error(line.one, line.details)
    this.logger.error(`${count} ${line.many}`, {
      ...line.details,
      count,
      withinMs: Math.round(this.clock.now() - startedAt),
    })
  }
}
