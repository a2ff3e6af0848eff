/** A broker's error code: its name, and whether asking again can help (org.apache.kafka.common.protocol.Errors). */
export interface ErrorCode {
  readonly code: number
  readonly type: string
  readonly retriable: boolean
  readonly message: string
}

const table = [
  [-1, 'UNKNOWN_SERVER_ERROR', false, 'the broker met an unexpected error'],
  [0, 'NONE', false, 'the request succeeded'],
  [1, 'OFFSET_OUT_OF_RANGE', false, 'the offset is not in the log'],
  [2, 'CORRUPT_MESSAGE', true, 'the record batch failed its checksum or is otherwise corrupt'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', true, 'the broker does not know the topic or partition'],
  [5, 'LEADER_NOT_AVAILABLE', true, 'the partition has no leader at the moment'],
  [6, 'NOT_LEADER_OR_FOLLOWER', true, 'the broker is not the leader of the partition'],
  [7, 'REQUEST_TIMED_OUT', true, 'the broker gave up waiting for the replicas'],
  [8, 'BROKER_NOT_AVAILABLE', true, 'the broker is not available'],
  [9, 'REPLICA_NOT_AVAILABLE', true, 'a replica is not available'],
  [10, 'MESSAGE_TOO_LARGE', false, 'the record batch is larger than the topic accepts (max.message.bytes)'],
  [12, 'OFFSET_METADATA_TOO_LARGE', false, 'the metadata of an offset is too large'],
  [13, 'NETWORK_EXCEPTION', true, 'the broker lost the connection'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', true, 'the coordinator is loading'],
  [15, 'COORDINATOR_NOT_AVAILABLE', true, 'the coordinator is not available'],
  [16, 'NOT_COORDINATOR', true, 'the broker is not the coordinator'],
  [17, 'INVALID_TOPIC_EXCEPTION', false, 'the topic name is not valid'],
  [18, 'RECORD_LIST_TOO_LARGE', false, 'the record batch is larger than a log segment'],
  [19, 'NOT_ENOUGH_REPLICAS', true, 'fewer replicas are in sync than min.insync.replicas'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', true, 'the records were written to fewer replicas than required'],
  [21, 'INVALID_REQUIRED_ACKS', false, 'the acks value is not valid'],
  [22, 'ILLEGAL_GENERATION', false, "the group's generation is another one by now"],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', false, 'the group uses another protocol'],
  [24, 'INVALID_GROUP_ID', false, 'the group id is not valid'],
  [25, 'UNKNOWN_MEMBER_ID', false, 'the group does not have this member (any more)'],
  [26, 'INVALID_SESSION_TIMEOUT', false, 'the session timeout is not in the range that the broker allows'],
  [27, 'REBALANCE_IN_PROGRESS', false, 'the group is rebalancing'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', false, 'the offsets are too large to be committed'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', false, 'not authorized for the topic'],
  [30, 'GROUP_AUTHORIZATION_FAILED', false, 'not authorized for the group'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', false, 'not authorized for the cluster'],
  [32, 'INVALID_TIMESTAMP', false, "the record's timestamp is out of the acceptable range"],
  [33, 'UNSUPPORTED_SASL_MECHANISM', false, 'the broker does not support the SASL mechanism'],
  [34, 'ILLEGAL_SASL_STATE', false, 'the request is not valid in the current SASL state'],
  [35, 'UNSUPPORTED_VERSION', false, 'the broker does not support this version of the request'],
  [36, 'TOPIC_ALREADY_EXISTS', false, 'the topic exists already'],
  [37, 'INVALID_PARTITIONS', false, 'the number of partitions is not valid'],
  [38, 'INVALID_REPLICATION_FACTOR', false, 'the replication factor is not valid'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', false, 'the replica assignment is not valid'],
  [40, 'INVALID_CONFIG', false, 'the configuration is not valid'],
  [41, 'NOT_CONTROLLER', true, 'the broker is not the controller'],
  [42, 'INVALID_REQUEST', false, 'the broker refused the request as malformed'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', false, "the topic's message format does not support the request"],
  [44, 'POLICY_VIOLATION', false, "the request violates the cluster's policy"],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', false, 'the broker received an out of order sequence number'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', false, 'the broker received a duplicate sequence number'],
  [47, 'INVALID_PRODUCER_EPOCH', false, 'the producer epoch is older than the last one the broker saw'],
  [48, 'INVALID_TXN_STATE', false, 'the operation is not valid in the current transaction state'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', false, 'the producer id does not belong to the transactional id'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', false, 'the transaction timeout is larger than the broker allows'],
  [51, 'CONCURRENT_TRANSACTIONS', true, 'another operation on the transaction is under way'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', false, 'the transaction coordinator was fenced'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', false, 'not authorized for the transactional id'],
  [54, 'SECURITY_DISABLED', false, 'security features are disabled'],
  [55, 'OPERATION_NOT_ATTEMPTED', false, 'another part of the request was refused'],
  [56, 'KAFKA_STORAGE_ERROR', true, "the broker's disk failed"],
  [57, 'LOG_DIR_NOT_FOUND', false, 'the log directory was not found'],
  [58, 'SASL_AUTHENTICATION_FAILED', false, 'SASL authentication failed'],
  [59, 'UNKNOWN_PRODUCER_ID', false, 'the broker has no state for the producer id'],
  [60, 'REASSIGNMENT_IN_PROGRESS', false, 'a partition reassignment is in progress'],
  [68, 'NON_EMPTY_GROUP', false, 'the group still has members'],
  [69, 'GROUP_ID_NOT_FOUND', false, 'the group does not exist'],
  [73, 'TOPIC_DELETION_DISABLED', false, 'the broker deletes no topics (delete.topic.enable)'],
  [74, 'FENCED_LEADER_EPOCH', true, 'the leader epoch is older than the broker has'],
  [75, 'UNKNOWN_LEADER_EPOCH', true, 'the leader epoch is newer than the broker has'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', false, 'the broker does not support the compression type'],
  [79, 'MEMBER_ID_REQUIRED', false, 'the member has to join again under the id that it was given'],
  [82, 'FENCED_INSTANCE_ID', false, 'another member has taken the group instance id'],
  [84, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', true, 'no eligible leader is available'],
  [87, 'INVALID_RECORD', false, 'the broker refused a record as not valid'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', true, 'the quota is used up'],
  [90, 'PRODUCER_FENCED', false, 'a newer producer with the same transactional id has fenced this one'],
  [100, 'UNKNOWN_TOPIC_ID', true, 'the broker does not know the topic id'],
  [120, 'TRANSACTION_ABORTABLE', false, 'the transaction has to be aborted'],
] as const

type Row = (typeof table)[number]

const byCode = new Map<number, ErrorCode>(
  table.map(([code, type, retriable, message]) => [code, { code, type, retriable, message }]),
)
/** The type of -1 is kafkajs's: services compare with it. */
byCode.set(-1, { code: -1, type: 'UNKNOWN', retriable: false, message: 'the broker met an unexpected error' })

/** All codes of the table. */
export const KNOWN_CODES: readonly number[] = table.map(([code]) => code)

/** Describes an error code; one that this table does not know is not retriable and named by its number. */
export const errorCode = (code: number): ErrorCode =>
  byCode.get(code) ?? { code, type: `ERROR_${code}`, retriable: false, message: `error code ${code}` }

/** The codes by their names in Kafka. */
export const ERROR = Object.fromEntries(table.map(([code, type]) => [type, code])) as {
  readonly [R in Row as R[1]]: R[0]
}
