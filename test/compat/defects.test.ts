import './support/production.js'
import { logLevel, type Producer, type ProducerConfig, type RecordMetadata } from 'kafkajs'
import { PartitionNotFoundError, ResilientKafka } from 'kafkajs-resilient-producer'
import { describe, expect, test } from 'vitest'
import { forEachBroker, type TestBroker, uniqueTopic } from '../kafka/suite.js'
import { withAdmin } from '../kafka/support/admin.js'
import { readLogs } from '../kafka/support/logs.js'
import { failureOf, range } from '../kafka/support/producing.js'
import { helperClientId } from '../kafka/testBroker.js'
import { carries, refusal } from './support/produceRequests.js'
import { createTopics } from './support/topics.js'
import type { WireRequest } from './support/wire.js'
import { Wiretap } from './support/wiretap.js'

/*
 * What a service is rid of that changes the import: each case asks kafkajs and this package the same, at the same sockets. When a
 * release of kafkajs mends one, its test here fails, and docs/migrating-from-kafkajs.md has to change.
 */

const NOT_ENOUGH_REPLICAS = 19
const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20

type Who = 'kafkajs' | 'ours'

/** One of the two, connected for as long as `use` runs. */
const withProducer = async <T>(
  who: Who,
  broker: TestBroker,
  config: ProducerConfig,
  use: (producer: Producer, tap: Wiretap) => Promise<T>,
): Promise<T> => {
  const tap = new Wiretap()
  const { socketFactory } = tap
  // kafkajs's requests for all topics are its own affair: they go by the helper's name.
  const kafka =
    who === 'ours'
      ? new ResilientKafka({ brokers: broker.bootstrap, logLevel: logLevel.NOTHING, socketFactory })
      : broker.kafka({ clientId: helperClientId, socketFactory })
  const producer = kafka.producer(config)
  try {
    await producer.connect()
    return await use(producer, tap)
  } finally {
    await producer.disconnect()
  }
}

const asksForAll = ({ api, body }: WireRequest): boolean =>
  api === 'Metadata' && (body as { topics: unknown }).topics === null

const values = async (broker: TestBroker, topic: string) =>
  (await readLogs(broker.bootstrap, [topic])).map(({ value }) => String(value)).toSorted()

const doubled = (all: readonly string[]) => [...new Set(all.filter((each, at) => all.indexOf(each) !== at))]

