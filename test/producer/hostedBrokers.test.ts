import { CompressionTypes } from 'kafkajs'
import { type ProfileName, profiles } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../delivery/support/world.js'
import { TX } from './transactions/support.js'

let world: World
afterEach(() => world.end())

/** With the profile's own auto-creation. */
const start = async (profile: ProfileName) => {
  world = await World.start({ profile, autoCreate: profiles[profile].autoCreate ? {} : false })
}
const warnings = () => world.log.filter(({ level }) => level === 'WARN').map(({ message }) => message)
const values = Array.from({ length: 50 }, (_, i) => `${i}`)

test.each(Object.keys(profiles) as ProfileName[])(
  '%s takes every record once and in order',
  async profile => {
    await start(profile)
    world.topic()
    const producer = await world.connect()
    await Promise.all(
      values.map(value => producer.send({ topic: TOPIC, messages: [{ value, partition: 0 }] })),
    )
    expect(world.stored()).toEqual(values)
    expect(world.cluster.journal.allTopicsRequests()).toEqual([])
    const withoutIds = profile === 'oci-streaming'
    expect(warnings()).toEqual(
      withoutIds ? [expect.stringMatching(/^The producer continues without idempotence/)] : [],
    )
  },
)

test.each(['event-hubs', 'oci-streaming', 'warpstream'] as const)(
  '%s creates a topic that is sent to',
  async profile => {
    await start(profile)
    const producer = await world.connect()
    await producer.send({ topic: 'new', messages: [{ value: 'a' }] })
    expect(world.stored(0, 'new')).toEqual(['a'])
  },
)

test('Redpanda says that it creates no topics: the error comes at once', async () => {
  await start('redpanda')
  const producer = await world.connect()
  await expect(producer.send({ topic: 'new', messages: [{ value: 'a' }] })).rejects.toMatchObject({
    name: 'TopicCreationDisabledError',
    topic: 'new',
  })
})

test.each(['confluent-cloud', 'msk-serverless', 'redpanda'] as const)(
  '%s gets its topics by admin, with the replicas that it wants',
  async profile => {
    await start(profile)
    const producer = await world.connect({ topics: { create: 'admin' } })
    await producer.send({ topic: 'made', messages: [{ value: 'a', partition: 0 }] })
    expect(world.stored(0, 'made')).toEqual(['a'])
  },
)

test('Confluent Cloud refuses another number of replicas, in its own words', async () => {
  await start('confluent-cloud')
  const producer = await world.connect({ topics: { create: 'admin', replicationFactor: 1, partitions: 1 } })
  await expect(producer.send({ topic: 'made', messages: [{ value: 'a' }] })).rejects.toMatchObject({
    name: 'TopicCreationError',
    topic: 'made',
    type: 'POLICY_VIOLATION',
    message: expect.stringContaining('replication factor must be 3'),
  })
})

describe('transactions', () => {
  test.each(['confluent-cloud', 'msk-serverless', 'redpanda', 'warpstream'] as const)(
    '%s commits',
    async profile => {
      await start(profile)
      world.topic()
      const producer = await world.connect(TX)
      const transaction = await producer.transaction()
      await transaction.send({ topic: TOPIC, messages: [{ value: 'x', partition: 0 }] })
      await transaction.sendOffsets({
        consumerGroupId: 'g',
        topics: [{ topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] }],
      })
      await transaction.commit()
      expect(world.cluster.records(TOPIC, undefined, 'committed').map(({ value }) => String(value))).toEqual([
        'x',
      ])
    },
  )

  test('Event Hubs has none in the standard tier: the error names the API', async () => {
    await start('event-hubs')
    world.topic()
    const producer = await world.connect(TX)
    const transaction = await producer.transaction()
    await expect(transaction.send({ topic: TOPIC, messages: [{ value: 'x' }] })).rejects.toMatchObject({
      name: 'TransactionRefusedError',
      message: expect.stringMatching(/AddPartitionsToTxn.*remove transactionalId/),
    })
  })

  test('OCI Streaming has none: connect() says so', async () => {
    await start('oci-streaming')
    await expect(world.connect(TX)).rejects.toMatchObject({
      message: expect.stringContaining('does not have InitProducerId'),
    })
  })
})

describe('Azure Event Hubs', () => {
  test('gets a burst in requests of the size that it takes', async () => {
    await start('event-hubs')
    world.topic({ partitions: 32 })
    const producer = await world.connect({ retry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 } })
    await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        producer.send({ topic: TOPIC, messages: [{ partition: i % 32, value: Buffer.alloc(60 * 1024, i) }] }),
      ),
    )
    expect(world.cluster.records(TOPIC)).toHaveLength(64)
  })

  test('takes gzip, and refuses another codec for the records of that call alone', async () => {
    await start('event-hubs')
    world.topic()
    const producer = await world.connect()
    const [gzip, snappy] = await Promise.allSettled([
      producer.send({ topic: TOPIC, compression: CompressionTypes.GZIP, messages: [{ value: 'gzip' }] }),
      producer.send({ topic: TOPIC, compression: CompressionTypes.Snappy, messages: [{ value: 'snappy' }] }),
    ])
    expect(gzip.status).toBe('fulfilled')
    expect(snappy).toMatchObject({ reason: { type: 'UNSUPPORTED_FOR_MESSAGE_FORMAT', topic: TOPIC } })
    expect(world.stored()).toEqual(['gzip'])
  })
})
