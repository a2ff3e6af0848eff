import { NonRetriableError } from './bases.js'

/** `flush({ timeoutMs })` ended before all records did; they stay in the producer. */
export class FlushTimeoutError extends NonRetriableError {
  constructor(timeoutMs: number, remainingRecords: number) {
    super(
      `flush() ended after ${timeoutMs} ms with ${remainingRecords} records not ended yet; they stay in the producer.`,
    )
  }
}
