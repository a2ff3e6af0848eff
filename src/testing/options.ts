import type { ApiName } from './apis/names.js'
import type { Gate } from './gate.js'
import type { ProfileName } from './model/profiles.js'
import type { KafkaVersion } from './model/versions.js'

/** How the brokers create topics that a metadata request names with the creation flag. */
export interface AutoCreateOptions {
  /**
   * What is answered while a topic is being created: `kraft` UNKNOWN_TOPIC_OR_PARTITION (3), as Kafka 3 and 4 with
   * KRaft; `zk` LEADER_NOT_AVAILABLE (5), as brokers on ZooKeeper. Default: that of `version`, `zk` before 3.3.
   */
  readonly style?: 'kraft' | 'zk'
  /**
   * How many answers name a topic with the creation flag before it exists: 0 creates it within the first one; a gate
   * creates it once it opens. Default 1.
   */
  readonly createdAfter?: number | Gate
  /** Milliseconds from the first request for a topic to its creation, in place of `createdAfter`. */
  readonly createdAfterMs?: number
  /** How many answers then show its partitions without a leader (5, leader -1). Default 0. */
  readonly leaderAfter?: number | Gate
  /** Topics that stay unknown for ever. */
  readonly never?: (topic: string) => boolean
  /** Topics the client may not create: TOPIC_AUTHORIZATION_FAILED (29). */
  readonly denied?: (topic: string) => boolean
  /** `num.partitions`. Default 1. */
  readonly partitions?: number
  /** `default.replication.factor`. Default 1. */
  readonly replicationFactor?: number
}

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

export interface ListenerOptions {
  /** PEM; the listener then speaks TLS. */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer }
  /** Connections have to authenticate before they are served. */
  readonly sasl?: {
    /** Passwords by user name, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
    readonly users?: Readonly<Record<string, string>>
    /** Whose token this is, for OAUTHBEARER; undefined: nobody's, and it is refused. */
    readonly principalOfToken?: (token: string) => string | undefined
    /** `sasl.enabled.mechanisms`. Default: those for which there are users or tokens. */
    readonly mechanisms?: readonly SaslMechanism[]
    /** `connections.max.reauth.ms` (KIP-368): a session that is not renewed in time is cut. Default 0: no limit. */
    readonly sessionLifetimeMs?: number
  }
}

export interface EmbeddedKafkaOptions {
  /** How many brokers; their node ids count from 0. Default 1, or those of the profile. */
  readonly brokers?: number
  /** The port of broker 0, the others follow. Default 0: free ports. */
  readonly basePort?: number
  /** False: `auto.create.topics.enable=false` on every broker. Default: on, in the style of KRaft, after one answer; or as the profile. */
  readonly autoCreate?: AutoCreateOptions | false
  /** Every random choice comes from it. Default 1. */
  readonly seed?: number
  /**
   * The release of Kafka that the brokers play: the APIs and versions that it lists, the auto-creation of its time, and where a leader
   * answered otherwise then. Default: the newest, with every version that is implemented.
   */
  readonly version?: KafkaVersion | `${KafkaVersion}.${number}`
  /** A hosted or look-alike broker to play instead. `version` and `maxVersions` narrow it further. */
  readonly profile?: ProfileName
  /** The highest versions the brokers offer, to play older ones; 'none' takes an API away. Goes before `version` and `profile`. */
  readonly maxVersions?: Readonly<Partial<Record<ApiName, number | 'none'>>>
  /** Settings of all brokers (server.properties). */
  readonly config?: Readonly<Record<string, string>>
  /** Settings of single brokers by node id, over `config`. */
  readonly brokerConfig?: Readonly<Record<number, Readonly<Record<string, string>>>>
  readonly listeners?: ListenerOptions
  /** How many entries the journal keeps at least. Default: all; for clusters that run long. */
  readonly journalLimit?: number
}

/** How a topic is made by {@link EmbeddedKafka.createTopic}. */
export interface TopicSpec {
  /** Default: `num.partitions`. */
  readonly partitions?: number
  /** Default: `default.replication.factor`. */
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string>>
  /** The leader of each partition; -1: none. Default: spread over the brokers. */
  readonly leaders?: readonly number[]
}
