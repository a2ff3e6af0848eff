import { defineApi } from '../api.js'
import { int16, int32, nullableString, since, string, struct } from '../wire/codec.js'

/** Heartbeat. */
export const heartbeatApi = defineApi({
  name: 'Heartbeat',
  key: 12,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
  }),
  response: struct({ throttleTimeMs: since(1, int32, 0), errorCode: int16 }),
})
