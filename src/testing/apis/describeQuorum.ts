/** DescribeQuorum, versions 0-1: every living broker is a voter that has caught up; the leader's time is this process's. */

import { ERROR } from '../../protocol/errorCodes.js'
import { describeQuorumApi } from '../../protocol/messages/describeQuorum.js'
import { serve } from './served.js'

export const describeQuorum = serve(describeQuorumApi, {
  handle: ({ topics }, { cluster }) => ({
    errorCode: ERROR.NONE,
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: ERROR.NONE,
        leaderId: cluster.controllerId,
        leaderEpoch: 1,
        highWatermark: 0n,
        currentVoters: cluster.aliveBrokers.map(({ id }) => ({
          replicaId: id,
          logEndOffset: 0n,
          lastFetchTimestamp: id === cluster.controllerId ? -1n : BigInt(Date.now()),
          lastCaughtUpTimestamp: BigInt(Date.now()),
        })),
        observers: [],
      })),
    })),
  }),
  refuse: (_request, errorCode) => ({ errorCode, topics: [] }),
})
