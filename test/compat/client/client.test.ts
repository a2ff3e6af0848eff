import '../support/production.js'
import { Kafka } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { combineOptions, sourcesOf } from '../../../src/producer/sources.js'
import { retryOf } from '../../../src/transport/kafkajs/index.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { createTopics } from '../../kafka/support/admin.js'
import { clientsOf } from '../support/clients.js'
import { Wiretap } from '../support/wiretap.js'

afterEach(() => void vi.restoreAllMocks())

const READ_COMMITTED = 1
const READ_UNCOMMITTED = 0

forEachBroker('src/index.spec.js', { real: 'shared' }, broker => {
  const { kafka } = clientsOf(broker)

  describe('Client', () => {
    test('gives access to its logger', () => {
      const parts = (client: Kafka) =>
        Object.entries(client.logger()).map(([name, part]) => `${name}: ${typeof part}`)
      expect(parts(kafka())).toEqual(parts(new Kafka({ brokers: [] })))
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
