import type { AcknowledgedBatch } from './acknowledgedBatch.js'
import type { AttemptLog } from './attemptLog.js'
import type { RecordCompletion } from './recordCompletion.js'

/** @param first the first of these records, counted over the owner's records in the batch it was admitted to */
export type RunVisitor = (owner: RecordCompletion | null, first: number, count: number) => void

/**
 * Whose a batch's records are: one run for each owner's records that stand together. Nearly all batches have a single
 * run, which costs no list: with thousands of open batches it is memory traffic that limits the rate.
 */
export class OwnerRuns {
  private owner: RecordCompletion | null = null
  private first = 0
  private count = 0
  /** The runs before the last: owner, first and count of each in turn. */
  private earlier: (RecordCompletion | number | null)[] | undefined

  /** One more record of this owner, which has `first` records in the batch already. */
  add(owner: RecordCompletion | null, first: number): void {
    if (this.count > 0) {
      if (owner === this.owner && (owner === null || first === this.first + this.count)) {
        this.count++
        return
      }
      this.earlier ??= []
      this.earlier.push(this.owner, this.first, this.count)
    }
    this.owner = owner
    this.first = first
    this.count = 1
  }

  forEach(visit: RunVisitor): void {
    const { earlier } = this
    if (earlier !== undefined) {
      for (let i = 0; i < earlier.length; i += 3) {
        visit(earlier[i] as RecordCompletion | null, earlier[i + 1] as number, earlier[i + 2] as number)
      }
    }
    if (this.count > 0) visit(this.owner, this.first, this.count)
  }

  /** The owners of the records that `isKept` names, by their index in the batch. */
  kept(isKept: (index: number) => boolean): { readonly owners: OwnerRuns; readonly records: number } {
    const owners = new OwnerRuns()
    let index = 0
    let records = 0
    this.forEach((owner, first, count) => {
      for (let k = 0; k < count; k++, index++) {
        if (!isKept(index)) continue
        owners.add(owner, first + k)
        records++
      }
    })
    return { owners, records }
  }

  acknowledge(result: AcknowledgedBatch): void {
    let index = 0
    this.forEach((owner, first, count) => {
      owner?.acknowledged(result, first, count, index)
      index += count
    })
  }

  /** acks 0: the records were written to the socket. */
  acknowledgeWritten(): void {
    this.forEach((owner, first, count) => {
      owner?.written(count, first)
    })
  }

  /** @param onUnowned takes the failures of records that nobody waits for */
  reject(
    error: Error,
    topic: string,
    partition: number,
    onUnowned: (error: Error, count: number) => void,
    log: AttemptLog | undefined,
  ): void {
    this.forEach((owner, first, count) => {
      if (owner === null) onUnowned(error, count)
      else owner.failed(error, topic, partition, first, count, log)
    })
  }
}
