import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { EmbeddedKafka, type EmbeddedKafkaOptions } from 'kafkajs-resilient-producer/testing'
import { afterEach, vi } from 'vitest'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export const finally_ = (cleanup: () => unknown): void => {
  cleanups.push(cleanup)
}

export const startCluster = async (options: EmbeddedKafkaOptions = {}): Promise<EmbeddedKafka> => {
  const cluster = await EmbeddedKafka.start({ autoCreate: false, ...options })
  finally_(() => cluster.close({ clients: 'may-stay' }))
  return cluster
}

export const makeProducer = (
  brokers: KafkaConfig['brokers'],
  options: ResilientProducerOptions = {},
  config: Partial<KafkaConfig> = {},
): ResilientProducer => {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, ...config })
  const producer = createResilientProducer(kafka, options)
  finally_(() => producer.disconnect({ timeoutMs: 0 }))
  return producer
}

export const send = (producer: ResilientProducer, topic: string, value: string, rest: object = {}) =>
  producer.send({ topic, messages: [{ value }], ...rest })

/** Lets time pass for whoever reads the clock, not for timers. */
export const passTime = (ms: number): void => {
  const { now } = performance
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + ms)
}

export const values = (cluster: EmbeddedKafka, topic: string): string[] =>
  cluster.records(topic).map(record => String(record.value))
