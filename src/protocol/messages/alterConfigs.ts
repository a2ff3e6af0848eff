import { defineApi } from '../api.js'
import { array, boolean, int8, int16, int32, nullableString, string, struct } from '../wire/codec.js'

/** AlterConfigs: replaces all of a resource's own settings. */
export const alterConfigsApi = defineApi({
  name: 'AlterConfigs',
  key: 33,
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: array(struct({ name: string, value: nullableString })),
      }),
    ),
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: int32,
    responses: array(
      struct({ errorCode: int16, errorMessage: nullableString, resourceType: int8, resourceName: string }),
    ),
  }),
})
