import { type KafkaConfig, logLevel, type Message, type PartitionerArgs, type ProducerConfig } from 'kafkajs'
import {
  ResilientKafka,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { afterEach } from 'vitest'
import type { TestBroker } from '../../kafka/suite.js'
import { range } from '../../kafka/support/producing.js'

/** How a client of a spec is made: by kafkajs's own configurations, and by what only this package has. */
export interface ClientSetup {
  readonly kafka?: Partial<KafkaConfig>
  readonly options?: ResilientProducerOptions
}

export interface Clients {
  kafka(setup?: ClientSetup): ResilientKafka
  /** A producer that is disconnected when the test has ended. */
  producer(config?: ProducerConfig, setup?: ClientSetup): ResilientProducer
  /** The same, connected. */
  connected(config?: ProducerConfig, setup?: ClientSetup): Promise<ResilientProducer>
}

/** What takes the place of kafkajs's clients in its specs. To be called once in a suite. */
export const clientsOf = (broker: TestBroker): Clients => {
  const open: ResilientProducer[] = []
  afterEach(async () => {
    // Where a test failed, records may wait for what it would have done.
    await Promise.all(open.splice(0).map(producer => producer.disconnect({ timeoutMs: 2_000 })))
  })
  const kafka: Clients['kafka'] = ({ kafka = {}, options } = {}) =>
    new ResilientKafka(
      { brokers: broker.bootstrap, clientId: 'compat', logLevel: logLevel.NOTHING, ...kafka },
      options,
    )
  const producer: Clients['producer'] = (config, setup) => {
    const made = kafka(setup).producer(config)
    open.push(made)
    return made
  }
  return {
    kafka,
    producer,
    connected: async (config, setup) => {
      const made = producer(config, setup)
      await made.connect()
      return made
    },
  }
}

/** Keys with a number in them go to that number modulo 3: what kafkajs's own specs use for a partitioner. */
export const byNumberInKey =
  () =>
  ({ partitionMetadata, message }: PartitionerArgs): number => {
    const number = Number(String(message.key ?? '').replace(/\D/g, ''))
    return (number % 3) % partitionMetadata.length
  }

/** `key-0`: `value-0`, and so on. */
export const numbered = (count: number): Message[] =>
  range(count, index => ({ key: `key-${index}`, value: `value-${index}` }))

/** An answer for one topic-partition, as kafkajs's own producer gives it. */
export const metadata = (topicName: string, baseOffset: string, partition = 0) => ({
  topicName,
  partition,
  errorCode: 0,
  baseOffset,
  logAppendTime: '-1',
  logStartOffset: '0',
})
