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
  | 'refused'

const verdicts = new Map<number, ErrorVerdict>([
  [ERROR.none, 'written'],
  // The broker has the batch already, and only its offset is not known any more.
  [ERROR.duplicateSequence, 'written'],
  [ERROR.unknownTopicOrPartition, 'moved'],
  [ERROR.leaderNotAvailable, 'moved'],
  [ERROR.notLeaderOrFollower, 'moved'],
  [ERROR.replicaNotAvailable, 'moved'],
  [ERROR.fencedLeaderEpoch, 'moved'],
  [ERROR.unknownLeaderEpoch, 'moved'],
  [ERROR.unknownTopicId, 'moved'],
  [ERROR.kafkaStorageError, 'moved'],
  [ERROR.messageTooLarge, 'split'],
  [ERROR.recordListTooLarge, 'split'],
  [ERROR.outOfOrderSequence, 'sequence'],
  [ERROR.unknownProducerId, 'sequence'],
  [ERROR.invalidProducerEpoch, 'sequence'],
])

const appended = new Set<number>([ERROR.requestTimedOut, ERROR.notEnoughReplicasAfterAppend, ERROR.unknown])

/**
 * Whether an error leaves open that the batch stands in the log. A leader that loses its office, or its disk, while it
 * waits for the replicas answers with that error, and with the offset it gave (DelayedProduce.scala).
 */
export const mayBeWritten = (code: number, baseOffset: bigint): boolean =>
  appended.has(code) || baseOffset >= 0n

export const verdictOf = (code: number): ErrorVerdict =>
  verdicts.get(code) ?? (errorCode(code).retriable ? 'retry' : 'refused')
