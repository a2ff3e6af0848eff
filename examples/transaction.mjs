// Exactly once from topic to topic: what comes of a batch, and how far it went, in one transaction (KIP-447).
import { ResilientKafka } from 'kafkajs-resilient-producer'

const kafka = new ResilientKafka({ brokers: process.env.KAFKA_BROKERS.split(',') })
const producer = kafka.producer({ transactionalId: 'totals-0' })
const consumer = kafka.consumer({ groupId: 'totals' })
await Promise.all([producer.connect(), consumer.connect()])
process.once('SIGTERM', () => consumer.disconnect().then(() => producer.disconnect()))
await consumer.subscribe({ topic: 'orders', fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    const { topic, partition, messages } = batch
    const group = consumer.groupMetadata()
    const transaction = await producer.transaction()
    try {
      await transaction.send({ topic: 'totals', messages: [{ value: String(messages.length) }] })
      const offset = String(BigInt(batch.lastOffset()) + 1n)
      await transaction.sendOffsets({ ...group, topics: [{ topic, partitions: [{ partition, offset }] }] })
      await transaction.commit()
      console.log(`${messages.length} orders up to offset ${offset}`)
    } catch (error) {
      if (transaction.isActive()) await transaction.abort()
      throw error
    }
  },
})
