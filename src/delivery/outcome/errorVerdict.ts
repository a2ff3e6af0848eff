import { ERROR, errorCode } from '../../protocol/errorCodes.js'

/** What a broker's answer for one batch means for it. */
export type ErrorVerdict =
  | 'written'
  /** Another broker leads the partition now, or none does. */
  | 'moved'
  | 'retry'
  | 'split'
  /** The broker's state of the sequence does not fit. */
  | 'sequence'
  /** The broker does not take this producer id any more. */
  | 'identity'
  | 'refused'

const verdicts = new Map<number, ErrorVerdict>([
  [ERROR.NONE, 'written'],
  // The broker has the batch already, and only its offset is not known any more.
  [ERROR.DUPLICATE_SEQUENCE_NUMBER, 'written'],
  [ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'moved'],
  [ERROR.LEADER_NOT_AVAILABLE, 'moved'],
  [ERROR.NOT_LEADER_OR_FOLLOWER, 'moved'],
  [ERROR.REPLICA_NOT_AVAILABLE, 'moved'],
  [ERROR.FENCED_LEADER_EPOCH, 'moved'],
  [ERROR.UNKNOWN_LEADER_EPOCH, 'moved'],
  [ERROR.UNKNOWN_TOPIC_ID, 'moved'],
  [ERROR.KAFKA_STORAGE_ERROR, 'moved'],
  [ERROR.MESSAGE_TOO_LARGE, 'split'],
  [ERROR.RECORD_LIST_TOO_LARGE, 'split'],
  [ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, 'sequence'],
  [ERROR.UNKNOWN_PRODUCER_ID, 'sequence'],
  [ERROR.INVALID_PRODUCER_EPOCH, 'sequence'],
  [ERROR.INVALID_PRODUCER_ID_MAPPING, 'identity'],
  [ERROR.PRODUCER_FENCED, 'identity'],
])

/** They say nothing of the log themselves: the leader had appended and gave the offset, or had not. */
const decidedByOffset = new Set<number>([ERROR.NOT_LEADER_OR_FOLLOWER, ERROR.KAFKA_STORAGE_ERROR])

const appended = new Set<number>([
  ERROR.REQUEST_TIMED_OUT,
  ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ERROR.UNKNOWN_SERVER_ERROR,
])

/**
 * Whether an error leaves open that the batch stands in the log. A leader that loses its office, or its disk, while it
 * waits for the replicas answers with that error, and with the offset it gave (DelayedProduce.scala). Beside any other error an offset
 * says nothing: some brokers answer 0 where Kafka answers -1 (kfake).
 */
export const mayBeWritten = (code: number, baseOffset: bigint): boolean =>
  appended.has(code) || (decidedByOffset.has(code) && baseOffset >= 0n)

export const verdictOf = (code: number): ErrorVerdict =>
  verdicts.get(code) ?? (errorCode(code).retriable ? 'retry' : 'refused')
