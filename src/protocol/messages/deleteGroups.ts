import { defineApi } from '../api.js'
import { array, int16, int32, string, struct } from '../wire/codec.js'

/** DeleteGroups. */
export const deleteGroupsApi = defineApi({
  name: 'DeleteGroups',
  key: 42,
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({ groupsNames: array(string) }),
  response: struct({ throttleTimeMs: int32, results: array(struct({ groupId: string, errorCode: int16 })) }),
})
