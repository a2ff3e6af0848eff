import * as errors from '../../errors/index.js'
import { errorCode, KNOWN_CODES } from '../../protocol/errorCodes.js'

/*
 * The values that labels are known to take. Their series stand at 0 from the start: a series that is born with its first
 * burst of failures shows no increase to `increase()` and `rate()`.
 */

/** Errors of this package that concern no record. */
const NOT_OF_RECORDS: ReadonlySet<string> = new Set([
  'BrokersUnreachableError',
  'ConsumerDisconnectedError',
  'FlushTimeoutError',
  'IdempotenceRefusedError',
  'IncompatibleKafkajsError',
  'InvalidOptionsError',
  'OffsetsRefusedError',
  'SendError',
])

/** Names of the errors with which records end: this package's classes, and kafkajs's for calls refused at once. */
export const RECORD_ERRORS: readonly string[] = [
  ...Object.values(errors)
    .map(({ name }) => name)
    .filter(name => !NOT_OF_RECORDS.has(name)),
  'KafkaJSConnectionError',
  'KafkaJSError',
  'KafkaJSNonRetriableError',
  'KafkaJSSASLAuthenticationError',
]

/** Names of the errors of connections and requests that get no answer. */
const TRANSPORT_ERRORS: readonly string[] = [
  'KafkaJSConnectionError',
  'KafkaJSBrokerNotFound',
  'KafkaJSRequestTimeoutError',
  'MalformedMessageError',
]

const codesWhere = (matches: (code: number) => boolean): readonly string[] =>
  KNOWN_CODES.filter(code => code !== 0 && matches(code)).map(code => errorCode(code).type)

const isRetriable = (code: number): boolean => errorCode(code).retriable

/** Why records are sent again: Kafka's retriable codes, those of sizes and sequences, and lost requests. */
export const RETRY_REASONS: readonly string[] = [
  ...codesWhere(isRetriable),
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
  // Those of a batch whose record it was not.
  'INVALID_RECORD',
  ...TRANSPORT_ERRORS,
  // A login that had to be renewed while a request was out.
  'CredentialsProviderError',
  'KafkaJSSASLAuthenticationError',
]

/**
 * Of {@link RECORD_ERRORS}, those that say nothing of a topic: they meet all records of a producer or of a transaction, or a call before
 * its topic is looked at.
 */
const NOT_OF_TOPICS: ReadonlySet<string> = new Set([
  'BrokerMisunderstoodError',
  'BrokerNotAllowedError',
  'CertificateError',
  'CompressionUnavailableError',
  'CoordinatorTimeoutError',
  'CredentialsProviderError',
  'InvalidTopicError',
  'ProducerFencedError',
  'ProducerIdUnavailableError',
  'TransactionAbortableError',
  'TransactionAbortedError',
  'TransactionFailedError',
  'TransactionRefusedError',
  'TransactionTimedOutError',
  'UnsupportedApiError',
  'KafkaJSConnectionError',
  'KafkaJSError',
  'KafkaJSNonRetriableError',
  'KafkaJSSASLAuthenticationError',
])

/** Errors of records whose series stand at 0 from a topic's first use on; another one's is born with its first record. */
export const TOPIC_ERRORS: readonly string[] = RECORD_ERRORS.filter(name => !NOT_OF_TOPICS.has(name))

/**
 * Of {@link RETRY_REASONS}, those that do not concern a topic: no broker answers a produce request for a partition with them (it carries no
 * leader epoch, asks for no coordinator, and quotas delay it), or they concern the producer's id, or all that is
 * sent to a broker.
 */
const NOT_OF_PARTITIONS: ReadonlySet<string> = new Set([
  'BROKER_NOT_AVAILABLE',
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'ELIGIBLE_LEADERS_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'NETWORK_EXCEPTION',
  'NOT_CONTROLLER',
  'NOT_COORDINATOR',
  'PRODUCER_FENCED',
  'REPLICA_NOT_AVAILABLE',
  'THROTTLING_QUOTA_EXCEEDED',
  'UNKNOWN_LEADER_EPOCH',
  'CredentialsProviderError',
  'KafkaJSSASLAuthenticationError',
  'MalformedMessageError',
])

/** Reasons of retries whose series stand at 0 from a topic's first use on. */
export const TOPIC_RETRY_REASONS: readonly string[] = RETRY_REASONS.filter(
  name => !NOT_OF_PARTITIONS.has(name),
)

/** Why a topic is asked for again. */
export const TOPIC_METADATA_ERRORS: readonly string[] = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'UNKNOWN',
  'NOT_CONTROLLER',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
  ...TRANSPORT_ERRORS,
]

/** The same, and what no broker of Kafka's answers there. */
export const METADATA_ERRORS: readonly string[] = [
  ...new Set([...TOPIC_METADATA_ERRORS, ...codesWhere(isRetriable)]),
]
