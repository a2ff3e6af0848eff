import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { ERROR, hang, hangAfterApply, hold, holdAnswer } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 3 })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, partition = 0) => {
  const sent = producer.send({ topic: TOPIC, messages: [{ value, partition }] })
  sent.catch(() => {})
  return sent
}
const where = (value: string) =>
  world.sent().flatMap(({ values, node }) => (values.includes(value) ? [node] : []))
const metadataRequests = () => world.cluster.journal.of('Metadata').length

describe('a partition whose leader moves', () => {
  test('is found by the hint in the answer, without a metadata request (KIP-951)', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed()
    const before = metadataRequests()
    world.cluster.moveLeader(TOPIC, 0, 2)
    await send(producer, 'a')
    expect(where('a')).toEqual([0, 2])
    expect(metadataRequests()).toBe(before)
  })

  test('is asked for at brokers that give no hints', async () => {
    await world.end()
    world = await World.withClock({ brokers: 3, maxVersions: { Produce: 9 } })
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed()
    const before = metadataRequests()
    world.cluster.moveLeader(TOPIC, 0, 2)
    await send(producer, 'a')
    expect(where('a').at(-1)).toBe(2)
    expect(metadataRequests()).toBeGreaterThan(before)
    expect(world.cluster.journal.allTopicsRequests()).toEqual([])
  })

  test('is not led back by a hint of an older epoch', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed()
    world.cluster.moveLeader(TOPIC, 0, 1)
    await send(producer, 'a')
    world.onRecord(
      'b',
      verdict(0, { errorCode: ERROR.NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: 0, leaderEpoch: 0 } }),
    )
    await send(producer, 'b')
    expect(where('b')).toEqual([1, 1])
  })

  test('is looked up after 50 refusals of a broker that names itself', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed()
    const asked: number[] = []
    const refusal = verdict(0, {
      errorCode: ERROR.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 0, leaderEpoch: 0 },
    })
    const before = metadataRequests()
    world.onRecord(
      'a',
      (request, next) => {
        asked.push(metadataRequests() - before)
        return refusal(request, next)
      },
      51,
    )
    await send(producer, 'a')
    expect(where('a')).toHaveLength(52)
    // At the arrival of the 51st attempt there was no reason yet to ask.
    expect(asked.at(-1)).toBe(0)
    await world.cluster.journal.until(() => metadataRequests() > before)
  })

  test('after it wrote a first batch is tried no more often than retry.retries: it may be written', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.connect({ idempotent: false, retry: { retries: 0 } })
    world.onRecord('a', verdict(0, { errorCode: ERROR.NOT_LEADER_OR_FOLLOWER, baseOffset: 0n }, 'applied'))
    await expect(send(producer, 'a')).rejects.toMatchObject({ attempts: 1, outcome: 'unknown' })
    expect(world.stored()).toEqual(['a'])
  })

  test('with five batches in flight gets them in order, and once', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed({ batchRecords: 1 })
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const sends = values.map(value => send(producer, value))
    const flushed = producer.flush()
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(5)
    world.cluster.moveLeader(TOPIC, 0, 1)
    gate.open()
    await Promise.all([...sends, flushed])
    expect(world.stored()).toEqual(['first', ...values])
  })

  test('while some of the five were written by the old one: the new one knows them', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed({ batchRecords: 1 })
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    world.onRecord('c', async (request, next) => {
      await next()
      world.cluster.moveLeader(TOPIC, 0, 1)
      request.drop()
      return null
    })
    const sends = values.map(value => send(producer, value))
    await Promise.all([...sends, producer.flush()])
    expect(world.stored()).toEqual(['first', ...values])
    expect(where('c')).toEqual([0, 1])
  })

  test('and back again does not confuse it', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed({ batchRecords: 1 })
    for (const [i, node] of [1, 2, 0, 1, 0].entries()) {
      world.cluster.moveLeader(TOPIC, 0, node)
      await Promise.all([...['a', 'b', 'c'].map(value => send(producer, `${value}${i}`)), producer.flush()])
    }
    expect(world.stored()).toEqual([
      'first',
      ...[0, 1, 2, 3, 4].flatMap(i => ['a', 'b', 'c'].map(value => `${value}${i}`)),
    ])
  })

  test('while a batch waits for its backoff is written to at once', async () => {
    await world.end()
    world = await World.withClock({ brokers: 3, maxVersions: { Produce: 9 } })
    world.topic({ partitions: 2, leaders: [0, 0], replicationFactor: 3 })
    const producer = await world.confirmed({ retry: { minTimeoutMs: 600_000, maxTimeoutMs: 600_000 } })
    world.onRecord('a', verdict(0, { errorCode: ERROR.NOT_ENOUGH_REPLICAS }))
    const sent = send(producer, 'a')
    await world.cluster.journal.until(() => world.sent().at(-1)?.entry.answered !== undefined)
    await turns()
    // The other partition's trouble brings metadata: nothing else would for ten minutes.
    for (const partition of [0, 1]) world.cluster.moveLeader(TOPIC, partition, 1)
    await Promise.all([sent, send(producer, 'other', 1)])
    expect(where('a')).toEqual([0, 1])
  })

  test('away for a moment, without a leader: its records wait, those of the others do not', async () => {
    world.topic({ partitions: 2, leaders: [0, 0], replicationFactor: 3 })
    const producer = await world.confirmed()
    await send(producer, 'other', 1)
    world.cluster.moveLeader(TOPIC, 0, -1)
    const waiting = [send(producer, 'a'), send(producer, 'b')]
    await world.until(producer, 'requests_in_flight', 0)
    await send(producer, 'other again', 1)
    world.cluster.moveLeader(TOPIC, 0, 2)
    await pass(1000)
    await Promise.all(waiting)
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })

  test('keyless records avoid a partition without a leader; keyed ones wait for it', async () => {
    world.topic({ partitions: 2, leaders: [0, 0], replicationFactor: 3 })
    const producer = await world.confirmed()
    world.cluster.moveLeader(TOPIC, 0, -1)
    const pinned = send(producer, 'pinned')
    // Until the producer knows.
    await world.cluster.journal.until(
      () => world.cluster.journal.of('Metadata').filter(({ topics }) => topics?.includes(TOPIC)).length > 2,
    )
    await turns(20)
    for (let i = 0; i < 10; i++) await producer.send({ topic: TOPIC, messages: [{ value: `keyless ${i}` }] })
    expect(world.stored(1)).toHaveLength(10)
    world.cluster.moveLeader(TOPIC, 0, 0)
    await pass(1000)
    await pinned
  })
})

