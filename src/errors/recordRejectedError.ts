import type { ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError, type ErrorContext, type Outcome, place } from './bases.js'

/** A broker refused the record with an error that a retry does not help against; `type` and `code` are Kafka's. (KIP-467) */
export class RecordRejectedError extends BrokerVerdictError {
  static override readonly name: string = 'RecordRejectedError'

  constructor(
    topic: string,
    verdict: ErrorCode,
    reason: string | null,
    context: ErrorContext & { partition: number; outcome: Outcome },
  ) {
    super(
      `The broker refused a record for ${place(topic, context.partition)} (${verdict.type}): ${reason ?? verdict.message}`,
      verdict,
      { ...context, topic },
    )
  }
}