forEachBroker('defects of kafkajs', { real: { brokers: 3 } }, broker => {
  const topicOf = async (numPartitions: number) => {
    const topic = uniqueTopic('defect')
    await createTopics(broker, { topic, numPartitions })
    return topic
  }

  describe('one transient error, and records without a key', () => {
    // kafkajs gives them other partitions for the second attempt, and leaves out the brokers that have answered.
    const send = (who: Who, topic: string) =>
      withProducer(who, broker, {}, async (producer, tap) => {
        await producer.send({ topic, messages: [0, 1, 2].map(partition => ({ partition, value: 'first' })) })
        tap.next('Produce', { instead: refusal(NOT_ENOUGH_REPLICAS) })
        const sent = range(101, index => String(index)).toSorted()
        await producer.send({ topic, messages: sent.map(value => ({ value })) })
        const stored = (await values(broker, topic)).filter(value => value !== 'first')
        return { doubled: doubled(stored), lost: sent.filter(value => !stored.includes(value)) }
      })

    test('kafkajs loses some and doubles others, and resolves', async () => {
      const { doubled, lost } = await send('kafkajs', await topicOf(3))
      expect(doubled.length).toBeGreaterThan(0)
      expect(lost.length).toBeGreaterThan(0)
    })

    test('here each is there once', async () => {
      expect(await send('ours', await topicOf(3))).toEqual({ doubled: [], lost: [] })
    })
  })

  describe('one partition of a request that fails', () => {
    const send = (who: Who, topic: string) =>
      withProducer(who, broker, {}, async (producer, tap) => {
        tap.next(
          'Produce',
          // As where the other partition was written: the answer of the first one says to try again.
          {
            changed: response => {
              const { responses } = response as {
                responses: { partitionResponses: { index: number; errorCode: number }[] }[]
              }
              for (const { partitionResponses } of responses)
                for (const each of partitionResponses)
                  if (each.index === 0) each.errorCode = NOT_ENOUGH_REPLICAS_AFTER_APPEND
              return response
            },
          },
          request => carries(0)(request) && carries(1)(request),
        )
        const messages = ['a', 'b'].map((value, partition) => ({ partition, value }))
        await producer.send({ topic, messages })
        expect(tap.pending).toBe(0)
        return { sent: tap.of('Produce').filter(carries(1)).length, stored: await values(broker, topic) }
      })

    /** Both of its partitions are led by one broker. */
    const topicOfOneBroker = async () => {
      const topic = uniqueTopic('together')
      const { brokers } = await withAdmin(broker, admin => admin.describeCluster())
      const replicas = brokers.map(({ nodeId }) => nodeId)
      await createTopics(broker, {
        topic,
        replicaAssignment: [0, 1].map(partition => ({ partition, replicas })),
      })
      return topic
    }

    test('kafkajs sends all of them again', async () => {
      expect(await send('kafkajs', await topicOfOneBroker())).toEqual({
        sent: 2,
        stored: ['a', 'a', 'b', 'b'],
      })
    })

    test('here what was acknowledged is not sent again, and what was written is not doubled', async () => {
      expect(await send('ours', await topicOfOneBroker())).toEqual({ sent: 1, stored: ['a', 'b'] })
    })
  })

  describe('a partition that the topic does not have', () => {
    const messages = [{ partition: 7, value: 'lost' }]

    test('kafkajs resolves as if it had been written', async () => {
      const topic = await topicOf(1)
      const sent = await withProducer('kafkajs', broker, {}, producer => producer.send({ topic, messages }))
      expect(sent).toEqual<RecordMetadata[]>([])
    })

    test('here it is an error', async () => {
      const topic = await topicOf(1)
      const error = await withProducer('ours', broker, {}, producer =>
        failureOf(producer.send({ topic, messages })),
      )
      expect(error).toBeInstanceOf(PartitionNotFoundError)
      expect(error).toMatchObject({ topic, partition: 7 })
    })
  })

  describe('a topic that was deleted', () => {
    /** A producer has used two topics, of which one is deleted; then it writes to the other. */
    const send = (who: Who) =>
      withProducer(who, broker, { allowAutoTopicCreation: false, retry: { retries: 1 } }, async producer => {
        const [gone, other] = [await topicOf(1), await topicOf(1)]
        for (const topic of [gone, other]) await producer.send({ topic, messages: [{ value: 'a' }] })
        await withAdmin(broker, admin => admin.deleteTopics({ topics: [gone] }))
        // A third one, so that metadata are asked for.
        const third = await topicOf(1)
        return producer.send({ topic: third, messages: [{ value: 'b' }] })
      })

    test('in kafkajs fails the sends to others', async () => {
      expect(await failureOf(send('kafkajs'))).toMatchObject({
        message: expect.stringContaining('This server does not host this topic-partition'),
      })
    })

    test('here does not concern others', async () => {
      expect(await send('ours')).toMatchObject([{ errorCode: 0, baseOffset: '0' }])
    })
  })

  describe('metadata', () => {
    const requests = (who: Who) =>
      withProducer(who, broker, { idempotent: true }, async (producer, tap) => {
        await producer.sendBatch({ topicMessages: [] })
        return tap.requests.filter(asksForAll).length
      })

    test('of all topics are asked for by kafkajs as it connects and for an empty call', async () => {
      expect(await requests('kafkajs')).toBeGreaterThan(0)
    })

    test('here are asked for by name', async () => {
      expect(await requests('ours')).toBe(0)
    })
  })
})
