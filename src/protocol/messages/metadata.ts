import { defineApi } from '../api.js'
import {
  array,
  between,
  boolean,
  int16,
  int32,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  uuid,
  ZERO_UUID,
} from '../wire/codec.js'

const NO_AUTHORIZED_OPERATIONS = -2147483648

/**
 * Metadata (MetadataRequest.json, MetadataResponse.json). `topics: null` means *all topics* on the wire, so clients
 * build their requests with `metadata/query.ts`, whose type has no such case; only a server has to read it.
 */
export const metadataApi = defineApi({
  name: 'Metadata',
  key: 3,
  minVersion: 0,
  maxVersion: 13,
  flexibleFrom: 9,
  request: struct({
    topics: nullableArray(
      struct({
        topicId: since(10, uuid, ZERO_UUID),
        name: nullableString,
      }),
    ),
    allowAutoTopicCreation: since(4, boolean, true),
    includeClusterAuthorizedOperations: between(8, 10, boolean, false),
    includeTopicAuthorizedOperations: since(8, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    brokers: array(
      struct({
        nodeId: int32,
        host: string,
        port: int32,
        rack: since(1, nullableString, null),
      }),
    ),
    clusterId: since(2, nullableString, null),
    controllerId: since(1, int32, -1),
    topics: array(
      struct({
        errorCode: int16,
        name: nullableString,
        topicId: since(10, uuid, ZERO_UUID),
        isInternal: since(1, boolean, false),
        partitions: array(
          struct({
            errorCode: int16,
            partitionIndex: int32,
            leaderId: int32,
            leaderEpoch: since(7, int32, -1),
            replicaNodes: array(int32),
            isrNodes: array(int32),
            offlineReplicas: since(5, array(int32), []),
          }),
        ),
        topicAuthorizedOperations: since(8, int32, NO_AUTHORIZED_OPERATIONS),
      }),
    ),
    clusterAuthorizedOperations: between(8, 10, int32, NO_AUTHORIZED_OPERATIONS),
    errorCode: since(13, int16, 0),
  }),
})
