// Records with a key keep their order: those of one key are on one partition, in the order of the sends.
import { ResilientKafka, SendError } from 'kafkajs-resilient-producer'

const kafka = new ResilientKafka({ brokers: process.env.KAFKA_BROKERS.split(',') })
const producer = kafka.producer()
await producer.connect()

const states = ['placed', 'paid', 'sent'].map(state => ({ key: 'order-7', value: state }))
try {
  await producer.send({ topic: 'order-states', messages: states })
  console.log('three states, in order')
} catch (error) {
  // A part may have been written: what failed, and why, is in the error.
  if (error instanceof SendError) console.error(error.failed)
  else throw error
} finally {
  await producer.disconnect()
}
