import { defineApi } from '../api.js'
import {
  array,
  between,
  int16,
  int32,
  nullableString,
  since,
  string,
  struct,
  uuid,
  ZERO_UUID,
} from '../wire/codec.js'

/** DeleteTopics. From version 6 on by name or by topic id. */
export const deleteTopicsApi = defineApi({
  name: 'DeleteTopics',
  key: 20,
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 4,
  request: struct({
    topics: since(6, array(struct({ name: nullableString, topicId: uuid })), []),
    topicNames: between(0, 5, array(string), []),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    responses: array(
      struct({
        name: nullableString,
        topicId: since(6, uuid, ZERO_UUID),
        errorCode: int16,
        errorMessage: since(5, nullableString, null),
      }),
    ),
  }),
})
