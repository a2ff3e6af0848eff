import { ERROR } from 'kafkajs-resilient-producer/testing'
import type { createTopicsApi } from '../../../src/protocol/messages/createTopics.js'
import type { Encodable } from '../../../src/protocol/wire/codec.js'

export type TopicSpec = Encodable<typeof createTopicsApi.request>['topics'][number]

/** A topic to be created. */
export const spec = (name: string, more: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})

/** Topics that the controller of two brokers refuses beside `there` and `a_b`, and its words; tried on a real Kafka too. */
export const refusedTopics: [name: string, spec: TopicSpec, errorCode: number, errorMessage: string][] = [
  ['an existing topic', spec('there'), ERROR.TOPIC_ALREADY_EXISTS, "Topic 'there' already exists."],
  [
    'a name that is none',
    spec('a b'),
    ERROR.INVALID_TOPIC_EXCEPTION,
    "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
  ],
  [
    'a collision',
    spec('a.b'),
    ERROR.INVALID_TOPIC_EXCEPTION,
    "Topic 'a.b' collides with existing topic: a_b",
  ],
  [
    'too many replicas',
    spec('t', { replicationFactor: 38 }),
    ERROR.INVALID_REPLICATION_FACTOR,
    'Unable to replicate the partition 38 time(s): The target replication factor of 38 cannot be reached because only 2 broker(s) are registered or some brokers have all their log directories cordoned.',
  ],
  [
    'no replicas',
    spec('t', { replicationFactor: 0 }),
    ERROR.INVALID_REPLICATION_FACTOR,
    'Replication factor must be larger than 0, or -1 to use the default value.',
  ],
  [
    'no partitions',
    spec('t', { numPartitions: 0 }),
    ERROR.INVALID_PARTITIONS,
    'Number of partitions was set to an invalid non-positive value.',
  ],
  [
    'an unknown setting',
    spec('t', { configs: [{ name: 'x.y', value: '1' }] }),
    ERROR.INVALID_CONFIG,
    'Unknown topic config name: x.y',
  ],
  [
    'a setting of another type',
    spec('t', { configs: [{ name: 'retention.ms', value: 'soon' }] }),
    ERROR.INVALID_CONFIG,
    'Invalid value soon for configuration retention.ms: Not a number of type LONG',
  ],
  [
    'assignments beside a number of partitions',
    spec('t', { replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [0] }] }),
    ERROR.INVALID_REQUEST,
    'A manual partition assignment was specified, but numPartitions was not set to -1.',
  ],
  [
    'a broker that is not there',
    spec('t', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: [7] }],
    }),
    ERROR.INVALID_REPLICA_ASSIGNMENT,
    'The manual partition assignment includes broker 7, but no such broker is registered.',
  ],
]
