import { setImmediate as nextTurn } from 'node:timers/promises'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import type { Fault, RequestOf, ResponseOf } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../delivery/support/world.js'
import { TX } from './transactions/support.js'

let world: World
afterEach(() => world.end())

/** Writes so many bytes behind each answer, within its frame. */
const withTrailing =
  (bytes: number): Fault =>
  async (request, next) => {
    const response = await next()
    if (response === null) return null
    const frame = Buffer.concat([request.encode(response), Buffer.alloc(bytes)])
    frame.writeInt32BE(frame.length - 4, 0)
    request.write(frame)
    return null
  }

describe.each([1, 200])('a broker that writes %i bytes behind every response', bytes => {
  const start = async () => {
    world = await World.start({ brokers: 2, autoCreate: {} })
    for (const api of [
      'ApiVersions',
      'Metadata',
      'InitProducerId',
      'FindCoordinator',
      'AddPartitionsToTxn',
      'AddOffsetsToTxn',
      'TxnOffsetCommit',
      'EndTxn',
      'CreateTopics',
      'DescribeConfigs',
    ] as const)
      world.cluster.on(api, withTrailing(bytes) as never, { times: Infinity })
    world.onNext(withTrailing(bytes) as never, 1000)
  }

  test('is used as any other: new topics, idempotence, transactions, offsets', async () => {
    await start()
    const producer = await world.connect()
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        producer.send({ topic: `new-${i}`, messages: [{ value: `${i}` }] }),
      ),
    )
    const transactional = await world.connect(TX)
    const transaction = await transactional.transaction()
    await transaction.send({ topic: TOPIC, messages: [{ value: 'x' }] })
    await transaction.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] }],
    })
    await transaction.commit()
    world.forgetRules()
    expect(world.cluster.records(TOPIC, undefined, 'committed').map(({ value }) => String(value))).toEqual([
      'x',
    ])
    const connections = new Set(world.cluster.journal.of('Produce').map(({ connectionId }) => connectionId))
    // One per broker and engine: none was dropped.
    expect(connections.size).toBeLessThanOrEqual(4)
    expect(world.log.filter(({ level }) => level === 'WARN')).toEqual([])
  })

  test('creates topics by admin', async () => {
    await start()
    const producer = await world.connect({ topics: { create: 'admin', partitions: 1, replicationFactor: 1 } })
    await producer.send({ topic: 'made', messages: [{ value: 'a' }] })
    world.forgetRules()
    expect(world.stored(0, 'made')).toEqual(['a'])
  })
})

test('a broker whose answer lacks what was asked for, with bytes behind it, is said to be misunderstood', async () => {
  world = await World.start()
  world.topic()
  const producer = await world.connect()
  const metadata: Fault<RequestOf<'Metadata'>, ResponseOf<'Metadata'>> = async (request, next) => {
    const response = (await next())!
    return withTrailing(17)(request as never, async () => ({ ...response, topics: [] }) as never) as never
  }
  world.cluster.on('Metadata', metadata, { times: Infinity })
  const error = await producer.send({ topic: TOPIC, messages: [{ value: 'a' }] }).catch((e: unknown) => e)
  expect(error).toMatchObject({
    name: 'BrokerMisunderstoodError',
    retriable: false,
    message: expect.stringMatching(
      /Broker 0 answered Metadata version 12 without topic "events", and with 17 bytes/,
    ),
  })
  // At once: it is not asked for 30 seconds.
  expect(world.cluster.journal.of('Metadata').length).toBeLessThan(5)
})

test('so is one that names no broker at connect()', async () => {
  world = await World.start()
  world.cluster.on(
    'Metadata',
    (async (request, next) => {
      const response = (await next())!
      return withTrailing(3)(request as never, async () => ({ ...response, brokers: [] }) as never) as never
    }) as Fault<RequestOf<'Metadata'>, ResponseOf<'Metadata'>>,
    { times: Infinity },
  )
  await expect(world.connect()).rejects.toMatchObject({
    name: 'BrokerMisunderstoodError',
    message: expect.stringContaining('without any broker'),
  })
})

test('a consumer of ResilientKafka reads from it', async () => {
  world = await World.start()
  world.topic()
  await (await world.connect()).send({ topic: TOPIC, messages: [{ value: 'a' }] })
  for (const api of [
    'Metadata',
    'FindCoordinator',
    'JoinGroup',
    'SyncGroup',
    'OffsetFetch',
    'ListOffsets',
    'Fetch',
  ] as const)
    world.cluster.on(api, withTrailing(1) as never, { times: Infinity })
  const consumer = new ResilientKafka({ brokers: world.cluster.bootstrap, logLevel: 0 }).consumer({
    groupId: 'g',
  })
  const read: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void read.push(String(message.value)) })
  while (read.length < 1) await nextTurn()
  await consumer.disconnect()
  expect(read).toEqual(['a'])
})
