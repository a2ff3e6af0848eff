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
 * The options of all producers of a {@link ResilientKafka}; `topics` is the policy of its consumers and admins too. A
 * `transactionalId` is one producer's: those that share it fence each other.
 */
export interface ResilientKafkaOptions extends Omit<ResilientProducerOptions, 'transactionalId'> {}

/**
 * kafkajs's `Kafka`, with resilient producers and one topic policy over producers, consumers and admins.
 *
 * The policy is `options.topics`; where it has no `create`, the environment variable RESILIENT_KAFKA_TOPICS (`broker`, `admin` or
 * `never`), read here; else `broker`.
 */
export class ResilientKafka extends Kafka {
  /** Of all subscriptions together: each has a directory of its own. */
  readonly #autoCreation = new AutoCreationEvidence()

  /**
   * @throws {InvalidOptionsError} that lists every problem, and where RESILIENT_KAFKA_TOPICS is none of the three
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
   * @param config kafkajs's, each field with kafkajs's meaning; above all options
   * @param options of this producer; above those of this Kafka
   * @throws {InvalidOptionsError} that lists every problem
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
   * kafkajs's consumer, whose `subscribe` waits until its topics are there, by the policy: `broker` and `admin` have them created,
   * `never` waits for `waitForMs`. A RegExp creates nothing. `allowAutoTopicCreation` is above the policy: true is `broker`,
   * false `never`.
   *
   * `subscribe` rejects as a producer's `send` would for that topic, as with UnknownTopicError.
   *
   * Its `groupMetadata()` says who it is in its group, for `sendOffsets` in a transaction.
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

  /** kafkajs's admin. */
  override admin(config?: AdminConfig): Admin {
    return withQuietQueues(this, () => super.admin(config))
  }
}
