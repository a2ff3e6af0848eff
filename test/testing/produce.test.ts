import { EmbeddedKafka, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'
import { MAX_MESSAGE_BYTES, refusedBatches } from './support/refusedBatches.js'

let cluster: EmbeddedKafka
let client: RawClient

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: false })
  cluster.createTopic('t', {
    replicationFactor: 2,
    leaders: [0],
    configs: { 'max.message.bytes': `${MAX_MESSAGE_BYTES}` },
  })
  client = await RawClient.connect(cluster.bootstrap[0]!)
})

afterEach(async () => {
  await client.close()
  await cluster.close()
})

describe('a leader refuses', () => {
  test.each(refusedBatches)('%s', async (_name, records, errorCode) => {
    expect(await produce(client, records)).toMatchObject({ errorCode, baseOffset: -1n })
    expect(cluster.records('t')).toEqual([])
  })

  test('acks that are none', async () => {
    expect(await produce(client, batch(), { acks: 2 })).toMatchObject({
      errorCode: ERROR.INVALID_REQUIRED_ACKS,
    })
  })

  test('unknown topics and partitions', async () => {
    const { errorCode } = await produce(client, batch(), { topic: 'other' })
    expect(errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await produce(client, batch(), { partition: 1 })).errorCode).toBe(
      ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    )
  })

  test('what it has no right to', async () => {
    const allow = cluster.deny('t', ['write'])
    expect((await produce(client, batch())).errorCode).toBe(ERROR.TOPIC_AUTHORIZATION_FAILED)
    allow()
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NONE)
  })

  test('acks -1 while too few replicas are in sync, and takes acks 1', async () => {
    cluster.createTopic('safe', {
      replicationFactor: 2,
      leaders: [0],
      configs: { 'min.insync.replicas': '2' },
    })
    await cluster.stopBroker(1)
    expect((await produce(client, batch(), { topic: 'safe' })).errorCode).toBe(ERROR.NOT_ENOUGH_REPLICAS)
    expect((await produce(client, batch(), { topic: 'safe', acks: 1 })).errorCode).toBe(ERROR.NONE)
    await cluster.startBroker(1)
    expect((await produce(client, batch(), { topic: 'safe' })).errorCode).toBe(ERROR.NONE)
  })

  test('records from the future, by their index, when the topic has a limit', async () => {
    cluster.createTopic('dated', { leaders: [0], configs: { 'message.timestamp.after.max.ms': '1000' } })
    const now = Date.now()
    const answer = await produce(
      client,
      batch({ values: ['a', 'b', 'c'], timestamps: [now, now + 7_200_000, now] }),
      { topic: 'dated' },
    )
    expect(answer.errorCode).toBe(ERROR.INVALID_TIMESTAMP)
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
    const zipped = batch({ values: ['a', 'b'], timestamps: [now, now + 7_200_000], gzip: true })
    expect((await produce(client, zipped, { topic: 'dated' })).recordErrors).toHaveLength(1)
    expect(cluster.records('dated')).toEqual([])
  })
})

describe('a leader that is one no more', () => {
  test('hints at the new one from version 10 on', async () => {
    cluster.moveLeader('t', 0, 1)
    const request = {
      transactionalId: null,
      acks: -1,
      timeoutMs: 100,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batch() }] }],
    }
    const hinted = await client.call(produceApi, 10, request)
    expect(hinted?.responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: ERROR.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 1 },
    })
    const [host, port] = cluster.bootstrap[1]!.split(':')
    expect(hinted?.nodeEndpoints).toEqual([{ nodeId: 1, host, port: Number(port), rack: null }])
    const plain = await client.call(produceApi, 9, request)
    expect(plain?.responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: ERROR.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
    })
  })

  test('cuts the connection of a producer that waits for no answer', async () => {
    cluster.moveLeader('t', 0, 1)
    client.request(produceApi, 9, {
      transactionalId: null,
      acks: 0,
      timeoutMs: 100,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batch() }] }],
    })
    await client.ended()
    expect(client.unread).toHaveLength(0)
  })
})

