/** Readings in a row that were no further apart than this show calls that come fast. ms */
const FAST_MS = 1
const FAST_READINGS = 16
/** So many calls then share a reading with the one before them. */
const SHARED_CALLS = 7

/**
 * The time of records that come without a timestamp. To ask the system takes a twentieth of what a whole `send` does at
 * a million a second, so calls that come many to a millisecond share a reading, a few at a time and within one turn of
 * the event loop. A first call of a turn, and any behind a pause, has a reading of its own.
 */
export class RecordClock {
  private reading = 0
  private fastReadings = 0
  private shares = 0
  private endsWithTurn = false

  /** ms since the epoch */
  now(): number {
    if (this.shares > 0) {
      this.shares--
      return this.reading
    }
    const reading = Date.now()
    const passed = reading - this.reading
    this.reading = reading
    if (passed < 0 || passed > FAST_MS) this.fastReadings = 0
    else if (++this.fastReadings >= FAST_READINGS) {
      this.shares = SHARED_CALLS
      this.endWithTurn()
    }
    return reading
  }

  private endWithTurn(): void {
    if (this.endsWithTurn) return
    this.endsWithTurn = true
    setImmediate(() => {
      this.endsWithTurn = false
      this.shares = 0
    })
  }
}
