import { ERROR, type ErrorCode } from '../protocol/errorCodes.js'
import { quoted } from '../util/printable.js'
import { BrokerVerdictError, type ErrorContext } from './bases.js'

const REMEDIES = new Map<number, string>([
  [
    ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    'Grant the principal WRITE and DESCRIBE on the transactional id.',
  ],
  [
    ERROR.INVALID_TRANSACTION_TIMEOUT,
    "Lower transactionTimeoutMs, or raise the brokers' transaction.max.timeout.ms.",
  ],
  [
    ERROR.UNSUPPORTED_VERSION,
    'Transactions need brokers of Kafka 0.11 or newer that offer them: remove transactionalId, or use other brokers.',
  ],
])

/**
 * A coordinator refuses this producer's transactions: a right is missing, or the time-out is above the brokers' limit. The producer can do nothing
 * more until it is connected again. (InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn; KIP-98)
 */
export class TransactionRefusedError extends BrokerVerdictError {
  static override readonly name: string = 'TransactionRefusedError'

  /** @param request - the request's name in Kafka's protocol */
  constructor(
    transactionalId: string,
    {
      request,
      verdict,
      ...context
    }: ErrorContext & { readonly request: string; readonly verdict: ErrorCode },
  ) {
    super(
      `The coordinator refused ${request} for the transactional id ${quoted(transactionalId)} (${verdict.type}: ${verdict.message}). ` +
        (REMEDIES.get(verdict.code) ?? 'Disconnect and connect again.'),
      verdict,
      context,
    )
  }
}
