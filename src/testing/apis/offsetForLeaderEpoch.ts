/** OffsetForLeaderEpoch, versions 2-4: where the log of a leader epoch ends, for clients that check for truncation. */

import { ERROR } from '../../protocol/errorCodes.js'
import { offsetForLeaderEpochApi } from '../../protocol/messages/offsetForLeaderEpoch.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { epochError } from './leaderEpoch.js'
import { type RequestContext, serve } from './served.js'

type Wanted = Decoded<typeof offsetForLeaderEpochApi.request>['topics'][number]['partitions'][number]
type Answer = Encodable<typeof offsetForLeaderEpochApi.response>['topics'][number]['partitions'][number]

const failed = (partition: number, errorCode: number): Answer => ({
  errorCode,
  partition,
  leaderEpoch: -1,
  endOffset: -1n,
})

const answer = (name: string, wanted: Wanted, { cluster, node }: RequestContext): Answer => {
  if (cluster.acl.isDenied(name, 'describe'))
    return failed(wanted.partition, ERROR.TOPIC_AUTHORIZATION_FAILED)
  const partition = cluster.visibleTopic(name, node)?.partitions[wanted.partition]
  if (!partition) return failed(wanted.partition, ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  if (partition.leader !== node) return failed(wanted.partition, ERROR.NOT_LEADER_OR_FOLLOWER)
  const wrongEpoch = epochError(wanted.currentLeaderEpoch, partition.leaderEpoch)
  if (wrongEpoch !== ERROR.NONE) return failed(wanted.partition, wrongEpoch)
  if (wanted.leaderEpoch > partition.leaderEpoch) return failed(wanted.partition, ERROR.NONE)
  const starts = partition.log.epochStarts()
  // The end of an epoch is where the next one that wrote begins.
  const next = starts.find(({ epoch }) => epoch > wanted.leaderEpoch)
  const own = starts.findLast(({ epoch }) => epoch <= wanted.leaderEpoch)
  return {
    errorCode: ERROR.NONE,
    partition: wanted.partition,
    leaderEpoch: next ? (own?.epoch ?? wanted.leaderEpoch) : wanted.leaderEpoch,
    endOffset: BigInt(next?.startOffset ?? partition.log.endOffset),
  }
}

export const offsetForLeaderEpoch = serve(offsetForLeaderEpochApi, {
  topics: {
    names: request => request.topics.map(({ topic }) => topic),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ topic }) => keep(topic)) }),
    join: (first, second) => ({ ...second, topics: [...first.topics, ...second.topics] }),
  },
  handle: ({ topics }, context) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(wanted => answer(topic, wanted, context)),
    })),
  }),
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => failed(partition, errorCode)),
    })),
  }),
})
