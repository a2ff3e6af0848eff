import { ClientKafka, type KafkaOptions, ServerKafka } from '@nestjs/microservices'
import { KafkaLogger } from '@nestjs/microservices/helpers/kafka-logger.js'
import type { KafkaConfig } from 'kafkajs'
import { ResilientKafka, type ResilientKafkaOptions } from 'kafkajs-resilient-producer'

type NestOptions = Required<KafkaOptions>['options']
type Connected = ReturnType<ClientKafka['connect']>

/** Nest's Kafka client, for `emit` and `send`, on ResilientKafka. Nest makes its `Kafka` in this one method. */
export class ResilientClientKafka extends ClientKafka {
  private attempt: Connected | undefined

  constructor(
    options: NestOptions,
    private readonly resilience: ResilientKafkaOptions = {},
  ) {
    super(options)
  }

  /**
   * Nest keeps the promise of its first attempt: after one that failed, as with the brokers away when the service starts, each later
   * `emit` and `send` fails with it. Here a failed attempt is cleared away, and the next call tries again.
   */
  override connect(): Connected {
    this.attempt ??= this.tryToConnect()
    return this.attempt
  }

  private async tryToConnect(): Connected {
    try {
      return await super.connect()
    } catch (error) {
      // What it had connected by then; Nest forgets its promise with it.
      await super.close().catch(() => {})
      this.attempt = undefined
      throw error
    }
  }

  override async close(): Promise<void> {
    // Breaks off a producer's attempt that is on its way. One of kafkajs's consumer cannot be broken off: closed before it has ended, it
    // would leave its connection.
    await this._producer?.disconnect()
    await this.attempt?.catch(() => {})
    this.attempt = undefined
    await super.close()
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
