import { defineApi } from '../api.js'
import {
  array,
  between,
  boolean,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
} from '../wire/codec.js'

const requestTopic = struct({ name: string, partitionIndexes: array(int32) })
const responseTopic = struct({
  name: string,
  partitions: array(
    struct({
      partitionIndex: int32,
      committedOffset: int64,
      committedLeaderEpoch: since(5, int32, -1),
      metadata: nullableString,
      errorCode: int16,
    }),
  ),
})

/** OffsetFetch. Version 8 asks for many groups at once (KIP-709). Topics null: all that have offsets. */
export const offsetFetchApi = defineApi({
  name: 'OffsetFetch',
  key: 9,
  minVersion: 1,
  maxVersion: 8,
  flexibleFrom: 6,
  request: struct({
    groupId: between(1, 7, string, ''),
    topics: between(1, 7, nullableArray(requestTopic), null),
    groups: since(8, array(struct({ groupId: string, topics: nullableArray(requestTopic) })), []),
    requireStable: since(7, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: between(1, 7, array(responseTopic), []),
    errorCode: between(2, 7, int16, 0),
    groups: since(8, array(struct({ groupId: string, topics: array(responseTopic), errorCode: int16 })), []),
  }),
})
