/** What `bufferBytes` counts: the records of every state, from admission until each has ended. bytes */
export class BufferBudget {
  readonly limitBytes: number
  /** The share for records of topics that are not there yet, so that they cannot starve the others. bytes */
  readonly parkedLimitBytes: number
  usedBytes = 0
  records = 0
  parkedBytes = 0

  constructor(limitBytes: number, parkedShare = 0.5) {
    this.limitBytes = limitBytes
    this.parkedLimitBytes = Math.floor(limitBytes * parkedShare)
  }

  fits(bytes: number): boolean {
    return this.usedBytes + bytes <= this.limitBytes
  }

  /** A first record is always let in: the share is there to bound a crowd. */
  fitsParked(bytes: number): boolean {
    return this.parkedBytes === 0 || this.parkedBytes + bytes <= this.parkedLimitBytes
  }

  take(bytes: number): void {
    this.usedBytes += bytes
    this.records++
  }

  give(bytes: number, records: number): void {
    this.usedBytes -= bytes
    this.records -= records
  }
}
