import { defineApi } from '../api.js'
import { array, int16, int32, int64, string, struct } from '../wire/codec.js'

/** AddPartitionsToTxn. Version 4 and on are for brokers (KIP-890). */
export const addPartitionsToTxnApi = defineApi({
  name: 'AddPartitionsToTxn',
  key: 24,
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 3,
  request: struct({
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    topics: array(struct({ name: string, partitions: array(int32) })),
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(
      struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }),
    ),
  }),
})
