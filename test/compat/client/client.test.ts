import '../support/production.js'
import { Kafka, type ProducerConfig } from 'kafkajs'
import { ResilientKafka, type ResilientProducer } from 'kafkajs-resilient-producer'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { combineOptions, sourcesOf } from '../../../src/producer/options/sources.js'
import { retryOf } from '../../../src/transport/kafkajs/index.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { clientsOf } from '../support/clients.js'
import { createTopics } from '../support/topics.js'
import { Wiretap } from '../support/wiretap.js'

afterEach(() => void vi.restoreAllMocks())

/** What a client's consumers take for committed, by kafkajs's own inside: topics, and in each its partitions' offsets. */
const committedIn = (client: Kafka) => {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'private:Kafka:offsets',
  )
  const groups = (client as unknown as Record<symbol, Map<string, unknown>>)[symbol ?? Symbol('none')]
  return (groupId: string) => JSON.parse(JSON.stringify(groups?.get(groupId)))
}

const READ_COMMITTED = 1
const READ_UNCOMMITTED = 0

forEachBroker('src/index.spec.js', { real: 'shared' }, broker => {
  const { kafka } = clientsOf(broker)
  const open: ResilientProducer[] = []
  afterEach(() => Promise.all(open.splice(0).map(producer => producer.disconnect())))

  const connectedTo = async (config: ProducerConfig, tap = new Wiretap()) => {
    const client = kafka({ kafka: { socketFactory: tap.socketFactory } })
    const producer = client.producer(config)
    open.push(producer)
    await producer.connect()
    return { client, producer }
  }

  describe('Client', () => {
    test('gives access to its logger', () => {
      const parts = (client: Kafka) =>
        Object.entries(client.logger()).map(([name, part]) => `${name}: ${typeof part}`)
      expect(parts(kafka())).toEqual(parts(new Kafka({ brokers: [] })))
    })

    test('shares a commit mapping between the consumer and the producer', async () => {
      const topic = uniqueTopic('shared')
      await createTopics(broker, { topic })
      const groupId = uniqueTopic('group')
      const { client, producer } = await connectedTo({ transactionalId: uniqueTopic('id') })
      const transaction = await producer.transaction()
      const topics = [{ topic, partitions: [{ partition: 0, offset: '7' }] }]
      await transaction.sendOffsets({ consumerGroupId: groupId, topics })
      await transaction.commit()
      // By it a consumer of the same client knows that it need not commit these.
      expect(committedIn(client)(groupId)).toEqual({ [topic]: { 0: '7' } })
    })

    test('passes options to the producer', async () => {
      const topic = uniqueTopic('options')
      await createTopics(broker, { topic, numPartitions: 3 })
      const tap = new Wiretap()
      const transactionalId = uniqueTopic('id')
      const { producer } = await connectedTo(
        {
          createPartitioner: () => () => 2,
          retry: { retries: 10 },
          idempotent: true,
          transactionalId,
          transactionTimeout: 12_345,
        },
        tap,
      )
      expect(producer.isIdempotent()).toBe(true)
      const transaction = await producer.transaction()
      const sent = await transaction.send({ topic, messages: [{ key: 'k', value: 'v' }] })
      expect(sent).toMatchObject([{ partition: 2 }])
      await transaction.commit()
      expect(tap.of('InitProducerId').map(({ body }) => body)).toContainEqual(
        expect.objectContaining({ transactionalId, transactionTimeoutMs: 12_345 }),
      )
      const { retry } = combineOptions({ config: { retry: { retries: 10 } }, client: sourcesOf(kafka()) })
      expect(retry).toMatchObject({ retries: 10 })
    })

    describe('consumer', () => {
      test('creates a consumer with the correct isolation level', async () => {
        const topic = uniqueTopic('isolated')
        await createTopics(broker, { topic })
        for (const readUncommitted of [false, true]) {
          const tap = new Wiretap()
          const client = kafka({ kafka: { socketFactory: tap.socketFactory } })
          const consumer = client.consumer({
            groupId: uniqueTopic('group'),
            readUncommitted,
            maxWaitTimeInMs: 50,
          })
          await consumer.connect()
          await consumer.subscribe({ topic })
          await consumer.run({ eachMessage: async () => {} })
          await expect.poll(() => tap.of('Fetch').length, { timeout: 30_000 }).toBeGreaterThan(0)
          await consumer.disconnect()
          const levels = tap
            .of('Fetch')
            .map(({ body }) => (body as { isolationLevel: number }).isolationLevel)
          expect(new Set(levels)).toEqual(new Set([readUncommitted ? READ_UNCOMMITTED : READ_COMMITTED]))
        }
      })
    })

    describe('retry configurations', () => {
      const client = () => kafka({ kafka: { retry: { initialRetryTime: 100 } } })

      test('merges local producer options with the client options', () => {
        const options = combineOptions({
          config: { retry: { multiplier: 3 } },
          client: sourcesOf(client()),
        })
        expect(options.retry).toMatchObject({ minTimeoutMs: 100, factor: 3 })
      })

      test('merges local consumer options with the client options', () => {
        const made = client()
        const inKafkajs = vi.spyOn(Kafka.prototype, 'consumer')
        made.consumer({ groupId: 'group', retry: { multiplier: 3 } })
        // kafkajs merges them itself: it has to be given both as they are.
        expect(inKafkajs.mock.calls[0]?.[0]).toMatchObject({ retry: { multiplier: 3 } })
        expect(retryOf(made)).toEqual({ initialRetryTime: 100 })
      })

      test('creates consumer with the default options', () => {
        const inKafkajs = vi.spyOn(Kafka.prototype, 'consumer')
        kafka().consumer({ groupId: 'group' })
        expect(inKafkajs.mock.calls[0]?.[0]).not.toHaveProperty('retry')
      })

      test('merges local admin options with the client options', () => {
        const made = client()
        const inKafkajs = vi.spyOn(Kafka.prototype, 'admin')
        made.admin({ retry: { multiplier: 3 } })
        expect(inKafkajs.mock.calls[0]).toEqual([{ retry: { multiplier: 3 } }])
        expect(retryOf(made)).toEqual({ initialRetryTime: 100 })
      })
    })
  })
})

test('the client takes the place of kafkajs’s', () => {
  expect(new ResilientKafka({ brokers: [] })).toBeInstanceOf(Kafka)
})
