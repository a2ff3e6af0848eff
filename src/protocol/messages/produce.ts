import { defineApi } from '../api.js'
import {
  array,
  between,
  int16,
  int32,
  int64,
  nullableBytes,
  nullableString,
  since,
  string,
  struct,
  tagged,
  uuid,
  ZERO_UUID,
} from '../wire/codec.js'

/**
 * Produce. Version 8 adds record errors (KIP-467), version 10 the hint to the current leader (KIP-951); from version 13
 * on topics go by their ids (KIP-516). Requests are laid out by `delivery/` around the record batches, without a copy;
 * this definition reads them on the server and reads the response on both sides.
 */
export const produceApi = defineApi({
  name: 'Produce',
  key: 0,
  minVersion: 3,
  maxVersion: 13,
  flexibleFrom: 9,
  request: struct({
    transactionalId: nullableString,
    acks: int16,
    timeoutMs: int32,
    topicData: array(
      struct({
        name: between(0, 12, string, ''),
        topicId: since(13, uuid, ZERO_UUID),
        partitionData: array(struct({ index: int32, records: nullableBytes })),
      }),
    ),
  }),
  response: struct({
    responses: array(
      struct({
        name: between(0, 12, string, ''),
        topicId: since(13, uuid, ZERO_UUID),
        partitionResponses: array(
          struct({
            index: int32,
            errorCode: int16,
            baseOffset: int64,
            logAppendTimeMs: int64,
            logStartOffset: since(5, int64, -1n),
            recordErrors: since(
              8,
              array(struct({ batchIndex: int32, batchIndexErrorMessage: nullableString })),
              [],
            ),
            errorMessage: since(8, nullableString, null),
            currentLeader: tagged(0, 10, struct({ leaderId: int32, leaderEpoch: int32 }), {
              leaderId: -1,
              leaderEpoch: -1,
            }),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32,
    nodeEndpoints: tagged(
      0,
      10,
      array(struct({ nodeId: int32, host: string, port: int32, rack: nullableString })),
      [],
    ),
  }),
})
