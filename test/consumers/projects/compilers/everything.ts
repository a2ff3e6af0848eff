// Names every kind of thing that the package exports, in syntax that any module setting takes.
import { Kafka, type Producer, type ProducerBatch } from 'kafkajs'
import {
  createResilientProducer,
  DeliveryTimeoutError,
  type MetricsRegistry,
  ResilientKafka,
  type ResilientProducer,
  type ResilientProducerOptions,
  SendError,
} from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { delivered, EmbeddedKafka, errorCode, type StoredRecord } from 'kafkajs-resilient-producer/testing'

const options: ResilientProducerOptions = { lingerMs: 5, topics: { create: 'admin', partitions: 3 } }
const kafka: Kafka = new ResilientKafka({ brokers: ['localhost:9092'] }, options)
const producer: ResilientProducer = traced(createResilientProducer(new Kafka({ brokers: [] }), options))
const dropIn: Producer = producer

export async function example(
  batch: ProducerBatch,
  registry: MetricsRegistry,
): Promise<readonly StoredRecord[]> {
  kafka.producer().logger().info('made')
  createResilientProducer(kafka, { metrics: { registry } })
  try {
    await dropIn.sendBatch(batch)
  } catch (error) {
    if (error instanceof SendError)
      for (const { topic, messageIndexes } of error.failed) console.log(topic, messageIndexes)
    else if (error instanceof DeliveryTimeoutError) console.log(error.topic, error.partition, error.outcome)
    else throw error
  }
  const cluster = await EmbeddedKafka.start({ brokers: 3 })
  cluster.on('Produce', errorCode(6), { times: 1 })
  const records = await delivered(cluster, 'orders', 1)
  await cluster.close()
  return records
}
