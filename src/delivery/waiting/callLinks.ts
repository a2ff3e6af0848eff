import type { Batch } from '../batch/batch.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { WaitingRecord, WaitLine } from './waitLine.js'

/** A call's records in one batch. */
export interface PlacedRecords {
  readonly owner: RecordCompletion
  /** Where they stood in the batch when they were appended, in the order of the owner's records. */
  readonly positions: number[]
}

/** Where the records of a call are that can be withdrawn: an abort touches these alone, whatever else waits. */
export class CallLinks {
  readonly waiting = new Map<WaitingRecord, WaitLine>()
  readonly batches = new Map<Batch, PlacedRecords>()
  /** Set once the call is withdrawn: what comes in after that ends with it. */
  withdrawnBy: Error | undefined

  /** The owner's next record is the batch's last one. */
  placed(batch: Batch, owner: RecordCompletion): void {
    const position = batch.appended - 1
    const known = this.batches.get(batch)
    if (known === undefined) this.batches.set(batch, { owner, positions: [position] })
    else known.positions.push(position)
  }
}
