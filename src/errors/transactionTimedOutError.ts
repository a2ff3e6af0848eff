import type { ErrorCode } from '../protocol/errorCodes.js'
import { quoted } from '../util/printable.js'
import { BrokerVerdictError, type ErrorContext } from './bases.js'

/**
 * The producer was fenced with a transaction open for longer than `transactionTimeoutMs`: most likely the coordinator
 * has aborted it, as it does then. This producer can do nothing any more until it is connected again.
 */
export class TransactionTimedOutError extends BrokerVerdictError {
  static override readonly name: string = 'TransactionTimedOutError'

  /** @param openMs for how long the transaction was open */
  constructor(
    transactionalId: string,
    verdict: Pick<ErrorCode, 'type' | 'code'>,
    {
      openMs,
      transactionTimeoutMs,
      ...context
    }: ErrorContext & { readonly openMs: number; readonly transactionTimeoutMs: number },
  ) {
    super(
      `A transaction of ${quoted(transactionalId)} was open for ${Math.round(openMs)} ms, longer than transactionTimeoutMs ` +
        `(${transactionTimeoutMs} ms), and the coordinator has aborted it (${verdict.type}). Disconnect and connect again, and make ` +
        'transactions shorter or raise transactionTimeoutMs.',
      verdict,
      context,
    )
  }
}
