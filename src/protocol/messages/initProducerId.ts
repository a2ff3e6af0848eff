import { defineApi } from '../api.js'
import { int16, int32, int64, nullableString, since, struct } from '../wire/codec.js'

/** InitProducerId (KIP-98, KIP-360). */
export const initProducerIdApi = defineApi({
  name: 'InitProducerId',
  key: 22,
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 2,
  request: struct({
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1n),
    producerEpoch: since(3, int16, -1),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64,
    producerEpoch: int16,
  }),
})
