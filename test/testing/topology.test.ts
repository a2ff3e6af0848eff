import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka
const clients: RawClient[] = []

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 3, autoCreate: false })
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await cluster.close()
})

const connect = async (node: number): Promise<RawClient> => {
  const client = await RawClient.connect(cluster.bootstrap[node]!)
  clients.push(client)
  return client
}

const describeTopic = async (client: RawClient, name: string) => {
  const response = await client.call(metadataApi, 9, { topics: [{ name }], allowAutoTopicCreation: false })
  return {
    brokers: response!.brokers.map(({ nodeId }) => nodeId),
    controller: response!.controllerId,
    partitions: response!.topics[0]!.partitions.map(
      ({ errorCode, leaderId, leaderEpoch, isrNodes, offlineReplicas }) => ({
        errorCode,
        leaderId,
        leaderEpoch,
        isr: [...isrNodes].sort(),
        offline: offlineReplicas,
      }),
    ),
  }
}

describe('stopping a broker', () => {
  test('moves its partitions to replicas in sync, under the next epoch; it joins the replicas again', async () => {
    cluster.createTopic('t', { replicationFactor: 3, leaders: [0] })
    const zero = await connect(0)
    await produce(zero, batch())
    await cluster.stopBroker(0)
    await zero.ended()
    const one = await connect(1)
    const after = await describeTopic(one, 't')
    expect(after.brokers).toEqual([1, 2])
    expect(after.controller).toBe(1)
    expect(after.partitions).toEqual([
      { errorCode: 0, leaderId: expect.any(Number), leaderEpoch: 1, isr: [1, 2], offline: [0] },
    ])
    expect(cluster.leaderOf('t', 0)).toBe(after.partitions[0]?.leaderId)
    expect(cluster.records('t')).toHaveLength(1)
    await cluster.startBroker(0)
    expect((await describeTopic(one, 't')).partitions).toMatchObject([{ leaderEpoch: 1, isr: [0, 1, 2] }])
  })

  test('leaves partitions without another replica offline until it is back, with their records', async () => {
    cluster.createTopic('t', { replicationFactor: 1, leaders: [2] })
    await produce(await connect(2), batch())
    await cluster.stopBroker(2)
    const zero = await connect(0)
    expect((await describeTopic(zero, 't')).partitions).toEqual([
      { errorCode: ERROR.LEADER_NOT_AVAILABLE, leaderId: -1, leaderEpoch: 1, isr: [2], offline: [2] },
    ])
    await cluster.startBroker(2)
    expect((await describeTopic(zero, 't')).partitions).toMatchObject([
      { errorCode: 0, leaderId: 2, leaderEpoch: 2 },
    ])
    expect((await produce(await connect(2), batch())).baseOffset).toBe(1n)
  })

  test('keeps a partition offline whose last replica in sync is gone, until that one is back', async () => {
    cluster.createTopic('t', { replicationFactor: 2, leaders: [0] })
    const other = (await describeTopic(await connect(0), 't')).partitions[0]!.isr.find(id => id !== 0)!
    await cluster.stopBroker(other)
    await cluster.stopBroker(0)
    await cluster.startBroker(other)
    const outside = await connect([0, 1, 2].find(id => id !== 0 && id !== other)!)
    expect((await describeTopic(outside, 't')).partitions).toMatchObject([{ leaderId: -1, isr: [0] }])
    await cluster.startBroker(0)
    expect((await describeTopic(outside, 't')).partitions).toMatchObject([
      { leaderId: 0, isr: [0, other].sort() },
    ])
  })

  test('frees its port and takes it again', async () => {
    const before = [...cluster.bootstrap]
    await cluster.stopBroker(1)
    await expect(RawClient.connect(before[1]!)).rejects.toThrow('ECONNREFUSED')
    await cluster.startBroker(1)
    expect(cluster.bootstrap).toEqual(before)
    await expect(connect(1)).resolves.toBeDefined()
    await expect(cluster.startBroker(1)).rejects.toThrow('broker 1 is running')
  })
})

describe('a paused broker', () => {
  test('takes connections and requests, and serves them once it goes on', async () => {
    cluster.createTopic('t', { leaders: [0] })
    const before = await connect(0)
    cluster.pauseBroker(0)
    const after = await connect(0)
    const answers = [before, after].map(client => produce(client, batch()))
    const other = await connect(1)
    expect((await describeTopic(other, 't')).partitions).toMatchObject([{ leaderId: 0 }])
    expect(cluster.journal.of('Produce')).toEqual([])
    cluster.resumeBroker(0)
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([0, 0])
    expect((await produce(before, batch())).errorCode).toBe(0)
  })

  test('refuses what it held when another leads by then', async () => {
    cluster.createTopic('t', { leaders: [0] })
    const zero = await connect(0)
    cluster.pauseBroker(0)
    const answer = produce(zero, batch())
    cluster.moveLeader('t', 0, 1)
    cluster.resumeBroker(0)
    expect((await answer).errorCode).toBe(ERROR.NOT_LEADER_OR_FOLLOWER)
  })

  test('may be stopped, and serves again once it is started', async () => {
    const zero = await connect(0)
    cluster.pauseBroker(0)
    await cluster.stopBroker(0)
    await zero.ended()
    await cluster.startBroker(0)
    expect((await describeTopic(await connect(0), 'none')).brokers).toEqual([0, 1, 2])
  })
})

