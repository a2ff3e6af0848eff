import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'

export interface Work {
  readonly brokers: readonly string[]
  readonly transactionalId: string
  readonly groupId: string
  readonly from: string
  readonly to: string
}

/** Below the default, so that a killed worker's partitions are soon given to its successor. */
const SESSION_TIMEOUT_MS = 3_000
const WORKING_MS = 200

/**
 * Reads batches of one topic and writes each record's transformation to another, one transaction per batch, for ever. Ends, to be
 * started again, when the producer is of no use any more.
 */
export const work = async ({ brokers, transactionalId, groupId, from, to }: Work): Promise<void> => {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const producer = createResilientProducer(kafka, { transactionalId, transactionTimeoutMs: 20_000 })
  // Before the group's offsets are read: what a predecessor has left open is ended by then.
  await producer.connect()
  const consumer = kafka.consumer({ groupId, sessionTimeout: SESSION_TIMEOUT_MS, heartbeatInterval: 500 })
  consumer.on(consumer.events.CRASH, ({ payload: { restart } }) => {
    if (!restart) process.exit(1)
  })
  await consumer.connect()
  await consumer.subscribe({ topic: from, fromBeginning: true })
  console.log('works')
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch: { topic, partition, messages }, isStale, isRunning }) => {
      if (isStale() || !isRunning()) return
      const transaction = await producer.transaction().catch(() => process.exit(1))
      try {
        for (const { key, value } of messages) {
          void transaction.send({ topic: to, messages: [{ key, value: `done ${value}`, partition }] })
        }
        // As long as a transformation may take: nearly every kill then falls into a transaction.
        await new Promise(resolve => setTimeout(resolve, WORKING_MS))
        const offset = String(BigInt(messages.at(-1)!.offset) + 1n)
        await transaction.sendOffsets({
          consumerGroupId: groupId,
          topics: [{ topic, partitions: [{ partition, offset }] }],
        })
        await transaction.commit()
      } catch (error) {
        // How it ended may not be known: only the group's committed offsets tell where to go on.
        if (!transaction.isActive()) process.exit(1)
        await transaction.abort().catch(() => process.exit(1))
        throw error
      }
    },
  })
}
