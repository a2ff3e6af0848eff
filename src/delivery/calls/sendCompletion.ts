import type { ErrorContext } from '../../errors/bases.js'
import type { Batch } from '../batch/batch.js'
import type { RecordCompletion } from '../batch/recordCompletion.js'

/** Messages that were handed over together, and how their caller learns what became of them. */
export interface SendCompletion {
  /** Who waits for a record in this batch; `null` when nobody does. */
  ownerIn(batch: Batch): RecordCompletion | null
  /** The message at this index of the topic's messages was admitted to the batch for which the owner was asked last. */
  placed(owner: RecordCompletion | null, index: number): void
  owns(owner: RecordCompletion | null): boolean
  /** Messages that failed before they were in a batch; `to` is exclusive. */
  failedBefore(error: Error, topic: string, from: number, to: number): void
}

/** A record that was not admitted has one only where it was pinned to it; -1: none. */
export const partitionOf = (error: ErrorContext): number => error.partition ?? -1
