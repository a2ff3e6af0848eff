import { defineApi } from '../api.js'
import {
  array,
  int8,
  int16,
  int32,
  int64,
  nullableArray,
  nullableBytes,
  nullableString,
  since,
  string,
  struct,
  tagged,
} from '../wire/codec.js'

/** Fetch. Version 9 adds the leader epoch (KIP-320), version 12 is flexible; 13 and on go by topic id and are not described here. */
export const fetchApi = defineApi({
  name: 'Fetch',
  key: 1,
  minVersion: 4,
  maxVersion: 12,
  flexibleFrom: 12,
  request: struct({
    replicaId: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32,
    isolationLevel: int8,
    sessionId: since(7, int32, 0),
    sessionEpoch: since(7, int32, -1),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: since(9, int32, -1),
            fetchOffset: int64,
            lastFetchedEpoch: since(12, int32, -1),
            logStartOffset: since(5, int64, -1n),
            partitionMaxBytes: int32,
          }),
        ),
      }),
    ),
    forgottenTopicsData: since(7, array(struct({ topic: string, partitions: array(int32) })), []),
    rackId: since(11, string, ''),
    clusterId: tagged(0, 12, nullableString, null),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: since(7, int16, 0),
    sessionId: since(7, int32, 0),
    responses: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            highWatermark: int64,
            lastStableOffset: int64,
            logStartOffset: since(5, int64, -1n),
            abortedTransactions: nullableArray(struct({ producerId: int64, firstOffset: int64 })),
            preferredReadReplica: since(11, int32, -1),
            records: nullableBytes,
            divergingEpoch: tagged(0, 12, struct({ epoch: int32, endOffset: int64 }), {
              epoch: -1,
              endOffset: -1n,
            }),
            currentLeader: tagged(1, 12, struct({ leaderId: int32, leaderEpoch: int32 }), {
              leaderId: -1,
              leaderEpoch: -1,
            }),
          }),
        ),
      }),
    ),
  }),
})
