import { type ErrorContext, NonRetriableError, place } from './bases.js'

/** The transaction was aborted while the record was in no request, or was waiting for a retry: it was dropped. */
export class TransactionAbortedError extends NonRetriableError {
  static override readonly name: string = 'TransactionAbortedError'

  constructor(topic: string, context: ErrorContext = {}) {
    super(`A record for ${place(topic, context.partition)} was dropped: its transaction was aborted.`, {
      ...context,
      topic,
    })
  }
}
