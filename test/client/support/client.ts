import { type Consumer, type ConsumerRunConfig, type KafkaConfig, logLevel } from 'kafkajs'
import { ResilientKafka, type ResilientKafkaOptions } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, type EmbeddedKafkaOptions } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach } from 'vitest'

/** A cluster for each test, and clients on it that are disconnected before the cluster is closed. */
export class Place {
  cluster!: EmbeddedKafka
  private readonly clients: { disconnect(): Promise<void> }[] = []

  static forEachTest(options: EmbeddedKafkaOptions = {}): Place {
    const place = new Place()
    beforeEach(async () => {
      place.cluster = await EmbeddedKafka.start(options)
    })
    afterEach(async () => {
      await Promise.all(place.clients.splice(0).map(each => each.disconnect()))
      // Fails the test on connections that were left open.
      await place.cluster.close()
    })
    return place
  }

  kafka(options?: ResilientKafkaOptions, config: Partial<KafkaConfig> = {}): ResilientKafka {
    return new ResilientKafka(
      { clientId: 'client', brokers: this.cluster.bootstrap, logLevel: logLevel.NOTHING, ...config },
      options,
    )
  }

  ends<Client extends { disconnect(): Promise<void> }>(client: Client): Client {
    this.clients.push(client)
    return client
  }

  consumer(options?: ResilientKafkaOptions, config: object = {}): Consumer {
    return this.ends(this.kafka(options).consumer({ groupId: 'group', maxWaitTimeInMs: 100, ...config }))
  }

  /** The metadata requests so far: what they name, and whether they may create it. */
  get asked(): { topics: readonly string[] | null | undefined; create: boolean | undefined }[] {
    return this.cluster.journal
      .of('Metadata')
      .map(({ topics, allowAutoTopicCreation }) => ({ topics, create: allowAutoTopicCreation }))
  }

  /** The topics that some metadata request named and allowed to be created. */
  get allowed(): string[] {
    return [...new Set(this.asked.flatMap(({ topics, create }) => (create ? (topics ?? ['(all)']) : [])))]
  }
}

/** Runs a consumer until it has had so many messages; their values, as they came. */
export const consume = async (
  consumer: Consumer,
  count: number,
  config: ConsumerRunConfig = {},
): Promise<string[]> => {
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer
      .run({
        ...config,
        eachMessage: async ({ message }) => {
          values.push(`${message.value}`)
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  return values
}

/** What a promise is rejected with. */
export const failureOf = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it was not rejected')
}
