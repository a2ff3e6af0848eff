import { defineApi } from '../api.js'
import { array, int8, int16, int32, int64, since, string, struct } from '../wire/codec.js'

/** Timestamps with a meaning of their own. */
export const LIST_OFFSETS_TIMESTAMP = { latest: -1n, earliest: -2n, maxTimestamp: -3n } as const

/** ListOffsets. Timestamp -1 asks for the end, -2 for the start, -3 (version 7, KIP-734) for the largest timestamp. */
export const listOffsetsApi = defineApi({
  name: 'ListOffsets',
  key: 2,
  minVersion: 1,
  maxVersion: 7,
  flexibleFrom: 6,
  request: struct({
    replicaId: int32,
    isolationLevel: since(2, int8, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            currentLeaderEpoch: since(4, int32, -1),
            timestamp: int64,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            timestamp: int64,
            offset: int64,
            leaderEpoch: since(4, int32, -1),
          }),
        ),
      }),
    ),
  }),
})
