import type { ErrorContext } from '../../errors/bases.js'
import type { Batch } from '../batch/batch.js'
import type { Destination } from '../buffer/shares.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { CallLinks } from './callLinks.js'

/** Messages that were handed over together, and how their caller learns what became of them. */
export interface SendCompletion {
  /** Where its records are: of a call that can be withdrawn. */
  readonly links: CallLinks | undefined
  /** Who waits for the message at this index in this batch; `null` when nobody does. */
  ownerIn(batch: Batch, index: number): RecordCompletion | null
  /** The message at this index of the topic's messages was appended to the batch for which the owner was asked last. */
  placed(owner: RecordCompletion | null, index: number): void
  /** The buffer has taken the message in, which waits for its topic. */
  admitted?(destination: Destination): void
  /** Messages that failed before they were in a batch; `to` is exclusive. */
  failedBefore(error: Error, topic: string, from: number, to: number): void
}

/** A record that was not admitted has one only where it was pinned to it; -1: none. */
export const partitionOf = (error: ErrorContext): number => error.partition ?? -1
