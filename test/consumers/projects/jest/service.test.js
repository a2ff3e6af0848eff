import net from 'node:net'
import { CompressionTypes, Kafka } from 'kafkajs'
import {
  BrokersUnreachableError,
  createResilientProducer,
  InvalidOptionsError,
  ResilientKafka,
} from 'kafkajs-resilient-producer'
import { EmbeddedKafka, kafkaMatchers } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { placeOrder } from './orders'

expect.extend(kafkaMatchers)

let cluster
beforeEach(async () => {
  cluster = await EmbeddedKafka.start()
})
afterEach(() => cluster.close())

test('an order is announced', async () => {
  await placeOrder({ brokers: cluster.bootstrap, id: 7 })
  await expect(cluster).toHaveDelivered('orders', [{ key: '7', value: { id: 7 } }])
  await expect(cluster).not.toHaveDelivered('orders', [])
})

test('a large batch is compressed by each codec that is there', async () => {
  const producer = createResilientProducer(new Kafka({ brokers: cluster.bootstrap, logLevel: 0 }))
  await producer.connect()
  // In jsdom, Jest loads the native packages' code for browsers.
  const native = typeof window === 'undefined' ? [CompressionTypes.Snappy, CompressionTypes.LZ4] : []
  // From 16 KiB on node:zlib answers with a promise, which is of Node's realm and not of the test's.
  for (const compression of [CompressionTypes.GZIP, ...native])
    await producer.send({
      topic: `codec-${compression}`,
      messages: [{ value: 'x'.repeat(100_000) }],
      compression,
    })
  await producer.disconnect()
  expect(cluster.records('codec-1')[0].value.length).toBe(100_000)
})

test('bytes of the test’s own realm are taken', async () => {
  const producer = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: 0 }).producer()
  await producer.connect()
  await producer.send({
    topic: 'bytes',
    messages: [{ key: new Uint8Array([97]), value: new Uint8Array([98]) }],
  })
  await producer.disconnect()
  await expect(cluster).toHaveDelivered('bytes', [{ key: 'a', value: 'b' }])
})

test('metrics, and errors as classes', async () => {
  const registry = new Registry()
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: 0 })
  createResilientProducer(kafka, { metrics: { registry } })
  expect(await registry.metrics()).toContain('kafka_resilient_producer_')
  expect(() => createResilientProducer(kafka, { bufferBytes: -1 })).toThrow(InvalidOptionsError)
})

test('a broker that is not there is an error of this package, whose cause is the socket’s', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: 0 })
  const error = await createResilientProducer(kafka, { metadataRetry: { retries: 1, minTimeoutMs: 1 } })
    .connect()
    .catch(thrown => thrown)
  expect(error).toBeInstanceOf(BrokersUnreachableError)
  expect(error.message).toMatch(/ECONNREFUSED/)
  expect(error.message).not.toMatch(/Error: connect/)
})
