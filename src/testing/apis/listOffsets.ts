/**
 * ListOffsets, versions 1-7: start (-2), end (-1; for readers of committed records the last stable offset), the
 * largest timestamp (-3), or the first record at or after a timestamp, found by its batch's largest timestamp and
 * then record by record.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { LIST_OFFSETS_TIMESTAMP, listOffsetsApi } from '../../protocol/messages/listOffsets.js'
import { decodeBatch } from '../../protocol/records/decode.js'
import { UnreadableCompressionError } from '../../protocol/records/decompress/decompress.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { type LogEntry, servedBytes } from '../state/log.js'
import type { Partition } from '../state/topics/topic.js'
import { epochError } from './leaderEpoch.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof listOffsetsApi.request>
type Wanted = Request['topics'][number]['partitions'][number]
type Answer = Encodable<typeof listOffsetsApi.response>['topics'][number]['partitions'][number]

interface Found {
  readonly offset: number
  readonly timestamp: bigint
}

const NOTHING: Found = { offset: -1, timestamp: -1n }

/** The first record of a batch at or after a timestamp; of an opaque one its first offset. */
const firstSince = (entry: LogEntry, timestamp: bigint): Found => {
  const whole = { offset: entry.baseOffset, timestamp: entry.header.maxTimestamp }
  try {
    const record = decodeBatch(servedBytes([entry])).records.find(each => each.timestamp >= timestamp)
    return record ? { offset: Number(record.offset), timestamp: record.timestamp } : whole
  } catch (error) {
    if (error instanceof UnreadableCompressionError) return whole
    throw error
  }
}

const find = ({ log }: Partition, timestamp: bigint, committedOnly: boolean): Found => {
  if (timestamp === LIST_OFFSETS_TIMESTAMP.earliest) return { offset: log.startOffset, timestamp: -1n }
  if (timestamp === LIST_OFFSETS_TIMESTAMP.latest) {
    return { offset: committedOnly ? log.lastStableOffset : log.endOffset, timestamp: -1n }
  }
  const entries = log.from(log.startOffset)
  if (timestamp === LIST_OFFSETS_TIMESTAMP.maxTimestamp) {
    const largest = entries.reduce<LogEntry | undefined>(
      (best, entry) => (best && best.header.maxTimestamp >= entry.header.maxTimestamp ? best : entry),
      undefined,
    )
    return largest ? firstSince(largest, largest.header.maxTimestamp) : NOTHING
  }
  const entry = entries.find(({ header }) => header.maxTimestamp >= timestamp)
  return entry ? firstSince(entry, timestamp) : NOTHING
}

const failed = (partitionIndex: number, errorCode: number): Answer => ({
  partitionIndex,
  errorCode,
  timestamp: -1n,
  offset: -1n,
})

const answer = (
  name: string,
  { partitionIndex, timestamp, currentLeaderEpoch }: Wanted,
  committedOnly: boolean,
  { cluster, node }: RequestContext,
): Answer => {
  if (cluster.acl.isDenied(name, 'describe')) return failed(partitionIndex, ERROR.TOPIC_AUTHORIZATION_FAILED)
  const partition = cluster.visibleTopic(name, node)?.partitions[partitionIndex]
  if (!partition) return failed(partitionIndex, ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  if (partition.leader !== node) return failed(partitionIndex, ERROR.NOT_LEADER_OR_FOLLOWER)
  const wrongEpoch = epochError(currentLeaderEpoch, partition.leaderEpoch)
  if (wrongEpoch !== ERROR.NONE) return failed(partitionIndex, wrongEpoch)
  const found = find(partition, timestamp, committedOnly)
  return {
    partitionIndex,
    errorCode: ERROR.NONE,
    timestamp: found.timestamp,
    offset: BigInt(found.offset),
    leaderEpoch: partition.leaderEpoch,
  }
}

export const listOffsets = serve(listOffsetsApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, topics: [...first.topics, ...second.topics] }),
  },
  handle: ({ topics, isolationLevel }, context) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(wanted => answer(name, wanted, isolationLevel === 1, context)),
    })),
  }),
  refuse: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => failed(partitionIndex, errorCode)),
    })),
  }),
})
