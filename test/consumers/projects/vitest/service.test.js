import { CompressionTypes, Kafka } from 'kafkajs'
import {
  createResilientProducer,
  InvalidOptionsError,
  ResilientKafka,
  SendAbortedError,
} from 'kafkajs-resilient-producer'
import { EmbeddedKafka, kafkaMatchers } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'

expect.extend(kafkaMatchers)

let cluster
beforeEach(async () => {
  cluster = await EmbeddedKafka.start()
})
afterEach(() => cluster.close())

test('records are delivered, with bytes of the test’s own realm, compressed and counted', async () => {
  const registry = new Registry()
  const kafka = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: 0 }, { metrics: { registry } })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({
    topic: 'orders',
    messages: [{ key: new Uint8Array([97]), value: new Uint8Array([98]) }, { value: 'x'.repeat(100_000) }],
    compression: CompressionTypes.GZIP,
  })
  await producer.disconnect()
  await expect(cluster).toHaveDelivered('orders', [{ key: 'a', value: 'b' }, { value: 'x'.repeat(100_000) }])
  expect(await registry.metrics()).toContain('records_sent_total 2')
})

test('a signal of the test’s realm withdraws a send', async () => {
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: 0 })
  const producer = createResilientProducer(kafka, { lingerMs: 60_000 })
  await producer.connect()
  const controller = new AbortController()
  const sent = producer.send({ topic: 'orders', messages: [{ value: 'x' }], signal: controller.signal })
  controller.abort()
  await expect(sent).rejects.toThrow(SendAbortedError)
  await producer.disconnect()
})

test('errors are classes', () => {
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: 0 })
  expect(() => createResilientProducer(kafka, { bufferBytes: -1 })).toThrow(InvalidOptionsError)
})
