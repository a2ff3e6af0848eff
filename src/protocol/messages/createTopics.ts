import { defineApi } from '../api.js'
import {
  array,
  boolean,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  tagged,
  uuid,
  ZERO_UUID,
} from '../wire/codec.js'

/** CreateTopics. From version 4 on, -1 partitions or replicas ask for the broker's default (KIP-464). */
export const createTopicsApi = defineApi({
  name: 'CreateTopics',
  key: 19,
  minVersion: 0,
  maxVersion: 7,
  flexibleFrom: 5,
  request: struct({
    topics: array(
      struct({
        name: string,
        numPartitions: int32,
        replicationFactor: int16,
        assignments: array(struct({ partitionIndex: int32, brokerIds: array(int32) })),
        configs: array(struct({ name: string, value: nullableString })),
      }),
    ),
    timeoutMs: int32,
    validateOnly: since(1, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    topics: array(
      struct({
        name: string,
        topicId: since(7, uuid, ZERO_UUID),
        errorCode: int16,
        errorMessage: since(1, nullableString, null),
        numPartitions: since(5, int32, -1),
        replicationFactor: since(5, int16, -1),
        configs: since(
          5,
          nullableArray(
            struct({
              name: string,
              value: nullableString,
              readOnly: boolean,
              configSource: int8,
              isSensitive: boolean,
            }),
          ),
          null,
        ),
        topicConfigErrorCode: tagged(0, 5, int16, 0),
      }),
    ),
  }),
})
