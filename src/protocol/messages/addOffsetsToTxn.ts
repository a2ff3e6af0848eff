import { defineApi } from '../api.js'
import { int16, int32, int64, string, struct } from '../wire/codec.js'

/** AddOffsetsToTxn. */
export const addOffsetsToTxnApi = defineApi({
  name: 'AddOffsetsToTxn',
  key: 25,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string }),
  response: struct({ throttleTimeMs: int32, errorCode: int16 }),
})
