import { quoted } from '../util/printable.js'
import { type ErrorContext, messageOf, NonRetriableError, place } from './bases.js'

/**
 * A part of the transaction has failed, so that it can only be aborted. `commit()` rejects with it, and so do calls after the failure and records
 * that were dropped for it. `cause` is what failed. After `abort()` the producer can begin another transaction.
 */
export class TransactionFailedError extends NonRetriableError {
  static override readonly name: string = 'TransactionFailedError'

  constructor(transactionalId: string, context: ErrorContext) {
    const { topic, partition, cause } = context
    const what =
      topic === undefined
        ? 'The transaction'
        : `A record for ${place(topic, partition)} was dropped: the transaction`
    super(
      `${what} of ${quoted(transactionalId)} cannot be committed any more. Cause: ${messageOf(cause)} Call abort(), then begin another.`,
      context,
    )
  }
}
