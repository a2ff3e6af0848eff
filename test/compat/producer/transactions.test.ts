import '../support/production.js'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { until } from '../../kafka/cluster/wait.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { withAdmin } from '../../kafka/support/admin.js'
import { readLogs } from '../../kafka/support/logs.js'
import { failureOf } from '../../kafka/support/producing.js'
import { byNumberInKey, clientsOf } from '../support/clients.js'
import { createTopics } from '../support/topics.js'

const patience = { timeoutMs: 30_000 }
const message = { key: '2', value: '2' }

forEachBroker('src/producer/index.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  const newTopic = async (numPartitions = 1) => {
    const topic = uniqueTopic('transactional')
    await createTopics(broker, { topic, numPartitions })
    return topic
  }

  const newProducer = () =>
    connected({ transactionalId: uniqueTopic('id'), createPartitioner: byNumberInKey })

  describe('Producer', () => {
    describe('transactions', () => {
      for (const end of ['commit', 'abort'] as const) {
        test(`transaction flow ${end}`, async () => {
          const topic = await newTopic()
          const producer = await newProducer()
          const transaction = await producer.transaction()
          expect(await failureOf(producer.transaction())).toMatchObject({
            message:
              'There is already an ongoing transaction for this producer. Please end the transaction before beginning another.',
            retriable: false,
          })
          await transaction.send({ topic, messages: [message] })
          await transaction.sendBatch({ topicMessages: [{ topic, messages: [message] }] })
          expect(transaction.isActive()).toBe(true)
          await transaction[end]()
          expect(transaction.isActive()).toBe(false)
          const afterwards = [
            transaction.send({ topic, messages: [message] }),
            transaction.sendBatch({ topicMessages: [] }),
            transaction.commit(),
            transaction.abort(),
          ]
          for (const work of afterwards) {
            const error = await failureOf(work)
            expect(error).toBeInstanceOf(kafkajs.KafkaJSNonRetriableError)
            expect(error.message).toBe('Cannot continue to use transaction once ended')
          }
          expect(await producer.transaction()).toBeTruthy()
        })
      }

      test('allows sending messages outside a transaction', async () => {
        const topic = await newTopic()
        const producer = await newProducer()
        const transaction = await producer.transaction()
        const messages = [{ key: 'key', value: 'value' }]
        await producer.send({ topic, messages })
        await producer.sendBatch({ topicMessages: [{ topic, messages }] })
        await transaction.abort()
        expect(await readLogs(broker.bootstrap, [topic])).toHaveLength(2)
      })

      test('supports sending offsets', async () => {
        const topic = await newTopic(2)
        const consumerGroupId = uniqueTopic('group')
        const partitions = [
          { partition: 0, offset: '5' },
          { partition: 1, offset: '10' },
        ]
        const transaction = await (await newProducer()).transaction()
        await transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions }] })
        await transaction.commit()
        // Committed offsets show once the marker has reached the group's log.
        const stored = await withAdmin(broker, admin =>
          until(
            'the offsets',
            async () => {
              const [found] = await admin.fetchOffsets({ groupId: consumerGroupId, topics: [topic] })
              return found?.partitions.some(({ offset }) => offset !== '-1') ? found.partitions : undefined
            },
            patience,
          ),
        )
        expect(stored.toSorted((a, b) => a.partition - b.partition)).toMatchObject(partitions)
      })

      describe('without operations', () => {
        for (const [end, did] of [
          ['abort', 'aborting'],
          ['commit', 'commiting'],
        ] as const) {
          test(`does not throw an error when ${did} transaction`, async () => {
            const transaction = await (await newProducer()).transaction()
            await transaction[end]()
            expect(transaction.isActive()).toBe(false)
          })
        }

        for (const [end, was] of [
          ['abort', 'aborted'],
          ['commit', 'commited'],
        ] as const) {
          test(`allows createing transaction when the previous was ${was} without any operations made in it`, async () => {
            const producer = await newProducer()
            await (await producer.transaction())[end]()
            expect((await producer.transaction()).isActive()).toBe(true)
          })
        }

        test("transaction that is created after a transaction that hasn't made any operations should work", async () => {
          const topic = await newTopic()
          const producer = await newProducer()
          await (await producer.transaction()).abort()
          const transaction = await producer.transaction()
          const messages = [0, 0].map(partition => ({ partition, value: 'value' }))
          await transaction.send({ topic, messages })
          await transaction.commit()
          // Two records and the marker of the commit.
          const end = await withAdmin(broker, admin =>
            until(
              'the marker',
              async () => (await admin.fetchTopicOffsets(topic)).find(({ offset }) => offset === '3'),
              patience,
            ),
          )
          expect(end).toMatchObject({ partition: 0, offset: '3' })
        })
      })
    })
  })
})

forEachBroker('src/producer/__tests__/concurrentTransaction.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer > Transactional producer', () => {
    describe('when there is an ongoing transaction on connect', () => {
      test('retries initProducerId to cancel the ongoing transaction', async () => {
        const topic = uniqueTopic('ongoing')
        await createTopics(broker, { topic })
        const transactionalId = uniqueTopic('id')
        const config = { idempotent: true, transactionalId, transactionTimeout: 100 }
        // It never ends its transaction: as if it had crashed.
        const crashed = await (await connected(config)).transaction()
        await crashed.send({ topic, messages: [{ value: 'of the first' }] })
        const transaction = await (await connected(config)).transaction()
        await transaction.send({ topic, messages: [{ value: 'of the second' }] })
        await transaction.commit()
        expect(transaction.isActive()).toBe(false)
        // The marker of the first one's abort, too.
        const stored = await readLogs(broker.bootstrap, [topic])
        expect(stored.map(({ value, offset }) => [String(value), offset])).toEqual([
          ['of the first', 0],
          ['of the second', 2],
        ])
      })
    })
  })
})
