import type { ErrorCode } from '../protocol/errorCodes.js'
import { quoted } from '../util/printable.js'
import { BrokerVerdictError, type ErrorContext } from './bases.js'

/**
 * The producer was fenced while a transaction was open for longer than `transactionTimeoutMs`: most likely the coordinator has aborted it. The
 * producer can do nothing more until it is connected again. (KIP-98)
 */
export class TransactionTimedOutError extends BrokerVerdictError {
  static override readonly name: string = 'TransactionTimedOutError'

  /** @param openMs - for how long the transaction was open */
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
