import { type Admin, ConfigResourceTypes } from 'kafkajs'
import { ERROR } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { failureOf, Place } from './support/client.js'

const place = Place.forEachTest({ brokers: 2 })

const NEVER = { topics: { create: 'never', waitForMs: 0 } } as const
/** What is retried by kafkajs fails here at its first answer. */
const ONCE = { retry: { retries: 0 } }

const admin = async (): Promise<Admin> => {
  const client = place.ends(place.kafka(NEVER).admin(ONCE))
  await client.connect()
  return client
}

describe('an admin', () => {
  test.each<[string, (admin: Admin) => Promise<unknown>]>([
    ['fetchTopicMetadata', each => each.fetchTopicMetadata({ topics: ['missing'] })],
    ['fetchTopicOffsets', each => each.fetchTopicOffsets('missing')],
    ['fetchTopicOffsetsByTimestamp', each => each.fetchTopicOffsetsByTimestamp('missing', 0)],
    ['fetchOffsets', each => each.fetchOffsets({ groupId: 'g', topics: ['missing'] })],
    ['resetOffsets', each => each.resetOffsets({ groupId: 'g', topic: 'missing', earliest: true })],
    [
      'setOffsets',
      each =>
        each.setOffsets({ groupId: 'g', topic: 'missing', partitions: [{ partition: 0, offset: '0' }] }),
    ],
    [
      'createPartitions',
      each => each.createPartitions({ topicPartitions: [{ topic: 'missing', count: 3 }] }),
    ],
    ['deleteTopics', each => each.deleteTopics({ topics: ['missing'] })],
    [
      'describeConfigs',
      each =>
        each.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: 'missing' }],
        }),
    ],
  ])('creates nothing by %s of a missing topic', async (_, ask) => {
    const error = await failureOf(ask(await admin()))
    // kafkajs wraps a retriable one that it gave up on.
    const { type } = { ...(error as { cause?: object }).cause, ...error } as { type?: string }
    expect(type).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(place.cluster.topics).toEqual([])
    expect(place.asked.map(({ create }) => create)).not.toContain(true)
  })

  test('creates nothing by deleteTopicRecords of a missing topic', async () => {
    const partitions = [{ partition: 0, offset: '0' }]
    const error = await failureOf((await admin()).deleteTopicRecords({ topic: 'missing', partitions }))
    expect(error.name).toBe('KafkaJSTopicMetadataNotLoaded')
    expect(place.cluster.topics).toEqual([])
    expect(place.asked.map(({ create }) => create)).not.toContain(true)
  })

  test('creates nothing by what lists, and lists what is there', async () => {
    place.cluster.createTopic('there')
    const client = await admin()
    expect(await client.listTopics()).toEqual(['there'])
    expect((await client.fetchTopicMetadata()).topics.map(({ name }) => name)).toEqual(['there'])
    expect((await client.describeCluster()).brokers).toHaveLength(2)
    expect((await client.listGroups()).groups).toEqual([])
    expect(place.asked.map(({ create }) => create)).not.toContain(true)
  })

  test("creates a topic where it is told to, under 'never' too, and waits for its leaders without the flag", async () => {
    const client = await admin()
    expect(
      await client.createTopics({ topics: [{ topic: 'made', numPartitions: 3 }], waitForLeaders: true }),
    ).toBe(true)
    expect(place.cluster.leaderOf('made', 2)).toBeGreaterThanOrEqual(0)
    expect(place.asked.map(({ create }) => create)).not.toContain(true)
    const producer = place.ends(place.kafka(NEVER).producer())
    await producer.connect()
    expect(await producer.send({ topic: 'made', messages: [{ value: 'x' }] })).toMatchObject([
      { errorCode: ERROR.NONE },
    ])
  })
})
