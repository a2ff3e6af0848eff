import type { AcknowledgedBatch } from './acknowledgedBatch.js'
import type { AttemptLog } from './attemptLog.js'

/**
 * Who waits for records: every record that was admitted ends in exactly one of the calls below. An owner's records
 * stand together in a batch, in the order they were sent.
 */
export interface RecordCompletion {
  /** How many records it has in the batch so far. */
  readonly size: number
  /**
   * @param first the first of these records, counted over the owner's records in the batch it was admitted to
   * @param index the index of that record in the acknowledged batch
   */
  acknowledged(batch: AcknowledgedBatch, first: number, count: number, index: number): void
  /** acks 0: the records were written to the socket, and nothing more will be known of them. */
  written(count: number, first: number): void
  /** @param log of the batch's attempts, where somebody watches */
  failed(error: Error, topic: string, partition: number, first: number, count: number, log?: AttemptLog): void
}
