import type { Gate } from '../gate.js'
import type { ApiName } from './apiNames.js'
import type { ProfileName } from './profiles.js'
import type { KafkaVersion } from './versions.js'

/** How the brokers create topics that a metadata request names with the creation flag. */
export interface AutoCreateOptions {
  /**
   * What is answered while a topic is being created: `kraft` UNKNOWN_TOPIC_OR_PARTITION (3), as Kafka 3 and 4 with KRaft; `zk`
   * LEADER_NOT_AVAILABLE (5), as brokers on ZooKeeper.
   *
   * @defaultValue that of `version`: 'zk' before 3.3, then 'kraft'
   */
  readonly style?: 'kraft' | 'zk'
  /**
   * After how many answers that name a topic with the creation flag it exists: 0 creates it within the first one; a gate creates it when it opens.
   *
   * @defaultValue 1
   * @example { createdAfter: cluster.gate() }
   */
  readonly createdAfter?: number | Gate
  /**
   * The time from the first request for a topic to its creation, in ms, instead of `createdAfter`.
   *
   * @defaultValue none
   */
  readonly createdAfterMs?: number
  /**
   * How many answers then show its partitions without a leader (error code 5, leader -1).
   *
   * @defaultValue 0
   * @example { leaderAfter: cluster.gate() }
   */
  readonly leaderAfter?: number | Gate
  /**
   * Topics that are never created.
   *
   * @defaultValue none
   * @example { never: topic => topic.startsWith('tmp-') }
   */
  readonly never?: (topic: string) => boolean
  /**
   * Topics that the client may not create: TOPIC_AUTHORIZATION_FAILED (29).
   *
   * @defaultValue none
   * @example { denied: topic => topic.startsWith('internal-') }
   */
  readonly denied?: (topic: string) => boolean
  /**
   * The brokers' `num.partitions`.
   *
   * @defaultValue 1
   */
  readonly partitions?: number
  /**
   * The brokers' `default.replication.factor`.
   *
   * @defaultValue 1
   */
  readonly replicationFactor?: number
}

/** The SASL mechanisms that the brokers have. */
export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

/** How the brokers listen. */
export interface ListenerOptions {
  /**
   * The brokers' private key and certificate, as PEM: the listeners then speak TLS.
   *
   * @defaultValue none: plain text
   * @example
   * import { readFileSync } from 'node:fs'
   * await EmbeddedKafka.start({ listeners: { tls: { key: readFileSync('key.pem'), cert: readFileSync('cert.pem') } } })
   */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer }
  /**
   * Connections have to authenticate before they are served.
   *
   * @defaultValue none: no authentication
   * @example { sasl: { users: { alice: 'secret' }, mechanisms: ['SCRAM-SHA-256'] } }
   */
  readonly sasl?: {
    /**
     * Passwords by user name, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
     *
     * @defaultValue none
     */
    readonly users?: Readonly<Record<string, string>>
    /**
     * Whose token it is, for OAUTHBEARER; a token for which it answers undefined is refused.
     *
     * @defaultValue none
     */
    readonly principalOfToken?: (token: string) => string | undefined
    /**
     * The brokers' `sasl.enabled.mechanisms`.
     *
     * @defaultValue those for which there are users or tokens
     */
    readonly mechanisms?: readonly SaslMechanism[]
    /**
     * The brokers' `connections.max.reauth.ms` (KIP-368): a session that is not renewed in time is cut. 0: no limit.
     *
     * @defaultValue 0 ms
     */
    readonly sessionLifetimeMs?: number
  }
}

/** The options of {@link EmbeddedKafka.start}. */
export interface EmbeddedKafkaOptions {
  /**
   * How many brokers there are; their node ids count from 0.
   *
   * @defaultValue 1, or that of the profile
   */
  readonly brokers?: number
  /**
   * The port of broker 0; the others have the next ones. 0: free ports.
   *
   * @defaultValue 0
   */
  readonly basePort?: number
  /**
   * How topics are auto-created; false: `auto.create.topics.enable=false` on every broker.
   *
   * @defaultValue on, in the style of KRaft, after one answer; or as the profile
   * @example { autoCreate: { style: 'zk', createdAfter: 3 } }
   */
  readonly autoCreate?: AutoCreateOptions | false
  /**
   * The seed of every random choice.
   *
   * @defaultValue 1
   */
  readonly seed?: number
  /**
   * The release of Kafka that the brokers play: the APIs and versions that it lists, its auto-creation, and where its leaders answered
   * otherwise.
   *
   * @defaultValue the newest, with every version that is implemented
   * @example { version: '2.8' }
   */
  readonly version?: KafkaVersion | `${KafkaVersion}.${number}`
  /**
   * A hosted service or other make of broker to play: see {@link profiles}. `version` and `maxVersions` narrow it further.
   *
   * @defaultValue none: Kafka
   * @example { profile: 'event-hubs' }
   */
  readonly profile?: ProfileName
  /**
   * The highest versions of APIs that the brokers offer; 'none' takes an API away. Overrides `version` and `profile`.
   *
   * @defaultValue those of `version`
   * @example { maxVersions: { Produce: 9, InitProducerId: 'none' } }
   */
  readonly maxVersions?: Readonly<Partial<Record<ApiName, number | 'none'>>>
  /**
   * Settings of all brokers (server.properties).
   *
   * @defaultValue Kafka's own
   * @example { config: { 'message.max.bytes': '2048' } }
   */
  readonly config?: Readonly<Record<string, string>>
  /**
   * Settings of single brokers by node id; they override `config`.
   *
   * @defaultValue none
   * @example { brokerConfig: { 1: { 'auto.create.topics.enable': 'false' } } }
   */
  readonly brokerConfig?: Readonly<Record<number, Readonly<Record<string, string>>>>
  /**
   * TLS and SASL.
   *
   * @defaultValue plain text without authentication
   * @example { listeners: { sasl: { users: { alice: 'secret' } } } }
   */
  readonly listeners?: ListenerOptions
  /**
   * How many entries the journal keeps at least: for clusters that run long.
   *
   * @defaultValue all
   */
  readonly journalLimit?: number
}

/** How a topic is made by {@link EmbeddedKafka.createTopic}. */
export interface TopicSpec {
  /**
   * The number of partitions.
   *
   * @defaultValue the brokers' `num.partitions`
   */
  readonly partitions?: number
  /**
   * The number of replicas of each partition.
   *
   * @defaultValue the brokers' `default.replication.factor`
   */
  readonly replicationFactor?: number
  /**
   * The topic's configuration.
   *
   * @defaultValue none
   * @example { configs: { 'max.message.bytes': '2048' } }
   */
  readonly configs?: Readonly<Record<string, string>>
  /**
   * The leader of each partition, by node id; -1: none.
   *
   * @defaultValue spread over the brokers
   * @example { partitions: 2, leaders: [0, -1] }
   */
  readonly leaders?: readonly number[]
}
