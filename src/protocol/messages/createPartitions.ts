import { defineApi } from '../api.js'
import { array, boolean, int16, int32, nullableArray, nullableString, string, struct } from '../wire/codec.js'

/** CreatePartitions. */
export const createPartitionsApi = defineApi({
  name: 'CreatePartitions',
  key: 37,
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 2,
  request: struct({
    topics: array(
      struct({ name: string, count: int32, assignments: nullableArray(struct({ brokerIds: array(int32) })) }),
    ),
    timeoutMs: int32,
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ name: string, errorCode: int16, errorMessage: nullableString })),
  }),
})
