// What a service has: its producer behind a function.
import { ResilientKafka as Kafka } from 'kafkajs-resilient-producer'

export async function placeOrder({ brokers, id }) {
  const kafka = new Kafka({ brokers, logLevel: 0 })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: String(id), value: JSON.stringify({ id }) }] })
  await producer.disconnect()
}
