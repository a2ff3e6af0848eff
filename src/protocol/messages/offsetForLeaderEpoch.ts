import { defineApi } from '../api.js'
import { array, int16, int32, int64, since, string, struct } from '../wire/codec.js'

/** OffsetForLeaderEpoch (KIP-101, KIP-320). */
export const offsetForLeaderEpochApi = defineApi({
  name: 'OffsetForLeaderEpoch',
  key: 23,
  minVersion: 2,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    replicaId: since(3, int32, -2),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: int32,
            leaderEpoch: int32,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            errorCode: int16,
            partition: int32,
            leaderEpoch: int32,
            endOffset: int64,
          }),
        ),
      }),
    ),
  }),
})
