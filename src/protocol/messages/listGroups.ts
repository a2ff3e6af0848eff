import { defineApi } from '../api.js'
import { array, int16, int32, since, string, struct } from '../wire/codec.js'

/** ListGroups. */
export const listGroupsApi = defineApi({
  name: 'ListGroups',
  key: 16,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({ statesFilter: since(4, array(string), []) }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    groups: array(struct({ groupId: string, protocolType: string, groupState: since(4, string, '') })),
  }),
})
