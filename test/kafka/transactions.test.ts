import { expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { forEachBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { readEndedTransactions } from './support/committed.js'
import { readByKafkajs } from './support/consumers.js'
import { failureOf, producing, range } from './support/producing.js'

const TEST_MS = 120_000

forEachBroker('transactions', { real: 'shared' }, broker => {
  const newTopic = async (numPartitions = 3) => {
    const topic = uniqueTopic('transactional')
    await createTopics(broker, { topic, numPartitions })
    return topic
  }
  const newId = () => ({ transactionalId: uniqueTopic('tx') })
  const messages = (count: number, name: string) =>
    range(count, i => ({ value: `${name}${i}`, partition: i % 3 }))
  const valuesOf = (records: readonly { value: string | null }[]) =>
    records.map(({ value }) => String(value)).toSorted()

  const offsetsOf = (groupId: string, topic: string) =>
    withAdmin(broker, async admin => {
      const [of] = await admin.fetchOffsets({ groupId, topics: [topic] })
      return of!.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
    })

  test(
    'readers of committed records see all of a transaction or nothing',
    async () => {
      const topic = await newTopic()
      await producing(broker, newId(), async producer => {
        for (const [name, end] of [
          ['a', 'commit'],
          ['b', 'abort'],
          ['c', 'commit'],
        ] as const) {
          const transaction = await producer.transaction()
          await transaction.send({ topic, messages: messages(30, name) })
          await transaction[end]()
        }
      })
      const expected = valuesOf([...messages(30, 'a'), ...messages(30, 'c')])
      expect(valuesOf(await readByKafkajs(broker, topic, 60))).toEqual(expected)
      const logs = await readEndedTransactions(broker.bootstrap, [topic])
      expect(valuesOf(logs.committed)).toEqual(expected)
      expect(logs.aborted).toHaveLength(30)
    },
    TEST_MS,
  )

  test(
    'many short ones follow each other without a pause',
    async () => {
      const topic = await newTopic()
      await producing(broker, newId(), async producer => {
        for (const i of range(50, each => each)) {
          const transaction = await producer.transaction()
          for (const message of messages(3, `${i}-`)) void transaction.send({ topic, messages: [message] })
          await (i % 5 === 4 ? transaction.abort() : transaction.commit())
        }
      })
      const { committed } = await readEndedTransactions(broker.bootstrap, [topic])
      const kept = range(50, i => i).filter(i => i % 5 !== 4)
      expect(valuesOf(committed)).toEqual(valuesOf(kept.flatMap(i => messages(3, `${i}-`))))
    },
    TEST_MS,
  )

  test(
    'of 20,000 single sends to new topics are whole',
    async () => {
      const topics = range(5, () => uniqueTopic('new'))
      await producing(broker, newId(), async producer => {
        const transaction = await producer.transaction()
        for (let i = 0; i < 20_000; i++) {
          void transaction.send({ topic: topics[i % 5]!, messages: [{ value: `${i}` }] })
        }
        await transaction.commit()
      })
      const { committed } = await readEndedTransactions(broker.bootstrap, topics)
      expect(new Set(committed.map(({ value }) => value)).size).toBe(20_000)
      expect(committed).toHaveLength(20_000)
    },
    TEST_MS,
  )

  test(
    'take a group’s offsets along: with the commit they are its own, with an abort not',
    async () => {
      const topic = await newTopic()
      const consumerGroupId = uniqueTopic('group')
      const offsets = (offset: string) => ({
        consumerGroupId,
        topics: [
          {
            topic,
            partitions: [
              { partition: 0, offset },
              { partition: 2, offset },
            ],
          },
        ],
      })
      await producing(broker, newId(), async producer => {
        const first = await producer.transaction()
        await first.send({ topic, messages: messages(3, 'a') })
        await first.sendOffsets(offsets('1'))
        expect(await offsetsOf(consumerGroupId, topic)).toEqual(['-1', '-1', '-1'])
        await first.commit()
        const isThere = async () => (await offsetsOf(consumerGroupId, topic))[0] === '1' || undefined
        await until('the offsets', isThere, { timeoutMs: 30_000 })
        expect(await offsetsOf(consumerGroupId, topic)).toEqual(['1', '-1', '1'])
        const second = await producer.transaction()
        await second.sendOffsets(offsets('2'))
        await second.abort()
        expect(await offsetsOf(consumerGroupId, topic)).toEqual(['1', '-1', '1'])
      })
    },
    TEST_MS,
  )

  test(
    'of a producer are aborted, and it is fenced, by a second one with its id',
    async () => {
      const topic = await newTopic()
      const id = newId()
      await producing(broker, id, async first => {
        const left = await first.transaction()
        await left.send({ topic, messages: messages(6, 'left') })
        await producing(broker, id, async second => {
          expect(await failureOf(left.commit())).toMatchObject({ name: 'ProducerFencedError' })
          expect(await failureOf(left.send({ topic, messages: messages(1, 'late') }))).toMatchObject({
            name: 'ProducerFencedError',
          })
          expect(await failureOf(first.transaction())).toMatchObject({ name: 'ProducerFencedError' })
          const own = await second.transaction()
          await own.send({ topic, messages: messages(6, 'own') })
          await own.commit()
        })
      })
      const logs = await readEndedTransactions(broker.bootstrap, [topic])
      expect(valuesOf(logs.committed)).toEqual(valuesOf(messages(6, 'own')))
      expect(valuesOf(logs.aborted)).toEqual(valuesOf(messages(6, 'left')))
    },
    TEST_MS,
  )

  test(
    'that were fenced in the midst of sending end all their records at once',
    async () => {
      const topic = await newTopic()
      const id = newId()
      await producing(broker, id, async first => {
        const left = await first.transaction()
        await left.send({ topic, messages: messages(3, 'left') })
        await producing(broker, id, async () => {
          const sends = range(100, i => left.send({ topic, messages: [{ value: `${i}`, partition: i % 3 }] }))
          for (const each of await Promise.allSettled(sends))
            expect(each).toMatchObject({ status: 'rejected', reason: { name: 'ProducerFencedError' } })
        })
      })
      expect((await readEndedTransactions(broker.bootstrap, [topic])).committed).toEqual([])
    },
    TEST_MS,
  )

  test(
    'go on after a failure, in another epoch',
    async () => {
      const topic = await newTopic()
      await producing(broker, newId(), async producer => {
        const failing = await producer.transaction()
        await failing.send({ topic, messages: messages(3, 'good') })
        const tooLarge = { value: Buffer.alloc(3_000_000), partition: 0 }
        expect(await failureOf(failing.send({ topic, messages: [tooLarge] }))).toMatchObject({
          name: 'RecordTooLargeError',
        })
        expect(await failureOf(failing.commit())).toMatchObject({ name: 'TransactionFailedError' })
        await failing.abort()
        const next = await producer.transaction()
        await next.send({ topic, messages: messages(3, 'next') })
        await next.commit()
      })
      const logs = await readEndedTransactions(broker.bootstrap, [topic])
      expect(valuesOf(logs.committed)).toEqual(valuesOf(messages(3, 'next')))
      expect(valuesOf(logs.aborted)).toEqual(valuesOf(messages(3, 'good')))
    },
    TEST_MS,
  )

  test(
    'that are open for too long are aborted by the coordinator, and say so',
    async () => {
      const topic = await newTopic()
      await producing(broker, { ...newId(), transactionTimeoutMs: 1000 }, async producer => {
        const slow = await producer.transaction()
        await slow.send({ topic, messages: messages(3, 'slow') })
        expect((await readEndedTransactions(broker.bootstrap, [topic])).aborted).toHaveLength(3)
        expect(await failureOf(slow.commit())).toMatchObject({ name: 'TransactionTimedOutError' })
        await producer.disconnect()
        await producer.connect()
        const next = await producer.transaction()
        await next.send({ topic, messages: messages(3, 'next') })
        await next.commit()
      })
      const logs = await readEndedTransactions(broker.bootstrap, [topic])
      expect(valuesOf(logs.committed)).toEqual(valuesOf(messages(3, 'next')))
    },
    TEST_MS,
  )
})
