import type { ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError } from './bases.js'

/** The cluster refused InitProducerId to a producer with `idempotent: true`. */
export class IdempotenceRefusedError extends BrokerVerdictError {
  constructor(verdict: ErrorCode) {
    super(
      `The cluster refused a producer id (${verdict.type}: ${verdict.message}). Grant the principal IDEMPOTENT_WRITE on the cluster (before Kafka 3.0; later WRITE on a topic is enough), or leave \`idempotent\` unset.`,
      verdict,
    )
  }
}
