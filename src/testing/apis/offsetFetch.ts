/** OffsetFetch, versions 1-8; null topics ask for all that have offsets, version 8 for many groups at once. */

import { ERROR } from '../../protocol/errorCodes.js'
import { offsetFetchApi } from '../../protocol/messages/offsetFetch.js'
import type { Decoded } from '../../protocol/wire/codec.js'
import { groupError } from './coordinator.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof offsetFetchApi.request>
type Topics = Request['topics']

const read = (groupId: string, asked: Topics, { cluster }: RequestContext) => {
  const { groups } = cluster
  const topics =
    asked ??
    [...groups.committedTopics(groupId)].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => {
      const committed = groups.committed(groupId, name, partitionIndex)
      return {
        partitionIndex,
        committedOffset: committed?.offset ?? -1n,
        committedLeaderEpoch: committed?.leaderEpoch ?? -1,
        metadata: committed?.metadata ?? '',
        errorCode: ERROR.NONE,
      }
    }),
  }))
}

const failure = (asked: Topics, errorCode: number) =>
  (asked ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => ({
      partitionIndex,
      committedOffset: -1n,
      metadata: '',
      errorCode,
    })),
  }))

export const offsetFetch = serve(offsetFetchApi, {
  handle: ({ groupId, topics, groups }, context) => {
    const answer = (id: string, asked: Topics) => {
      const errorCode = groupError(id, context)
      return errorCode === ERROR.NONE
        ? { groupId: id, topics: read(id, asked, context), errorCode }
        : { groupId: id, topics: failure(asked, errorCode), errorCode }
    }
    if (context.version < 8) return answer(groupId, topics)
    return { groups: groups.map(each => answer(each.groupId, each.topics)) }
  },
  refuse: ({ topics, groups }, errorCode, { version }) =>
    version < 8
      ? { topics: failure(topics, errorCode), errorCode }
      : { groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) },
})
