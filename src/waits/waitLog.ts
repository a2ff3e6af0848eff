import type { Logger } from 'kafkajs'
import { describeEnd, describeWaits, type Ends, familyOf, kindOfFamily, noEnds } from './lines.js'
import type { WaitListener, WaitRegistry } from './registry.js'
import type { Wait, WaitEnd, WaitKind } from './wait.js'

/** A shorter wait is not worth a line. ms */
export const WARN_AFTER_MS = 5_000
/** Waits of this age are told with an older one: what begins together is told together. ms */
const TOLD_WITH_MS = 2_500
/** The least time between two warnings of one cause. ms */
export const WARN_AGAIN_AFTER_MS = 30_000

/** The waits of one cause, which share their lines. */
class Family {
  readonly key: string
  /** No line has told of these, in the order in which they began. */
  readonly untold = new Set<Wait>()
  /** A warning has named or counted these, and no line has told their end. */
  readonly told = new Set<Wait>()
  warnedAt = Number.NEGATIVE_INFINITY
  /** Of the told ones, those that have ended since the warning. */
  ends: Ends = noEnds()
  /** The beginning of the oldest told wait. ms */
  since = Number.POSITIVE_INFINITY
  /** The told wait that ended last. */
  last: Wait | undefined
  /** What the last warning named. */
  kind: WaitKind | undefined

  constructor(key: string) {
    this.key = key
  }

  /** When the next warning is due; Infinity: never. ms */
  get dueAt(): number {
    const [oldest] = this.untold
    if (oldest === undefined) return Number.POSITIVE_INFINITY
    return Math.max(oldest.since + WARN_AFTER_MS, this.warnedAt + WARN_AGAIN_AFTER_MS)
  }
}

/**
 * Writes one WARN per cause once a wait for it has lasted 5 s, whatever number of topics or brokers it concerns, and one
 * INFO when all of them are over. Later waits for the same cause get a further WARN, at most every 30 s. There is no timer
 * while no wait is untold.
 */
export class WaitLog implements WaitListener {
  private readonly registry: WaitRegistry
  private readonly logger: Logger
  private readonly families = new Map<string, Family>()
  private readonly familyOfWait = new Map<Wait, Family>()
  private untold = 0
  private stopTimer: (() => void) | undefined
  private timerAt = Number.POSITIVE_INFINITY

  constructor(registry: WaitRegistry, logger: Logger) {
    this.registry = registry
    this.logger = logger
    registry.listen(this)
  }

  began(wait: Wait): void {
    const key = familyOf(wait)
    const family = this.families.get(key) ?? new Family(key)
    this.families.set(key, family)
    family.untold.add(wait)
    this.familyOfWait.set(wait, family)
    this.untold++
    if (family.dueAt < this.timerAt) this.arm(family.dueAt)
  }

  changed(wait: Wait): void {
    const former = this.familyOfWait.get(wait)
    // A batch that is retried after one error and then another is one wait.
    if (former === undefined || kindOfFamily(former.key) === kindOfFamily(familyOf(wait))) return
    this.leave(wait, former, 'moved')
    this.began(wait)
  }

  ended(wait: Wait, how: WaitEnd): void {
    const family = this.familyOfWait.get(wait)
    if (family !== undefined) this.leave(wait, family, how)
  }

  private leave(wait: Wait, family: Family, how: keyof Ends): void {
    this.familyOfWait.delete(wait)
    if (family.untold.delete(wait)) {
      this.untold--
      if (this.untold === 0) this.disarm()
      return
    }
    family.told.delete(wait)
    family.ends[how]++
    family.last = wait
    if (family.told.size === 0) this.tellEnd(family)
  }

  private arm(dueAt: number): void {
    const { clock } = this.registry
    this.disarm()
    this.timerAt = dueAt
    this.stopTimer = clock.after(Math.max(0, dueAt - clock.now()), () => {
      this.disarm()
      this.tellDue(clock.now())
    })
  }

  private disarm(): void {
    this.stopTimer?.()
    this.stopTimer = undefined
    this.timerAt = Number.POSITIVE_INFINITY
  }

  private tellDue(now: number): void {
    let nextDue = Number.POSITIVE_INFINITY
    for (const family of this.families.values()) {
      if (family.dueAt <= now) this.warn(family, now)
      nextDue = Math.min(nextDue, family.dueAt)
    }
    if (nextDue < this.timerAt) this.arm(nextDue)
  }

  private warn(family: Family, now: number): void {
    const due: Wait[] = []
    for (const wait of family.untold) {
      if (wait.since + TOLD_WITH_MS > now) break
      due.push(wait)
    }
    for (const wait of due) {
      family.untold.delete(wait)
      family.told.add(wait)
      family.since = Math.min(family.since, wait.since)
    }
    this.untold -= due.length
    family.warnedAt = now
    family.kind = due[0]?.kind
    const { message, details } = describeWaits(due, this.registry.oldestOther, now)
    this.logger.warn(message, details)
  }

  private tellEnd(family: Family): void {
    const { ends, since, last, kind } = family
    family.ends = noEnds()
    family.since = Number.POSITIVE_INFINITY
    family.last = undefined
    if (last === undefined || kind === undefined) return
    const { message, details } = describeEnd(last, kind, ends, this.registry.clock.now() - since)
    this.logger.info(message, details)
  }
}
