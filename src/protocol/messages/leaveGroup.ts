import { defineApi } from '../api.js'
import { array, between, int16, int32, nullableString, since, string, struct } from '../wire/codec.js'

/** LeaveGroup. From version 3 on several members may leave at once (KIP-345). */
export const leaveGroupApi = defineApi({
  name: 'LeaveGroup',
  key: 13,
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    memberId: between(0, 2, string, ''),
    members: since(
      3,
      array(
        struct({ memberId: string, groupInstanceId: nullableString, reason: since(5, nullableString, null) }),
      ),
      [],
    ),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    members: since(
      3,
      array(struct({ memberId: string, groupInstanceId: nullableString, errorCode: int16 })),
      [],
    ),
  }),
})
