/** OffsetCommit, versions 2-8: by members of the group's generation, or from outside while the group is empty. */

import { ERROR } from '../../protocol/errorCodes.js'
import { offsetCommitApi } from '../../protocol/messages/offsetCommit.js'
import { groupError } from './coordinator.js'
import { serve } from './served.js'

export const offsetCommit = serve(offsetCommitApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, topics: [...first.topics, ...second.topics] }),
  },
  handle: ({ groupId, memberId, generationId, topics }, context) => {
    const { groups } = context.cluster
    const wrongBroker = groupError(groupId, context)
    const errorCode =
      wrongBroker !== ERROR.NONE
        ? wrongBroker
        : groups.findOrCreate(groupId).commitError(memberId, generationId)
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(each => {
          if (errorCode !== ERROR.NONE) return { partitionIndex: each.partitionIndex, errorCode }
          if (!context.cluster.topics.get(name)?.partitions[each.partitionIndex]) {
            return { partitionIndex: each.partitionIndex, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
          }
          groups.commit(groupId, name, each.partitionIndex, {
            offset: each.committedOffset,
            leaderEpoch: each.committedLeaderEpoch,
            metadata: each.committedMetadata,
          })
          return { partitionIndex: each.partitionIndex, errorCode }
        }),
      })),
    }
  },
  refuse: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})
