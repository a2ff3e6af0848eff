import { defineApi } from '../api.js'
import { array, boolean, int8, int16, int32, nullableString, since, string, struct } from '../wire/codec.js'

/** DescribeCluster (KIP-700). */
export const describeClusterApi = defineApi({
  name: 'DescribeCluster',
  key: 60,
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  request: struct({ includeClusterAuthorizedOperations: boolean, endpointType: since(1, int8, 1) }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    endpointType: since(1, int8, 1),
    clusterId: string,
    controllerId: int32,
    brokers: array(struct({ brokerId: int32, host: string, port: int32, rack: nullableString })),
    clusterAuthorizedOperations: int32,
  }),
})
