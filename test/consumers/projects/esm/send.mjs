import assert from 'node:assert/strict'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { createResilientProducer, UnknownTopicError } from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'

const cluster = await EmbeddedKafka.start({ autoCreate: { never: topic => topic === 'never' } })
const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
const registry = new Registry()
const producer = traced(
  createResilientProducer(kafka, {
    metrics: { registry },
    topics: { rules: [{ match: 'never', create: 'never', waitForMs: 0 }] },
  }),
)
await producer.connect()
await producer.send({
  topic: 'orders',
  messages: [{ key: 'a', value: '1'.repeat(40_000) }, { value: '2' }],
  compression: CompressionTypes.GZIP,
})
await producer.send({ topic: 'payments', messages: [{ value: new Uint8Array([51]) }] })
await assert.rejects(producer.send({ topic: 'never', messages: [{ value: 'x' }] }), UnknownTopicError)
await producer.disconnect()
assert.match(await registry.metrics(), /kafka_resilient_producer_records_sent_total 3/)
const delivered = ['orders', 'payments'].flatMap(topic => cluster.records(topic)).length
await cluster.close()
console.log(`delivered ${delivered} to 2 topics`)
