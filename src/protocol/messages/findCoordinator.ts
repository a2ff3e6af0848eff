import { defineApi } from '../api.js'
import { array, between, int8, int16, int32, nullableString, since, string, struct } from '../wire/codec.js'

/** FindCoordinator. Key type 0: groups, 1: transactions. Version 4 asks for many keys at once (KIP-699). */
export const findCoordinatorApi = defineApi({
  name: 'FindCoordinator',
  key: 10,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    key: between(0, 3, string, ''),
    keyType: since(1, int8, 0),
    coordinatorKeys: since(4, array(string), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: between(0, 3, int16, 0),
    errorMessage: between(1, 3, nullableString, null),
    nodeId: between(0, 3, int32, -1),
    host: between(0, 3, string, ''),
    port: between(0, 3, int32, -1),
    coordinators: since(
      4,
      array(
        struct({
          key: string,
          nodeId: int32,
          host: string,
          port: int32,
          errorCode: int16,
          errorMessage: nullableString,
        }),
      ),
      [],
    ),
  }),
})