test('cutting connections leaves the listeners', async () => {
  const [zero, one] = [await connect(0), await connect(1)]
  cluster.cutConnections(0)
  await zero.ended()
  expect((await describeTopic(one, 'none')).brokers).toEqual([0, 1, 2])
  cluster.cutConnections()
  await one.ended()
  expect((await describeTopic(await connect(0), 'none')).brokers).toEqual([0, 1, 2])
})

test('lost records are gone with what the partition knew of their producers', async () => {
  cluster.createTopic('t', { leaders: [0] })
  const zero = await connect(0)
  for (const sequence of [0, 1, 2]) await produce(zero, batch({ producerId: 1, sequence }))
  cluster.loseRecords('t', 0, 1)
  expect(cluster.records('t').map(({ sequence }) => sequence)).toEqual([0])
  expect((await produce(zero, batch({ producerId: 1, sequence: 2 }))).errorCode).toBe(45)
  expect(await produce(zero, batch({ producerId: 1, sequence: 1 }))).toMatchObject({
    errorCode: 0,
    baseOffset: 1n,
  })
  cluster.loseRecords('t', 0, 0)
  expect(await produce(zero, batch({ producerId: 1, sequence: 9 }))).toMatchObject({
    errorCode: 0,
    baseOffset: 0n,
  })
})

describe('moving a leader', () => {
  test('raises the epoch; the old leader refuses, the new one has the records', async () => {
    cluster.createTopic('t', { replicationFactor: 1, leaders: [0] })
    const [zero, one] = [await connect(0), await connect(1)]
    await produce(zero, batch())
    cluster.moveLeader('t', 0, 1)
    expect((await produce(zero, batch())).errorCode).toBe(ERROR.NOT_LEADER_OR_FOLLOWER)
    expect((await produce(one, batch())).baseOffset).toBe(1n)
    expect((await describeTopic(zero, 't')).partitions).toEqual([
      { errorCode: 0, leaderId: 1, leaderEpoch: 1, isr: [1], offline: [] },
    ])
  })

  test('to nobody takes it offline', async () => {
    cluster.createTopic('t', { leaders: [0] })
    cluster.moveLeader('t', 0, -1)
    const zero = await connect(0)
    expect((await produce(zero, batch())).errorCode).toBe(ERROR.NOT_LEADER_OR_FOLLOWER)
    expect((await describeTopic(zero, 't')).partitions).toMatchObject([{ errorCode: 5, leaderId: -1 }])
  })
})

test('a topic that is deleted and made again is empty and has another id', async () => {
  cluster.createTopic('t', { leaders: [0] })
  const zero = await connect(0)
  const idOf = async () => (await zero.call(metadataApi, 12, { topics: [{ name: 't' }] }))!.topics[0]!.topicId
  await produce(zero, batch())
  const first = await idOf()
  cluster.recreateTopic('t', { partitions: 2, leaders: [0, 0] })
  const second = await idOf()
  expect(second).not.toBe(first)
  expect(cluster.records('t')).toEqual([])
  const byId = (id: string) => zero.call(metadataApi, 12, { topics: [{ name: null, topicId: id }] })
  expect((await byId(second))?.topics[0]).toMatchObject({ name: 't', errorCode: 0 })
  expect((await byId(first))?.topics[0]).toMatchObject({ errorCode: ERROR.UNKNOWN_TOPIC_ID })
})

test('the same seed makes the same cluster, another one another', async () => {
  const ids = async (seed: number) => {
    const own = await EmbeddedKafka.start({ seed, brokers: 3 })
    own.createTopic('t', { partitions: 8, replicationFactor: 2 })
    const client = await RawClient.connect(own.bootstrap[0]!)
    const response = await client.call(metadataApi, 12, { topics: [{ name: 't' }] })
    await client.close()
    await own.close()
    return [response!.clusterId, response!.topics[0]!.topicId, response!.topics[0]!.partitions]
  }
  expect(await ids(5)).toEqual(await ids(5))
  expect(await ids(5)).not.toEqual(await ids(6))
})

test('a taken base port fails the start and leaves nothing open', async () => {
  const port = Number(cluster.bootstrap[0]!.split(':')[1])
  await expect(EmbeddedKafka.start({ basePort: port - 1, brokers: 2 })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  const again = await EmbeddedKafka.start({ basePort: port - 1 })
  expect(again.bootstrap).toEqual([`127.0.0.1:${port - 1}`])
  await again.close()
})