describe('a leader that says nothing', () => {
  const QUIET = { requestTimeoutMs: 120_000, ackTimeoutMs: 1000, deliveryTimeoutMs: 240_000 }

  test('and was replaced is found out through another broker; its batches go to the new one under their sequences', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed({ ...QUIET, batchRecords: 1 })
    world.onRecord('a', hangAfterApply)
    const sends = ['a', 'b', 'c'].map(value => send(producer, value))
    void producer.flush()
    await world.cluster.journal.until(() => where('a').length === 1)
    world.cluster.on('Metadata', hang, { node: 0, times: Infinity })
    world.cluster.moveLeader(TOPIC, 0, 1)
    const asked = metadataRequests()
    await pass(1000)
    await world.cluster.journal.until(() => metadataRequests() > asked)
    await Promise.all(sends)
    expect(world.cluster.journal.of('Metadata').at(-1)?.node).not.toBe(0)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
    expect(where('a')).toEqual([0, 1])
  })

  test('is given up also where its successor was known before the silence was long enough to tell', async () => {
    world.topic({ partitions: 2, leaders: [0, 1], replicationFactor: 3 })
    const producer = await world.confirmed(QUIET)
    await send(producer, 'other', 1)
    world.onRecord('a', hangAfterApply)
    const sent = send(producer, 'a')
    await world.cluster.journal.until(() => where('a').length === 1)
    // Metadata comes for another partition's sake, half a second into the silence; then there is no news any more.
    world.cluster.moveLeader(TOPIC, 0, 2)
    await pass(500)
    world.onRecord('moved', verdict(1, { errorCode: ERROR.NOT_LEADER_OR_FOLLOWER }))
    await send(producer, 'moved', 1)
    await turns(20)
    expect(where('a')).toEqual([0])
    await pass(1000)
    await sent
    expect(where('a')).toEqual([0, 2])
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('is left by the topics that wait for it together with the one in flight', async () => {
    const topics = ['t0', 't1', 't2', 't3']
    for (const topic of topics) world.topic({ leaders: [0], replicationFactor: 3 }, topic)
    // Each batch is a request of its own, one at a time: three topics wait behind the first.
    const producer = await world.connect({ ...QUIET, maxInFlightPerBroker: 1, requestBytes: 4096 })
    const sendToAll = (value: string) =>
      Promise.all(topics.map(topic => producer.send({ topic, messages: [{ value }] })))
    await sendToAll('first')
    const value = 'a'.repeat(3000)
    world.onRecord(value, hang)
    const sent = sendToAll(value)
    await world.cluster.journal.until(() => where(value).length === 1)
    for (const topic of topics) world.cluster.moveLeader(topic, 0, 1)
    await pass(1000)
    await sent
    expect(where(value)).toEqual([0, 1, 1, 1, 1])
  })

  test('but is still the leader keeps them until it answers', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed(QUIET)
    const gate = world.cluster.gate()
    world.onRecord('a', holdAnswer(gate))
    const sent = send(producer, 'a')
    await gate.arrived
    const asked = metadataRequests()
    await pass(1000)
    await world.cluster.journal.until(() => metadataRequests() > asked)
    await pass(5000)
    gate.open()
    await sent
    expect(where('a')).toEqual([0])
  })
})

