import { Kafka, type Producer } from 'kafkajs'
import { createResilientProducer, ResilientKafka, UnknownTopicError } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, kafkaMatchers } from 'kafkajs-resilient-producer/testing'

expect.extend(kafkaMatchers)

describe('orders', () => {
  let cluster: EmbeddedKafka
  beforeEach(async () => {
    cluster = await EmbeddedKafka.start()
  })
  afterEach(() => cluster.close())

  it('are announced', async () => {
    const kafka: Kafka = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: 0 })
    const producer: Producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ key: '7', value: 'new' }] })
    await producer.disconnect()
    await expect(cluster).toHaveDelivered('orders', [{ key: '7', value: 'new' }])
  })

  it('are refused for a topic that may not be created', async () => {
    const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: 0 })
    const producer = createResilientProducer(kafka, { topics: { create: 'never', waitForMs: 0 } })
    await producer.connect()
    await expect(producer.send({ topic: 'orders', messages: [{ value: 'x' }] })).rejects.toThrow(
      UnknownTopicError,
    )
    await producer.disconnect()
  })
})
