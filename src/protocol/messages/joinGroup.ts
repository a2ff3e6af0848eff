import { defineApi } from '../api.js'
import { array, boolean, bytes, int16, int32, nullableString, since, string, struct } from '../wire/codec.js'

/** JoinGroup. From version 4 on a new member is first given an id (KIP-394), from 5 on members may be static (KIP-345). */
export const joinGroupApi = defineApi({
  name: 'JoinGroup',
  key: 11,
  minVersion: 0,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    reason: since(8, nullableString, null),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: int32,
    protocolType: since(7, nullableString, null),
    protocolName: nullableString,
    leader: string,
    skipAssignment: since(9, boolean, false),
    memberId: string,
    members: array(
      struct({ memberId: string, groupInstanceId: since(5, nullableString, null), metadata: bytes }),
    ),
  }),
})
