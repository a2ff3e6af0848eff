import { defineApi } from '../api.js'
import { boolean, int16, int32, int64, string, struct } from '../wire/codec.js'

/** EndTxn. Version 5 belongs to the second transaction protocol (KIP-890) and is not described here. */
export const endTxnApi = defineApi({
  name: 'EndTxn',
  key: 26,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, committed: boolean }),
  response: struct({ throttleTimeMs: int32, errorCode: int16 }),
})
