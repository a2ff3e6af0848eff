import type { ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/**
 * The leader lost the producer's sequence state while the outcome of a sent batch was unknown. Sending it again under a new identity could
 * write it twice, so it is rejected with the outcome `unknown`. (OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID; KIP-360)
 */
export class SequenceLostError extends BrokerVerdictError {
  static override readonly name: string = 'SequenceLostError'

  constructor(
    topic: string,
    verdict: Pick<ErrorCode, 'type' | 'code'>,
    context: ErrorContext & { partition: number },
  ) {
    super(
      `The leader of ${place(topic, context.partition)} no longer has the sequence of a record whose earlier attempt was not answered (${verdict.type}). ` +
        'It may have been written; sending it again could double it. Check the log before you send it again.',
      verdict,
      { ...context, topic, outcome: 'unknown' },
    )
  }
}
