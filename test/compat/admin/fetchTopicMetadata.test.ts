import '../support/production.js'
import type { Admin } from 'kafkajs'
import { afterEach, describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { leadersOf } from '../../kafka/support/logs.js'
import { failureOf } from '../../kafka/support/producing.js'
import { helperClientId } from '../../kafka/testBroker.js'
import { clientsOf } from '../support/clients.js'
import { createTopics } from '../support/topics.js'

forEachBroker('src/admin/__tests__/fetchTopicMetadata.spec.js', { real: 'shared' }, broker => {
  const { kafka } = clientsOf(broker)
  const open: Admin[] = []
  afterEach(() => Promise.all(open.splice(0).map(admin => admin.disconnect())))

  const connected = async (options = {}) => {
    const admin = kafka({ kafka: { clientId: helperClientId }, options }).admin()
    open.push(admin)
    await admin.connect()
    return admin
  }

  const existingTopic = async () => {
    const topic = uniqueTopic('described')
    await createTopics(broker, { topic, numPartitions: 4 })
    return topic
  }

  describe('Admin', () => {
    describe('fetchTopicMetadata', () => {
      test('throws an error if the topic name is not a valid string', async () => {
        const admin = await connected()
        for (const topic of [null, 0]) {
          const error = await failureOf(admin.fetchTopicMetadata({ topics: [topic as unknown as string] }))
          expect(error.message).toBe(`Invalid topic ${topic}`)
        }
      })

      test('retrieves metadata for each partition in the topic', async () => {
        const name = await existingTopic()
        const { topics } = await (await connected()).fetchTopicMetadata({ topics: [name] })
        expect(topics).toHaveLength(1)
        expect(topics[0]).toMatchObject({ name })
        expect(topics[0]?.partitions.map(({ partitionId }) => partitionId).toSorted()).toEqual([0, 1, 2, 3])
        for (const partition of topics[0]?.partitions ?? []) {
          expect(partition).toMatchObject({
            partitionErrorCode: 0,
            leader: expect.any(Number),
            replicas: [expect.any(Number)],
            isr: [expect.any(Number)],
          })
        }
      })

      test('by default retrieves metadata for all topics', async () => {
        const names = [await existingTopic(), await existingTopic()]
        const { topics } = await (await connected()).fetchTopicMetadata()
        expect(topics.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
      })

      // The flag is that of kafkajs's inside: its public Kafka never sets it for an admin, nor does ours under any policy.
      test('creates a new topic if the topic does not exist and "allowAutoTopicCreation" is true', async () => {
        const missing = uniqueTopic('missing')
        const admin = await connected({ topics: { create: 'broker' } })
        const asked = admin.fetchTopicMetadata({ topics: [await existingTopic(), missing] })
        expect(await failureOf(asked)).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
        expect(await leadersOf(broker.bootstrap, [missing])).toEqual([])
      })

      test('throws an error if the topic does not exist and "allowAutoTopicCreation" is false', async () => {
        const missing = uniqueTopic('missing')
        const admin = await connected({ topics: { create: 'never' } })
        const asked = admin.fetchTopicMetadata({ topics: [await existingTopic(), missing] })
        expect((await failureOf(asked)).message).toBe('This server does not host this topic-partition')
        expect(await leadersOf(broker.bootstrap, [missing])).toEqual([])
      })
    })
  })
})
