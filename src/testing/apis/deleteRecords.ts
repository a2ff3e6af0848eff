/** DeleteRecords, versions 0-2: moves a partition's start; -1 means its end. */

import { ERROR } from '../../protocol/errorCodes.js'
import { deleteRecordsApi } from '../../protocol/messages/deleteRecords.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { type RequestContext, serve } from './served.js'

type Wanted = Decoded<typeof deleteRecordsApi.request>['topics'][number]['partitions'][number]
type Answer = Encodable<typeof deleteRecordsApi.response>['topics'][number]['partitions'][number]

const failed = (partitionIndex: number, errorCode: number): Answer => ({
  partitionIndex,
  lowWatermark: -1n,
  errorCode,
})

const remove = (name: string, wanted: Wanted, { cluster, node }: RequestContext): Answer => {
  const { partitionIndex, offset } = wanted
  if (cluster.acl.isDenied(name, 'delete')) return failed(partitionIndex, ERROR.TOPIC_AUTHORIZATION_FAILED)
  const partition = cluster.visibleTopic(name, node)?.partitions[partitionIndex]
  if (!partition) return failed(partitionIndex, ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  if (partition.leader !== node) return failed(partitionIndex, ERROR.NOT_LEADER_OR_FOLLOWER)
  const { log } = partition
  const upTo = offset === -1n ? log.endOffset : Number(offset)
  if (upTo < 0 || upTo > log.endOffset) return failed(partitionIndex, ERROR.OFFSET_OUT_OF_RANGE)
  log.deleteBefore(upTo)
  return { partitionIndex, lowWatermark: BigInt(log.startOffset), errorCode: ERROR.NONE }
}

export const deleteRecords = serve(deleteRecordsApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, topics: [...first.topics, ...second.topics] }),
  },
  handle: ({ topics }, context) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(wanted => remove(name, wanted, context)),
    })),
  }),
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => failed(partitionIndex, errorCode)),
    })),
  }),
})
