import { defineApi } from '../api.js'
import { array, int16, int32, int64, since, string, struct } from '../wire/codec.js'

const replicaState = struct({
  replicaId: int32,
  logEndOffset: int64,
  /** ms since the epoch, by the leader's clock; -1 of the leader itself. */
  lastFetchTimestamp: since(1, int64, -1n),
  /** ms since the epoch, by the leader's clock; of the leader itself: now. */
  lastCaughtUpTimestamp: since(1, int64, -1n),
})

/** DescribeQuorum (KIP-595, KIP-836): the state of KRaft's metadata log, and the one answer that tells a broker's clock. */
export const describeQuorumApi = defineApi({
  name: 'DescribeQuorum',
  key: 55,
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  request: struct({
    topics: array(struct({ topicName: string, partitions: array(struct({ partitionIndex: int32 })) })),
  }),
  response: struct({
    errorCode: int16,
    topics: array(
      struct({
        topicName: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            leaderId: int32,
            leaderEpoch: int32,
            highWatermark: int64,
            currentVoters: array(replicaState),
            observers: array(replicaState),
          }),
        ),
      }),
    ),
  }),
})
