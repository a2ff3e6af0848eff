import type { ApiName } from './apiNames.js'
import type { KafkaVersion } from './versions.js'

/** The highest version of an API that is listed; `none`: the API is absent. */
export type ApiLimits = Readonly<Partial<Record<ApiName, number | 'none'>>>

/** What a broker that is not plain Kafka does otherwise. */
export interface Profile {
  /** The release it is closest to. What it lacks of that release is in `apis`. */
  readonly version: KafkaVersion
  readonly apis: ApiLimits
  readonly config: Readonly<Record<string, string>>
  readonly brokers: number
  readonly autoCreate: boolean
  /** False: DescribeConfigs of a broker is refused with CLUSTER_AUTHORIZATION_FAILED. */
  readonly describesBrokers: boolean
  /** The codecs (0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd) that it takes; others are UNSUPPORTED_FOR_MESSAGE_FORMAT. Default: as Kafka. */
  readonly codecs?: readonly number[]
  /** The only replication factor it takes; another one is POLICY_VIOLATION. */
  readonly replicationFactor?: number
}

const noTransactions: ApiLimits = {
  AddPartitionsToTxn: 'none',
  AddOffsetsToTxn: 'none',
  EndTxn: 'none',
  TxnOffsetCommit: 'none',
}

/**
 * Hosted and look-alike brokers, from their public documents and from ApiVersions answers that their users have published. Each plays what
 * a producer can notice; throughput limits and sign-in are not played.
 */
export const profiles = {
  /**
   * Azure Event Hubs, standard tier: Produce up to 7 and Metadata up to 5, no transactions, gzip alone, and a connection that is cut at a
   * request above 1,046,528 bytes (apache-kafka-configurations; oliveigah/klife#13, Azure/azure-event-hubs-for-kafka#209).
   */
  'event-hubs': {
    version: '2.0',
    apis: {
      Produce: 7,
      Fetch: 6,
      ListOffsets: 8,
      Metadata: 5,
      OffsetCommit: 8,
      OffsetFetch: 8,
      FindCoordinator: 4,
      JoinGroup: 9,
      Heartbeat: 4,
      LeaveGroup: 5,
      SaslAuthenticate: 1,
      DescribeConfigs: 2,
      CreatePartitions: 1,
      DeleteGroups: 0,
      AlterConfigs: 'none',
      DeleteRecords: 'none',
      ...noTransactions,
    },
    config: { 'socket.request.max.bytes': '1046528' },
    brokers: 1,
    autoCreate: true,
    describesBrokers: true,
    codecs: [0, 1],
  },

  /** Confluent Cloud: the newest Kafka with three replicas, auto-creation off, and brokers' settings that no client may read. */
  'confluent-cloud': {
    version: '4.4',
    apis: { DescribeQuorum: 'none' },
    config: {
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'message.max.bytes': '2097164',
      'num.partitions': '6',
    },
    brokers: 3,
    autoCreate: false,
    describesBrokers: false,
    replicationFactor: 3,
  },

  /** Amazon MSK Serverless: auto-creation off, brokers' settings are AWS's and cannot be read, records up to 1 MiB (serverless-config). */
  'msk-serverless': {
    version: '2.8',
    apis: {},
    config: {
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'message.max.bytes': '1048588',
    },
    brokers: 3,
    autoCreate: false,
    describesBrokers: false,
  },

  /** OCI Streaming: no idempotent producers, no transactions, no more partitions for a topic, few administrative APIs (kafkacompatibility). */
  'oci-streaming': {
    version: '2.0',
    apis: {
      InitProducerId: 'none',
      CreatePartitions: 'none',
      DeleteRecords: 'none',
      DescribeConfigs: 'none',
      AlterConfigs: 'none',
      OffsetForLeaderEpoch: 'none',
      ...noTransactions,
    },
    config: { 'message.max.bytes': '1048576' },
    brokers: 3,
    autoCreate: true,
    describesBrokers: false,
  },

  /** Redpanda, as its handlers are declared: Produce and Metadata up to 7, no topic ids, auto-creation off (auto_create_topics_enabled). */
  redpanda: {
    version: '2.8',
    apis: {
      Produce: 7,
      Metadata: 7,
      Fetch: 11,
      ListOffsets: 4,
      FindCoordinator: 2,
      CreateTopics: 5,
      InitProducerId: 1,
      AddPartitionsToTxn: 2,
      AddOffsetsToTxn: 1,
      EndTxn: 1,
      TxnOffsetCommit: 3,
      DescribeConfigs: 2,
    },
    config: {},
    brokers: 3,
    autoCreate: false,
    describesBrokers: true,
  },

  /** WarpStream: agents without logs of their own, so no epochs of leaders, no quorum, no deletion of records (protocol-and-feature-support). */
  warpstream: {
    version: '3.6',
    apis: {
      OffsetForLeaderEpoch: 'none',
      DeleteRecords: 'none',
      IncrementalAlterConfigs: 'none',
      DescribeQuorum: 'none',
    },
    config: {},
    brokers: 3,
    autoCreate: true,
    describesBrokers: true,
  },
} as const satisfies Record<string, Profile>

/** The name of one of the {@link profiles}. */
export type ProfileName = keyof typeof profiles
