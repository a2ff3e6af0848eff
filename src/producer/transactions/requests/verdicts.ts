import { BrokerVerdictError, type ErrorContext } from '../../../errors/bases.js'
import {
  ProducerFencedError,
  TransactionAbortableError,
  TransactionRefusedError,
  TransactionTimedOutError,
} from '../../../errors/index.js'
import { ERROR, type ErrorCode, errorCode } from '../../../protocol/errorCodes.js'
import { addOffsetsToTxnApi } from '../../../protocol/messages/addOffsetsToTxn.js'
import { addPartitionsToTxnApi } from '../../../protocol/messages/addPartitionsToTxn.js'
import { endTxnApi } from '../../../protocol/messages/endTxn.js'

/** What a coordinator's answer means for the request. */
export type Judgement =
  | 'done'
  /** What is in the way takes some ms. */
  | 'soon'
  | 'again'
  /** Another broker is the coordinator now, or none. */
  | 'elsewhere'
  | 'final'

const judgements = new Map<number, Judgement>([
  [ERROR.NONE, 'done'],
  // The markers of the transaction before, or of a predecessor's, are being written.
  [ERROR.CONCURRENT_TRANSACTIONS, 'soon'],
  // The coordinator has not heard of the topic yet, though its leader has.
  [ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'soon'],
  [ERROR.OPERATION_NOT_ATTEMPTED, 'soon'],
  [ERROR.COORDINATOR_NOT_AVAILABLE, 'elsewhere'],
  [ERROR.NOT_COORDINATOR, 'elsewhere'],
  [ERROR.TRANSACTION_COORDINATOR_FENCED, 'elsewhere'],
  [ERROR.REQUEST_TIMED_OUT, 'elsewhere'],
])

export const judge = (code: number): Judgement =>
  judgements.get(code) ?? (errorCode(code).retriable ? 'again' : 'final')

const FENCED: ReadonlySet<number> = new Set([ERROR.PRODUCER_FENCED, ERROR.INVALID_PRODUCER_EPOCH])

/** After these the producer is of no use, whatever it does. */
const FATAL: ReadonlySet<number> = new Set([
  ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ERROR.CLUSTER_AUTHORIZATION_FAILED,
  ERROR.INVALID_TRANSACTION_TIMEOUT,
  ERROR.INVALID_TXN_STATE,
  ERROR.UNSUPPORTED_VERSION,
  ERROR.INVALID_REQUEST,
  ERROR.UNSUPPORTED_FOR_MESSAGE_FORMAT,
])

/** A broker does not know the producer id (any more). */
const FORGOTTEN: ReadonlySet<number> = new Set([ERROR.INVALID_PRODUCER_ID_MAPPING, ERROR.UNKNOWN_PRODUCER_ID])

/** After any other final answer to EndTxn nobody knows whether there is a transaction. */
const ABORTABLE_AT_END: ReadonlySet<number> = new Set([...FORGOTTEN, ERROR.TRANSACTION_ABORTABLE])

/**
 * The error for a coordinator's final answer. Where Java's TransactionManager ends the producer on a code that it does not expect, an
 * abort is enough here, but for EndTxn: nothing of the transaction is written without a commit.
 *
 * @param request the request's name in Kafka's protocol
 */
export const refusalOf = (
  transactionalId: string,
  request: string,
  verdict: ErrorCode,
  context: ErrorContext,
): Error => {
  if (FENCED.has(verdict.code)) return new ProducerFencedError(transactionalId, verdict, context)
  if (FATAL.has(verdict.code) || (request === endTxnApi.name && !ABORTABLE_AT_END.has(verdict.code)))
    return new TransactionRefusedError(transactionalId, { request, verdict, ...context })
  return new TransactionAbortableError(transactionalId, { request, verdict, ...context })
}

/** The error for a final answer on the way to a producer id: without one there are no transactions at all. */
export const identityRefusalOf = (
  transactionalId: string,
  request: string,
  verdict: ErrorCode,
  context: ErrorContext,
): Error =>
  FENCED.has(verdict.code)
    ? new ProducerFencedError(transactionalId, verdict, context)
    : new TransactionRefusedError(transactionalId, { request, verdict, ...context })

/** Whether the producer can do nothing any more until it is connected again. */
export const isFatal = (error: unknown): error is Error =>
  error instanceof ProducerFencedError ||
  error instanceof TransactionTimedOutError ||
  error instanceof TransactionRefusedError

/** Whether a broker, of whatever role, does not take the producer id any more: the next transaction needs another epoch, or id. */
export const isIdentityUnknown = (error: unknown): boolean =>
  error instanceof BrokerVerdictError && FORGOTTEN.has(error.code)

/** What the transaction coordinator itself answers. */
const TO_ITS_COORDINATOR: ReadonlySet<string> = new Set([
  addPartitionsToTxnApi.name,
  addOffsetsToTxnApi.name,
  endTxnApi.name,
])

/**
 * Whether the transaction coordinator does not know this producer id any more: there is no transaction to be ended
 * (transactional.id.expiration.ms). Others' word is not enough: a leader or a group's coordinator may have lost the producer id while
 * the transaction is open, and InitProducerId would then fence this producer. (beginAbort of Java's TransactionManager.)
 */
export const isForgotten = (error: unknown): error is TransactionAbortableError =>
  error instanceof TransactionAbortableError &&
  error.code === ERROR.INVALID_PRODUCER_ID_MAPPING &&
  TO_ITS_COORDINATOR.has(error.request)
