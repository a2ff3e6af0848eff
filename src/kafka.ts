import {
  type Admin,
  type AdminConfig,
  type ConsumerConfig,
  Kafka,
  type KafkaConfig,
  type ProducerConfig,
} from 'kafkajs'
import { subscribeByPolicy } from './client/consumer.js'
import { GroupMembership, type ResilientConsumer, withGroupMetadata } from './client/groupMetadata.js'
import { SubscribedTopics } from './client/subscribedTopics.js'
import { guardedLogger } from './logging/guardedLogger.js'
import { creationOfEnvironment } from './producer/options/environment.js'
import { resolveOptions } from './producer/options/options.js'
import {
  type ClientSources,
  combineOptions,
  giveSources,
  optionsAmong,
  sourcesOf,
} from './producer/options/sources.js'
import { producerOf } from './producer/producer.js'
import type { ResilientProducer, ResilientProducerOptions } from './producer/types.js'
import { AutoCreationEvidence } from './topics/index.js'
import { rememberConfig, seeingRequests, withQuietQueues } from './transport/kafkajs/index.js'

/**
 * The options of all producers of a {@link ResilientKafka}; `topics` is the policy of its consumers too. `transactionalId` is not among them:
 * producers that share it fence each other.
 */
export interface ResilientKafkaOptions extends Omit<ResilientProducerOptions, 'transactionalId'> {}

/**
 * kafkajs's `Kafka`, with resilient producers and one topic policy for producers, consumers and admins.
 *
 * The policy is `options.topics`. Where it has no `create`, the environment variable RESILIENT_KAFKA_TOPICS (`broker`, `admin` or `never`) counts,
 * which is read once, by the constructor; otherwise `broker`.
 *
 * @example
 * const kafka = new ResilientKafka({ brokers: ['localhost:9092'] }, { topics: { create: 'never' } })
 * const producer = kafka.producer()
 */
export class ResilientKafka extends Kafka {
  /** Of all subscriptions together: each has a directory of its own. */
  readonly #autoCreation = new AutoCreationEvidence()

  /**
   * @param config - kafkajs's configuration: brokers, credentials, logger
   * @param options - of all producers, and the topic policy
   * @throws {@link InvalidOptionsError} that lists every problem, and where RESILIENT_KAFKA_TOPICS is none of the three
   * @example
   * const kafka = new ResilientKafka({ brokers: ['localhost:9092'], ssl: true }, { deliveryTimeoutMs: 60_000 })
   */
  constructor(config: KafkaConfig, options: ResilientKafkaOptions = {}) {
    super(config)
    // Read once: a policy that changed under the clients that are made later would be none.
    const create = options?.topics?.create === undefined ? creationOfEnvironment() : undefined
    const sources: ClientSources = {
      options,
      retry: config.retry,
      requestTimeout: config.enforceRequestTimeout === false ? undefined : config.requestTimeout,
      create: () => create,
    }
    resolveOptions(combineOptions({ client: sources }))
    giveSources(this, sources)
    rememberConfig(this, config)
  }

  /**
   * Makes a producer. It connects with its `connect()`.
   *
   * @param config - kafkajs's ProducerConfig, each field with kafkajs's meaning; it overrides all options
   * @param options - of this producer; they override those of this Kafka
   * @throws {@link InvalidOptionsError} that lists every problem
   * @example
   * const producer = kafka.producer({ idempotent: true }, { lingerMs: 5 })
   */
  override producer(config?: ProducerConfig, options?: ResilientProducerOptions): ResilientProducer {
    const misplaced = optionsAmong(config)
    if (misplaced.length > 0)
      this.logger().warn(
        `producer() ignores ${misplaced.join(', ')}, no field of kafkajs's ProducerConfig: give it as the second argument.`,
      )
    return producerOf(this, config, options)
  }

  /**
   * kafkajs's consumer, whose `subscribe` waits until its topics exist, by the policy: `broker` and `admin` have them created, `never` waits
   * for `waitForMs`. A RegExp creates nothing. `allowAutoTopicCreation` overrides the policy: true is `broker`, false is `never`. Its
   * `groupMetadata()` is its membership in its group, for `sendOffsets` in a transaction.
   *
   * @throws {@link InvalidOptionsError}. Its `subscribe` rejects as a producer's `send` to that topic would, for example with
   *   {@link UnknownTopicError}, and with {@link ConsumerDisconnectedError} when `disconnect()` comes first
   * @example
   * const consumer = kafka.consumer({ groupId: 'billing' })
   * await consumer.connect()
   * await consumer.subscribe({ topics: ['orders'] })
   */
  override consumer(config: ConsumerConfig): ResilientConsumer {
    const allowAutoTopicCreation = config?.allowAutoTopicCreation
    const settings = resolveOptions(
      combineOptions({ config: { allowAutoTopicCreation }, client: sourcesOf(this) }),
    )
    const topics = new SubscribedTopics()
    const membership = new GroupMembership()
    const consumer = seeingRequests(
      this,
      () => super.consumer({ ...config, allowAutoTopicCreation: false }),
      {
        requested: names => topics.requested(names),
        mayCreate: names => topics.mayCreate(names),
        joined: joined => membership.joined(joined),
      },
    )
    const subscribing = subscribeByPolicy(consumer, topics, {
      kafka: this,
      settings,
      logger: guardedLogger(consumer.logger()),
      autoCreation: this.#autoCreation,
    })
    return withGroupMetadata(subscribing, config.groupId, membership)
  }

  /**
   * kafkajs's admin.
   *
   * @throws never
   * @example
   * const admin = kafka.admin()
   * await admin.connect()
   * console.log(await admin.listTopics())
   * await admin.disconnect()
   */
  override admin(config?: AdminConfig): Admin {
    return withQuietQueues(this, () => super.admin(config))
  }
}