describe('a broker that stops', () => {
  test('and whose partitions move: everything goes on with their new leaders', async () => {
    world.topic({ partitions: 3, leaders: [0, 1, 2], replicationFactor: 3 })
    const producer = await world.connect({ batchRecords: 1 })
    await Promise.all([0, 1, 2].map(partition => send(producer, 'first', partition)))
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sends = ['a', 'b', 'c'].flatMap(value =>
      [0, 1, 2].map(partition => send(producer, value, partition)),
    )
    const flushed = producer.flush()
    await gate.arrived
    await world.cluster.stopBroker(0)
    gate.open()
    for (let i = 0; i < 5; i++) await pass(200)
    await Promise.all([...sends, flushed])
    for (const partition of [0, 1, 2]) expect(world.stored(partition)).toEqual(['first', 'a', 'b', 'c'])
  })

  test('and has the only copy: the records wait until it is back', async () => {
    world.topic({ leaders: [0] })
    const producer = await world.confirmed()
    await world.cluster.stopBroker(0)
    const sent = send(producer, 'a')
    for (let i = 0; i < 5; i++) await pass(1000)
    await world.cluster.startBroker(0)
    for (let i = 0; i < 5; i++) await pass(1000)
    await sent
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('all of them: the records wait until one is back', async () => {
    world.topic({ leaders: [0], replicationFactor: 3 })
    const producer = await world.confirmed()
    for (const node of [0, 1, 2]) await world.cluster.stopBroker(node)
    const sent = send(producer, 'a')
    for (let i = 0; i < 30; i++) await pass(1000)
    for (const node of [0, 1, 2]) await world.cluster.startBroker(node)
    for (let i = 0; i < 10; i++) await pass(1000)
    await sent
    expect(world.stored()).toEqual(['first', 'a'])
  })
})
