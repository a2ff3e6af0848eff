import { NonRetriableError } from './bases.js'

/** `flush({ timeoutMs })` ended before all records did. They stay in the producer, which continues to send them. */
export class FlushTimeoutError extends NonRetriableError {
  static override readonly name: string = 'FlushTimeoutError'

  constructor(timeoutMs: number, remainingRecords: number) {
    super(
      `flush() ended after ${timeoutMs} ms, and ${remainingRecords} records are neither acknowledged nor failed yet. They stay in the producer: call flush() again, or raise timeoutMs.`,
    )
  }
}
