import { defineApi } from '../api.js'
import { array, int16, int32, int64, string, struct } from '../wire/codec.js'

/** DeleteRecords. Offset -1: up to the end. */
export const deleteRecordsApi = defineApi({
  name: 'DeleteRecords',
  key: 21,
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    topics: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, offset: int64 })) }),
    ),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, lowWatermark: int64, errorCode: int16 })),
      }),
    ),
  }),
})
