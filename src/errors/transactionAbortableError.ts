import type { ErrorCode } from '../protocol/errorCodes.js'
import { quoted } from '../util/printable.js'
import { BrokerVerdictError, type ErrorContext } from './bases.js'

/** A coordinator's answer with which the transaction cannot be committed any more. After `abort()` the producer can begin another. */
export class TransactionAbortableError extends BrokerVerdictError {
  static override readonly name: string = 'TransactionAbortableError'
  /** The request's name in Kafka's protocol. */
  readonly request: string

  /** @param request the request's name in Kafka's protocol */
  constructor(
    transactionalId: string,
    {
      request,
      verdict,
      ...context
    }: ErrorContext & { readonly request: string; readonly verdict: ErrorCode },
  ) {
    super(
      `The coordinator refused ${request} for the transaction of ${quoted(transactionalId)} (${verdict.type}: ${verdict.message}). ` +
        'Call abort(), then begin another.',
      verdict,
      context,
    )
    this.request = request
  }
}
