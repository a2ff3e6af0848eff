import { defineApi } from '../api.js'
import { array, between, int16, int32, int64, nullableString, since, string, struct } from '../wire/codec.js'

/** OffsetCommit. */
export const offsetCommitApi = defineApi({
  name: 'OffsetCommit',
  key: 8,
  minVersion: 2,
  maxVersion: 8,
  flexibleFrom: 8,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionTimeMs: between(2, 4, int64, -1n),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(6, int32, -1),
            committedMetadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
    ),
  }),
})
