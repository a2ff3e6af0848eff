import { defineApi } from '../api.js'
import { array, boolean, bytes, int16, int32, nullableString, since, string, struct } from '../wire/codec.js'

/** DescribeGroups. */
export const describeGroupsApi = defineApi({
  name: 'DescribeGroups',
  key: 15,
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 5,
  request: struct({ groups: array(string), includeAuthorizedOperations: since(3, boolean, false) }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    groups: array(
      struct({
        errorCode: int16,
        groupId: string,
        groupState: string,
        protocolType: string,
        protocolData: string,
        members: array(
          struct({
            memberId: string,
            groupInstanceId: since(4, nullableString, null),
            clientId: string,
            clientHost: string,
            memberMetadata: bytes,
            memberAssignment: bytes,
          }),
        ),
        authorizedOperations: since(3, int32, -2147483648),
      }),
    ),
  }),
})
