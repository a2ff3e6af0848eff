/**
 * So many records are worked on in one turn of the event loop: some 10 to 30 ms. More than callers hand over in one, so that a topic
 * whose records are being given their partitions catches up with them.
 */
const RECORDS_PER_TURN = 8000

const DONE_STEPS_KEPT = 1000

/** Does a part of the work. @returns how many records that were; 0: all is done */
export type WorkStep = () => number

/**
 * Work on many records, cut into turns of the event loop and done in the order in which it came. What is little is done at
 * once.
 */
export class TurnWork {
  private steps: WorkStep[] = []
  private next = 0
  private left = RECORDS_PER_TURN
  private isWorking = false
  private isScheduled = false
  private waiters: (() => void)[] = []

  get isIdle(): boolean {
    return this.next === this.steps.length
  }

  /** Calls the step until it says that all is done, in this turn and in later ones. */
  run(step: WorkStep): void {
    this.steps.push(step)
    this.work()
  }

  /** Work that is not divided. */
  once(records: number, work: () => void): void {
    let isDone = false
    this.run(() => {
      if (isDone) return 0
      isDone = true
      work()
      return Math.max(1, records)
    })
  }

  /** Resolves when nothing is left to do. */
  whenIdle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise(resolve => this.waiters.push(resolve))
  }

  private work(): void {
    // A step's callbacks may bring more work: it follows.
    if (this.isWorking) return
    this.isWorking = true
    try {
      while (this.left > 0 && !this.isIdle) {
        // Before the call: one that throws is not called again.
        const step = this.steps[this.next++]!
        const records = step()
        this.left -= records
        if (records > 0) this.next--
        else if (this.next >= DONE_STEPS_KEPT) this.dropDone()
      }
    } finally {
      this.isWorking = false
      if (this.isIdle) this.rest()
      this.schedule()
    }
  }

  private dropDone(): void {
    this.steps = this.steps.slice(this.next)
    this.next = 0
  }

  private rest(): void {
    this.steps = []
    this.next = 0
    for (const resume of this.waiters.splice(0)) resume()
  }

  private schedule(): void {
    if (this.isScheduled || (this.left === RECORDS_PER_TURN && this.isIdle)) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      this.left = RECORDS_PER_TURN
      this.work()
    })
  }
}
