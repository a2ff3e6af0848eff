import type { ErrorCode } from '../protocol/errorCodes.js'
import { quoted } from '../util/printable.js'
import { BrokerVerdictError, type ErrorContext } from './bases.js'

/**
 * Another producer has taken over the transactional id (PRODUCER_FENCED, INVALID_PRODUCER_EPOCH; KIP-98, KIP-588). This one can do nothing more
 * until it is connected again, which fences the other one.
 */
export class ProducerFencedError extends BrokerVerdictError {
  static override readonly name: string = 'ProducerFencedError'

  constructor(
    transactionalId: string,
    verdict: Pick<ErrorCode, 'type' | 'code'>,
    context: ErrorContext = {},
  ) {
    super(
      `Another producer with the transactional id ${quoted(transactionalId)} has taken over (${verdict.type}). ` +
        'Where two of them run on purpose, give each an id of its own; else end this one.',
      verdict,
      context,
    )
  }
}
