import { Kafka, type KafkaConfig, type ProducerConfig } from 'kafkajs'
import { creationOfEnvironment } from './producer/environment.js'
import { resolveOptions } from './producer/options.js'
import { producerOf } from './producer/producer.js'
import { type ClientSources, combineOptions, giveSources } from './producer/sources.js'
import type { ResilientProducer, ResilientProducerOptions } from './producer/types.js'

/** The options of all producers of a {@link ResilientKafka}; `topics` is the policy of its consumers and admins too. */
export interface ResilientKafkaOptions extends ResilientProducerOptions {}

/**
 * kafkajs's `Kafka`, with resilient producers and one topic policy over producers, consumers and admins.
 *
 * The policy is `options.topics`; where it has no `create`, the environment variable RESILIENT_KAFKA_TOPICS (`broker`, `admin` or
 * `never`), read here; else `broker`.
 */
export class ResilientKafka extends Kafka {
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
  }

  /**
   * @param config kafkajs's, each field with kafkajs's meaning; above all options
   * @param options of this producer; above those of this Kafka
   * @throws {InvalidOptionsError} that lists every problem
   */
  override producer(config?: ProducerConfig, options?: ResilientProducerOptions): ResilientProducer {
    return producerOf(this, config, options)
  }
}
