/** Something that ends at a moment unless it is removed first. */
export abstract class Expiring {
  /** On the clock of `performance.now()`. ms */
  deadline = 0
  /** @internal */
  earlier: Expiring | undefined
  /** @internal */
  later: Expiring | undefined
  /** @internal */
  listedIn: ExpiryList | undefined

  get listed(): boolean {
    return this.listedIn !== undefined
  }

  abstract expire(): void

  /** It does not end at its deadline any more. */
  withdraw(): void {
    this.listedIn?.remove(this)
  }
}

/**
 * Moments at which batches or parked records end, with one timer for all. Each list is for deadlines of one length: most
 * are then added in the order in which they end, so that it stays sorted by a step or two. An empty list has no timer,
 * so that an idle producer never wakes.
 */
export class ExpiryList {
  private first: Expiring | undefined
  private last: Expiring | undefined
  private timer: NodeJS.Timeout | undefined
  private timerAt = 0

  add(item: Expiring): void {
    let before = this.last
    while (before !== undefined && before.deadline > item.deadline) before = before.earlier
    const after = before === undefined ? this.first : before.later
    item.earlier = before
    item.later = after
    item.listedIn = this
    if (before === undefined) this.first = item
    else before.later = item
    if (after === undefined) this.last = item
    else after.earlier = item
    if (this.timer === undefined || item.deadline < this.timerAt) this.arm()
  }

  remove(item: Expiring): void {
    if (item.listedIn !== this) return
    if (item.earlier === undefined) this.first = item.later
    else item.earlier.later = item.later
    if (item.later === undefined) this.last = item.earlier
    else item.later.earlier = item.earlier
    item.earlier = undefined
    item.later = undefined
    item.listedIn = undefined
    // The timer is left as it is while others wait: re-arming it for every batch would cost more than one early wake.
    if (this.first === undefined && this.timer !== undefined) {
      clearTimeout(this.timer)
      this.timer = undefined
    }
  }

  private arm(): void {
    if (this.timer !== undefined) clearTimeout(this.timer)
    this.timer = undefined
    if (this.first === undefined) return
    this.timerAt = this.first.deadline
    // Node turns a delay beyond 2^31 - 1 ms into 1 ms.
    const delayMs = Math.min(Math.max(1, Math.ceil(this.timerAt - performance.now())), 2 ** 31 - 1)
    this.timer = setTimeout(() => {
      this.timer = undefined
      const now = performance.now()
      while (this.first !== undefined && this.first.deadline <= now) {
        const due = this.first
        this.remove(due)
        due.expire()
      }
      this.arm()
    }, delayMs)
  }
}
