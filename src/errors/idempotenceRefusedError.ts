import { ERROR, type ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError } from './bases.js'

/** The option `idempotent` is true, and the cluster refuses InitProducerId or does not have it. (KIP-98) */
export class IdempotenceRefusedError extends BrokerVerdictError {
  static override readonly name: string = 'IdempotenceRefusedError'

  constructor(verdict: ErrorCode, cause?: unknown) {
    super(
      `The cluster refused a producer id (${verdict.type}: ${verdict.message}). ${remedyFor(verdict)}, or set idempotent: false to send without one.`,
      verdict,
      { cause },
    )
  }
}

const AUTHORIZATION: ReadonlySet<number> = new Set([
  ERROR.CLUSTER_AUTHORIZATION_FAILED,
  ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
])

/** A broker that does not understand the request (codes 35 and 42) would not understand it for another principal. */
const remedyFor = ({ code }: ErrorCode): string =>
  AUTHORIZATION.has(code)
    ? 'Grant the principal IDEMPOTENT_WRITE on the cluster (before Kafka 3.0; later WRITE on a topic is enough)'
    : 'Its brokers do not support idempotent producers in the form of Kafka 0.11 and later: use others'
