import '../support/production.js'
import type { RecordMetadata } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readLogs } from '../../kafka/support/logs.js'
import { range } from '../../kafka/support/producing.js'
import { byNumberInKey, clientsOf, metadata, numbered } from '../support/clients.js'
import { createTopics } from '../support/topics.js'

const inOrder = (sent: RecordMetadata[]) => sent.toSorted((a, b) => a.topicName.localeCompare(b.topicName))

forEachBroker('src/producer/index.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  const newTopic = async () => {
    const topic = uniqueTopic('sending')
    await createTopics(broker, { topic, numPartitions: 1 })
    return topic
  }

  const storedIn = async (topic: string) =>
    (await readLogs(broker.bootstrap, [topic])).map(({ key, value }) => [key?.toString(), value?.toString()])

  const producesMessages = (idempotent: boolean) => {
    const acks = idempotent ? -1 : 1
    const sender = () => connected({ idempotent, createPartitioner: byNumberInKey })

    const sendsTwice = async (messages = numbered(10)) => {
      const topic = await newTopic()
      const producer = await sender()
      expect(await producer.send({ acks, topic, messages })).toEqual([metadata(topic, '0')])
      expect(await producer.send({ acks, topic, messages })).toEqual([metadata(topic, '10')])
      return topic
    }

    test('produce messages', async () => {
      const topic = await sendsTwice()
      const pairs = numbered(10).map(({ key, value }) => [key, value])
      expect(await storedIn(topic)).toEqual([...pairs, ...pairs])
    })

    test('it should allow sending an empty list of messages', async () => {
      const topic = await newTopic()
      expect(await (await sender()).send({ acks, topic, messages: [] })).toEqual([])
      expect(await storedIn(topic)).toEqual([])
    })

    test('produce messages to multiple topics', async () => {
      const topics = [await newTopic(), await newTopic()].toSorted()
      const producer = await sender()
      const sendBatch = () => {
        const topicMessages = topics.map(topic => ({ acks, topic, messages: numbered(10) }))
        return producer.sendBatch({ acks, topicMessages })
      }
      expect(inOrder(await sendBatch())).toEqual(topics.map(topic => metadata(topic, '0')))
      expect(inOrder(await sendBatch())).toEqual(topics.map(topic => metadata(topic, '10')))
    })

    test('sendBatch should allow sending an empty list of topicMessages', async () => {
      expect(await (await sender()).sendBatch({ acks, topicMessages: [] })).toEqual([])
    })

    test('sendBatch should consolidate topicMessages by topic', async () => {
      const topic = await newTopic()
      const pair = (index: number) => ({ key: `key-${index}`, value: `value-${index}` })
      const topicMessages = [
        { topic, messages: [pair(1), pair(2)] },
        { topic, messages: [pair(3)] },
      ]
      const sent = await (await sender()).sendBatch({ acks, topicMessages })
      expect(sent).toEqual([metadata(topic, '0')])
      expect(await storedIn(topic)).toEqual([1, 2, 3].map(index => Object.values(pair(index))))
    })

    test('produce messages for Kafka 0.11', async () => {
      await sendsTwice()
    })

    test('produce messages for Kafka 0.11 without specifying message key', async () => {
      const topic = await newTopic()
      const producer = await connected({ idempotent })
      await producer.send({ acks, topic, messages: [{ value: 'test-value' }] })
      expect(await storedIn(topic)).toEqual([[undefined, 'test-value']])
    })

    test('produce messages for Kafka 0.11 with headers', async () => {
      const headers = (index: number) =>
        Object.fromEntries(['a', 'b', 'c'].map(each => [`header-${each}${index}`, `${each}${index}`]))
      const topic = await sendsTwice(
        numbered(10).map((message, index) => ({ ...message, headers: headers(index) })),
      )
      const stored = await readLogs(broker.bootstrap, [topic])
      expect(
        stored.map(record =>
          Object.fromEntries(record.headers.map(({ key, value }) => [key, String(value)])),
        ),
      ).toEqual(range(20, index => headers(index % 10)))
    })
  }

  describe('Producer', () => {
    describe('when acks=0', () => {
      test('returns immediately', async () => {
        const topic = await newTopic()
        const producer = await connected({ createPartitioner: byNumberInKey })
        expect(await producer.send({ acks: 0, topic, messages: numbered(10) })).toEqual([])
      })
    })

    producesMessages(false)

    describe('when idempotent=true', () => producesMessages(true))
  })
})
