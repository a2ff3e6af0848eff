import { Kafka, logLevel, type Producer, type RecordMetadata } from 'kafkajs'
import { createResilientProducer, type ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, type EmbeddedKafkaOptions } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'

const clusterOptions: EmbeddedKafkaOptions = { brokers: 2, autoCreate: { style: 'kraft', createdAfter: 2 } }
const cluster = await EmbeddedKafka.start(clusterOptions)

const registry = new Registry()
const options: ResilientProducerOptions = {
  lingerMs: 0,
  deliveryTimeoutMs: 30_000,
  metadataRetry: {
    retries: 20,
    minTimeoutMs: 1,
    onRetry: ({ topic, attempt }) => void `${topic} ${attempt}`,
  },
  topics: { create: 'broker', rules: [{ match: /^audit\./, create: 'never' }] },
  metrics: { registry, topicLabel: ['orders'] },
}
// @ts-expect-error a misspelt option is refused
const misspelt: ResilientProducerOptions = { lingerMS: 5 }
void misspelt

const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
const producer = createResilientProducer(kafka, options)
// Drop-in: wherever kafkajs's own type is asked for.
const dropIn: Producer = producer
const { send } = dropIn

await dropIn.connect()
const sent: RecordMetadata[] = await send({ topic: 'orders', messages: [{ key: 'a', value: '1' }] })
await dropIn.sendBatch({ topicMessages: [{ topic: 'payments', messages: [{ value: Buffer.from('2') }] }] })
const admitted: boolean = producer.enqueue('payments', { value: '3' }, error => {
  if (error) throw error
})
if (!admitted) await producer.ready()
await producer.flush({ timeoutMs: 5_000 })
await dropIn.disconnect()

if (sent[0]?.topicName !== 'orders') throw new Error('no metadata')
if (!(await registry.metrics()).includes('kafka_resilient_producer_records_sent_total'))
  throw new Error('no metrics')
const delivered = ['orders', 'payments'].flatMap(topic => cluster.records(topic)).length
await cluster.close()
console.log(`delivered ${delivered} to 2 topics`)
