import { LONGEST_TIMER_MS } from '../../util/timers.js'

/** A timer that is so late tells of an event loop or a process that stood still. ms */
const STALLED_MS = 100

/** Something that ends at a moment unless it is removed first. */
export abstract class Expiring {
  /** On the clock of `performance.now()`. ms */
  deadline = 0
  /** @internal */
  earlier: Expiring | undefined
  /** @internal */
  later: Expiring | undefined
  /** @internal its place among the stragglers; -1: it stands in the list */
  stragglerIndex = -1
  /** @internal */
  listedIn: ExpiryList | undefined

  get listed(): boolean {
    return this.listedIn !== undefined
  }

  /** @returns how many records it has ended, or has begun to end */
  abstract expire(): number

  /** It does not end at its deadline any more. */
  withdraw(): void {
    this.listedIn?.remove(this)
  }
}

/** So many records end in one turn of the event loop. */
const RECORDS_PER_TURN = 8000

/**
 * Moments at which batches or waiting queues end, with one timer for all. Nearly all deadlines of a list are of one length, so
 * that they come in the order in which they end and are appended; one that is earlier than the last, as that of a batch whose
 * call began some time ago, is kept in a heap. An empty list has no timer: an idle producer never wakes.
 */
export class ExpiryList {
  private first: Expiring | undefined
  private last: Expiring | undefined
  private readonly stragglers: Expiring[] = []
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private timerAt = 0
  private isExpiring = false

  add(item: Expiring): void {
    const { last } = this
    item.listedIn = this
    if (last !== undefined && last.deadline > item.deadline) this.addStraggler(item)
    else {
      item.earlier = last
      item.later = undefined
      if (last === undefined) this.first = item
      else last.later = item
      this.last = item
    }
    if (this.isExpiring || this.immediate !== undefined) return
    if (this.timer === undefined || item.deadline < this.timerAt) this.arm()
  }

  remove(item: Expiring): void {
    if (item.listedIn !== this) return
    item.listedIn = undefined
    if (item.stragglerIndex >= 0) this.removeStraggler(item)
    else {
      if (item.earlier === undefined) this.first = item.later
      else item.earlier.later = item.later
      if (item.later === undefined) this.last = item.earlier
      else item.later.earlier = item.earlier
      item.earlier = undefined
      item.later = undefined
    }
    // The timer is left as it is while others wait: re-arming it for every batch would cost more than one early wake.
    if (this.head === undefined) this.disarm()
  }

  /** What ends next. */
  private get head(): Expiring | undefined {
    const [straggler] = this.stragglers
    if (straggler === undefined) return this.first
    return this.first === undefined || straggler.deadline < this.first.deadline ? straggler : this.first
  }

  private disarm(): void {
    if (this.timer !== undefined) clearTimeout(this.timer)
    if (this.immediate !== undefined) clearImmediate(this.immediate)
    this.timer = undefined
    this.immediate = undefined
  }

  private arm(): void {
    this.disarm()
    const { head } = this
    if (head === undefined) return
    this.timerAt = head.deadline
    const delayMs = Math.min(Math.max(1, Math.ceil(this.timerAt - performance.now())), LONGEST_TIMER_MS)
    this.timer = setTimeout(() => this.timeIsUp(), delayMs)
  }

  private timeIsUp(): void {
    // After a stall, timers run before sockets are read: what lies there has come in time.
    if (performance.now() - this.timerAt < STALLED_MS) return this.expire()
    this.timer = undefined
    this.immediate = setImmediate(() => this.expire())
  }

  private expire(): void {
    this.timer = undefined
    this.immediate = undefined
    this.isExpiring = true
    const now = performance.now()
    let left = RECORDS_PER_TURN
    try {
      for (let due = this.head; left > 0 && due !== undefined && due.deadline <= now; due = this.head) {
        this.remove(due)
        left -= Math.max(1, due.expire())
      }
    } finally {
      this.isExpiring = false
      if (left <= 0 && this.head !== undefined) this.immediate = setImmediate(() => this.expire())
      else this.arm()
    }
  }

  private addStraggler(item: Expiring): void {
    item.stragglerIndex = this.stragglers.length
    this.stragglers.push(item)
    this.rise(item)
  }

  private removeStraggler(item: Expiring): void {
    const { stragglers } = this
    const at = item.stragglerIndex
    item.stragglerIndex = -1
    const last = stragglers.pop()!
    if (last === item) return
    stragglers[at] = last
    last.stragglerIndex = at
    this.rise(last)
    this.sink(last)
  }

  private rise(item: Expiring): void {
    const { stragglers } = this
    let at = item.stragglerIndex
    while (at > 0) {
      const other = stragglers[(at - 1) >>> 1]!
      if (other.deadline <= item.deadline) break
      stragglers[at] = other
      const above = other.stragglerIndex
      other.stragglerIndex = at
      at = above
    }
    stragglers[at] = item
    item.stragglerIndex = at
  }

  private sink(item: Expiring): void {
    const { stragglers } = this
    let at = item.stragglerIndex
    for (;;) {
      let below = 2 * at + 1
      if (below >= stragglers.length) break
      if (below + 1 < stragglers.length && stragglers[below + 1]!.deadline < stragglers[below]!.deadline)
        below++
      const other = stragglers[below]!
      if (other.deadline >= item.deadline) break
      stragglers[at] = other
      other.stragglerIndex = at
      at = below
    }
    stragglers[at] = item
    item.stragglerIndex = at
  }
}