test.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('version %i is served', async version => {
  expect(await produce(client, batch(), { version })).toMatchObject({ errorCode: ERROR.NONE, baseOffset: 0n })
  expect(await produce(client, batch({ values: ['a', 'b'] }), { version })).toMatchObject({ baseOffset: 1n })
  expect(cluster.records('t').map(({ value }) => `${value}`)).toEqual(['value', 'a', 'b'])
})

describe('version 13', () => {
  const idOf = async (topic: string): Promise<string> => {
    const answer = await client.call(metadataApi, 12, { topics: [{ name: topic }] })
    return answer!.topics[0]!.topicId
  }

  test('goes by topic ids', async () => {
    const topicId = await idOf('t')
    expect(await produce(client, batch(), { topicId, version: 13 })).toMatchObject({ errorCode: ERROR.NONE })
    expect(await produce(client, batch(), { topicId, version: 13, partition: 1 })).toMatchObject({
      errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    })
    expect(cluster.records('t')).toHaveLength(1)
  })

  test('refuses an id that no topic has', async () => {
    const topicId = 'ab'.repeat(16)
    expect(await produce(client, batch(), { topicId, version: 13 })).toMatchObject({
      errorCode: ERROR.UNKNOWN_TOPIC_ID,
      baseOffset: -1n,
    })
  })

  test('refuses what was meant for a topic that was deleted, though another has its name', async () => {
    const topicId = await idOf('t')
    cluster.recreateTopic('t', { leaders: [0] })
    expect(await produce(client, batch(), { topicId, version: 13 })).toMatchObject({
      errorCode: ERROR.UNKNOWN_TOPIC_ID,
    })
    expect(cluster.records('t')).toEqual([])
    expect((await produce(client, batch(), { topicId: await idOf('t'), version: 13 })).errorCode).toBe(
      ERROR.NONE,
    )
  })

  test('is known by the topic’s name to faults and to the journal', async () => {
    const topicId = await idOf('t')
    cluster.on('Produce', errorCode(ERROR.NOT_ENOUGH_REPLICAS), { topic: 't' })
    expect((await produce(client, batch(), { topicId, version: 13 })).errorCode).toBe(
      ERROR.NOT_ENOUGH_REPLICAS,
    )
    expect(cluster.journal.of('Produce')).toMatchObject([
      { topics: ['t'], body: { topicData: [{ name: 't' }] } },
    ])
  })
})

test('zstd is refused before version 7', async () => {
  const { errorCode } = await produce(client, batch({ attributes: 4 }), { version: 6 })
  expect(errorCode).toBe(ERROR.UNSUPPORTED_COMPRESSION_TYPE)
})

test('each partition of a request has its own verdict', async () => {
  const response = await client.call(produceApi, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 100,
    topicData: [
      {
        name: 't',
        partitionData: [
          { index: 0, records: batch() },
          { index: 9, records: batch() },
        ],
      },
      { name: 'other', partitionData: [{ index: 0, records: batch() }] },
    ],
  })
  expect(response?.responses.flatMap(each => each.partitionResponses.map(p => p.errorCode))).toEqual([
    0, 3, 3,
  ])
})

test('a topic with append times stores and answers them', async () => {
  cluster.createTopic('clocked', { leaders: [0], configs: { 'message.timestamp.type': 'LogAppendTime' } })
  const before = Date.now()
  const answer = await produce(client, batch({ timestamps: [5] }), { topic: 'clocked' })
  const [record] = cluster.records('clocked')
  expect(answer.logAppendTimeMs).toBe(BigInt(record?.timestamp ?? -2))
  expect(record?.timestamp).toBeGreaterThanOrEqual(before)
})

test('a version that is not offered cuts the connection', async () => {
  client.request({ ...produceApi, maxVersion: 99 }, 2, {
    transactionalId: null,
    acks: 1,
    timeoutMs: 1,
    topicData: [],
  })
  await client.ended()
  expect(cluster.journal.of('Produce')).toEqual([])
})
