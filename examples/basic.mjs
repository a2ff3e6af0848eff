// One record to a topic that may not exist yet. KAFKA_BROKERS=localhost:9092 node examples/basic.mjs
import { ResilientKafka } from 'kafkajs-resilient-producer'

const kafka = new ResilientKafka({ brokers: process.env.KAFKA_BROKERS.split(',') })
const producer = kafka.producer()
await producer.connect()

const [written] = await producer.send({ topic: 'orders', messages: [{ value: JSON.stringify({ id: 7 }) }] })
console.log(`written to ${written.topicName}, partition ${written.partition}, offset ${written.baseOffset}`)

await producer.disconnect()
