// A stream of records: the source is held back while the buffer is full, and the pipeline ends when all are acknowledged.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ResilientKafka } from 'kafkajs-resilient-producer'

async function* readings() {
  for (let i = 0; i < 10_000; i++) yield { topic: `sensor-${i % 3}`, value: JSON.stringify({ i }) }
}

const kafka = new ResilientKafka({ brokers: process.env.KAFKA_BROKERS.split(',') })
const producer = kafka.producer()
await producer.connect()
await pipeline(Readable.from(readings()), producer.writable())
console.log('10000 readings to 3 topics')
await producer.disconnect()
