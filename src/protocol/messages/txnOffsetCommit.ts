import { defineApi } from '../api.js'
import { array, int16, int32, int64, nullableString, since, string, struct } from '../wire/codec.js'

/** TxnOffsetCommit. From version 3 on with the member's generation (KIP-447). */
export const txnOffsetCommitApi = defineApi({
  name: 'TxnOffsetCommit',
  key: 28,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: since(3, int32, -1),
    memberId: since(3, string, ''),
    groupInstanceId: since(3, nullableString, null),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(2, int32, -1),
            committedMetadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
    ),
  }),
})
