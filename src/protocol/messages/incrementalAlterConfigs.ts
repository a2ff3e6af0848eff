import { defineApi } from '../api.js'
import { array, boolean, int8, int16, int32, nullableString, string, struct } from '../wire/codec.js'

/** What is done with one setting (AlterConfigOp.OpType). */
export const CONFIG_OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/** IncrementalAlterConfigs (KIP-339). */
export const incrementalAlterConfigsApi = defineApi({
  name: 'IncrementalAlterConfigs',
  key: 44,
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 1,
  request: struct({
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: array(struct({ name: string, configOperation: int8, value: nullableString })),
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
