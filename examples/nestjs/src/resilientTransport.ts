import { ClientKafka, type KafkaOptions, ServerKafka } from '@nestjs/microservices'
import { KafkaLogger } from '@nestjs/microservices/helpers/kafka-logger.js'
import type { KafkaConfig } from 'kafkajs'
import { ResilientKafka, type ResilientKafkaOptions } from 'kafkajs-resilient-producer'

type NestOptions = Required<KafkaOptions>['options']

/** Nest's Kafka client, for `emit` and `send`, on ResilientKafka. Nest makes its `Kafka` in this one method. */
export class ResilientClientKafka extends ClientKafka {
  constructor(
    options: NestOptions,
    private readonly resilience: ResilientKafkaOptions = {},
  ) {
    super(options)
  }

  override createClient<T>(): T {
    const { brokers, clientId, logger, options } = this
    return createKafka({ ...options.client, brokers, clientId }, logger, this.resilience) as T
  }
}

/** Nest's Kafka server, for `@MessagePattern` and `@EventPattern`, on ResilientKafka. */
export class ResilientServerKafka extends ServerKafka {
  constructor(
    options: NestOptions,
    private readonly resilience: ResilientKafkaOptions = {},
  ) {
    super(options)
  }

  override createClient<T>(): T {
    const { brokers, clientId, logger, options } = this
    return createKafka({ ...options.client, brokers, clientId }, logger, this.resilience) as T
  }
}

/** As Nest configures it: with its own logger, unless the options bring one. */
const createKafka = (
  config: KafkaConfig,
  logger: unknown,
  resilience: ResilientKafkaOptions,
): ResilientKafka => new ResilientKafka({ logCreator: KafkaLogger.bind(null, logger), ...config }, resilience)
