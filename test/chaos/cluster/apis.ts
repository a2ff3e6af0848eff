import { defineApi } from '../../../src/protocol/api.js'
import {
  array,
  boolean,
  bytes,
  float64,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  struct,
} from '../../../src/protocol/wire/codec.js'

/*
 * What the scenarios ask of a cluster beyond what a producer needs: one version each, that brokers from 2.8 on know.
 */

/** AlterPartitionReassignments 0. */
export const alterPartitionReassignmentsApi = defineApi({
  name: 'AlterPartitionReassignments',
  key: 45,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  request: struct({
    timeoutMs: int32,
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, replicas: nullableArray(int32) })),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    responses: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, errorCode: int16, errorMessage: nullableString })),
      }),
    ),
  }),
})

/** ElectLeaders 1: type 0 makes the first replica the leader. */
export const electLeadersApi = defineApi({
  name: 'ElectLeaders',
  key: 43,
  minVersion: 1,
  maxVersion: 1,
  flexibleFrom: 2,
  request: struct({
    electionType: int8,
    topicPartitions: nullableArray(struct({ topic: string, partitions: array(int32) })),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    replicaElectionResults: array(
      struct({
        topic: string,
        partitionResult: array(
          struct({ partitionId: int32, errorCode: int16, errorMessage: nullableString }),
        ),
      }),
    ),
  }),
})

const quotaEntity = array(struct({ entityType: string, entityName: nullableString }))

/** AlterClientQuotas 0. */
export const alterClientQuotasApi = defineApi({
  name: 'AlterClientQuotas',
  key: 49,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 1,
  request: struct({
    entries: array(
      struct({
        entity: quotaEntity,
        ops: array(struct({ key: string, value: float64, remove: boolean })),
      }),
    ),
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: int32,
    entries: array(struct({ errorCode: int16, errorMessage: nullableString, entity: quotaEntity })),
  }),
})

/** AlterUserScramCredentials 0. Mechanism 1 is SCRAM-SHA-256. */
export const alterUserScramCredentialsApi = defineApi({
  name: 'AlterUserScramCredentials',
  key: 51,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  request: struct({
    deletions: array(struct({ name: string, mechanism: int8 })),
    upsertions: array(
      struct({ name: string, mechanism: int8, iterations: int32, salt: bytes, saltedPassword: bytes }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ user: string, errorCode: int16, errorMessage: nullableString })),
  }),
})
