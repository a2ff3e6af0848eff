import { createRequire } from 'node:module'
import { KafkaJsInstrumentation } from '@opentelemetry/instrumentation-kafkajs'
import type { Kafka as KafkaClass, Producer } from 'kafkajs'
import { logLevel } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

let cluster: EmbeddedKafka
beforeEach(async () => {
  cluster = await EmbeddedKafka.start()
})
afterEach(() => cluster.close())

/** The lines about instrumentations after each of the producers of one Kafka was connected. */
const hints = async (...makers: ((kafka: ResilientKafka) => Producer)[]): Promise<string[]> => {
  const lines: string[] = []
  const kafka = new ResilientKafka({
    brokers: cluster.bootstrap,
    logLevel: logLevel.INFO,
    logCreator:
      () =>
      ({ level, log }) => {
        if (/instrumentation/.test(log.message))
          lines.push(`${level === logLevel.INFO ? 'INFO' : level}: ${log.message}`)
      },
  })
  for (const make of makers) {
    const producer = make(kafka)
    await producer.connect()
    await producer.disconnect()
  }
  return lines
}
const plain = (kafka: ResilientKafka): Producer => kafka.producer()

test('without an instrumentation of kafkajs, nothing is said of one', async () => {
  expect(await hints(plain)).toEqual([])
})

describe('where OpenTelemetry’s is active', () => {
  const instrumentation = new KafkaJsInstrumentation({ enabled: false })
  beforeAll(() => {
    instrumentation.enable()
    createRequire(import.meta.url)('kafkajs')
  })
  afterAll(() => instrumentation.disable())

  test('one INFO line says so, for all producers of a Kafka', async () => {
    expect(await hints(plain, plain)).toEqual([
      expect.stringMatching(/^INFO: .*It sees the consumers, and not this producer.*traced\(\)/),
    ])
  })

  test('none does where traced() is used', async () => {
    expect(await hints(kafka => traced(kafka.producer()))).toEqual([])
  })

  test('none does where the producer’s own methods are wrapped', async () => {
    const wrapped = (kafka: ResilientKafka): Producer => {
      const producer = kafka.producer()
      Object.assign(producer.send, { __wrapped: true })
      return producer
    }
    expect(await hints(wrapped)).toEqual([])
  })
})

test('a class in the place of kafkajs’s own, as dd-trace puts there, is one too', async () => {
  const { Kafka } = createRequire(import.meta.url)('kafkajs') as { Kafka: typeof KafkaClass }
  const original = Object.getPrototypeOf(Kafka)
  Object.setPrototypeOf(Kafka, class BaseKafka {})
  try {
    expect(await hints(plain)).toHaveLength(1)
  } finally {
    Object.setPrototypeOf(Kafka, original)
  }
})
