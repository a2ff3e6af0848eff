import type { ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError, type ErrorContext, endless, type Outcome, place } from './bases.js'

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
      `The broker refused a record for ${place(topic, context.partition)} (${verdict.type}): ${endless(reason ?? verdict.message)}. Correct the record, or the topic's settings, before you send it again.`,
      verdict,
      { ...context, topic },
    )
  }
}
