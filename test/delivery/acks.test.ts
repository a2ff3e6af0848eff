import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { dropBeforeApply, ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from './support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, acks?: number, rest = {}) => {
  const sent = producer.send({
    topic: TOPIC,
    ...(acks === undefined ? {} : { acks }),
    messages: [{ value, partition: 0 }],
    ...rest,
  })
  sent.catch(() => {})
  return sent
}
const shown = () => world.sent().map(({ acks, sequence, values }) => [values.join(''), acks, sequence])
const warnings = () => world.log.filter(({ level }) => level.startsWith('WARN'))

describe('acks 0', () => {
  test('resolves once written, with nothing to tell, without a sequence', async () => {
    world.topic()
    const producer = await world.connect()
    expect(await send(producer, 'a', 0)).toEqual([])
    expect(
      await producer.send({ topic: TOPIC, acks: 0, messages: [{ value: 'b' }, { value: 'c' }] }),
    ).toEqual([])
    await world.cluster.journal.until(() => world.stored().length === 3)
    expect(shown().map(([, acks, sequence]) => [acks, sequence])).toEqual([
      [0, -1],
      [0, -1],
    ])
  })

  test('finds the leader again after a broker has cut the connection, its only way to refuse', async () => {
    world.topic({ leaders: [0], replicationFactor: 2 })
    const producer = await world.connect({ acks: 0 })
    await send(producer, 'a')
    await world.cluster.journal.until(() => world.stored().length === 1)
    world.cluster.moveLeader(TOPIC, 0, 1)
    const asked = world.cluster.journal.of('Metadata').length
    await send(producer, 'lost')
    await world.cluster.journal.until(() => world.cluster.journal.of('Metadata').length > asked)
    await turns(20)
    await send(producer, 'b')
    await world.cluster.journal.until(() => world.stored().length === 2)
    expect(world.stored()).toEqual(['a', 'b'])
  })

  test('is sent again when the connection ends before it is written', async () => {
    world.topic()
    const producer = await world.connect({ acks: 0 })
    await send(producer, 'a')
    world.onRecord('b', dropBeforeApply)
    await send(producer, 'b')
    await turns(20)
    await send(producer, 'c')
    await world.cluster.journal.until(() => world.stored().includes('c'))
    expect(world.stored()).toEqual(['a', 'c'])
  })

  test('of a call of which a part fails says which: the rest was written', async () => {
    world.topic()
    const producer = await world.connect({ acks: 0 })
    const messages = [
      { value: 'a', partition: 0 },
      { value: 'b', partition: 7 },
    ]
    await expect(producer.send({ topic: TOPIC, messages })).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [],
      failed: [{ messageIndexes: [1], error: { name: 'PartitionNotFoundError' } }],
    })
    await world.cluster.journal.until(() => world.stored().length === 1)
  })

  test('as the default of the producer asks for no producer id', async () => {
    world.topic()
    const producer = await world.connect({ acks: 0 })
    await send(producer, 'a')
    expect(world.cluster.journal.of('InitProducerId')).toEqual([])
    expect(warnings()).toEqual([])
  })
})

describe('acks 1', () => {
  test('is answered by the leader alone, without a sequence, with one warning for all calls', async () => {
    world.topic({ configs: { 'min.insync.replicas': '2' } })
    const producer = await world.connect()
    expect(await send(producer, 'a', 1)).toMatchObject([{ partition: 0, baseOffset: '0' }])
    await send(producer, 'b', 1)
    await send(producer, 'c', 0)
    await world.cluster.journal.until(() => world.stored().length === 3)
    expect(shown()).toEqual([
      ['a', 1, -1],
      ['b', 1, -1],
      ['c', 0, -1],
    ])
    expect(warnings()).toHaveLength(1)
  })

  test('is an error with idempotent: true, as in kafkajs', async () => {
    world.topic()
    const producer = await world.connect({ idempotent: true })
    await expect(send(producer, 'a', 1)).rejects.toThrow(/EoS guarantees/)
    expect(() => world.producer({ idempotent: true, acks: 1 })).toThrow(/idempotent/)
  })
})

describe('calls of different acks', () => {
  test('do not share a batch, and keep their order', async () => {
    world.topic()
    const producer = await world.connect()
    const acks = [-1, 1, 1, -1, 0, -1, -1, 0, 1]
    await Promise.all(acks.map((each, i) => send(producer, `${i}`, each)))
    await world.cluster.journal.until(() => world.stored().length === acks.length)
    expect(world.stored()).toEqual(acks.map((_, i) => `${i}`))
    expect(shown().map(([values, each]) => [values, each])).toEqual([
      ['0', -1],
      ['12', 1],
      ['3', -1],
      ['4', 0],
      ['56', -1],
      ['7', 0],
      ['8', 1],
    ])
  })

  test('keep their order when one in the middle is refused', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('b', errorCode(ERROR.NOT_ENOUGH_REPLICAS), 2)
    world.onRecord('c', dropBeforeApply)
    const sends = [
      send(producer, 'a', -1),
      send(producer, 'b', 1),
      send(producer, 'c', -1),
      send(producer, 'd', 1),
    ]
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd'])
  })

  test('a sequenced batch is not in flight beside one without sequence', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('plain', hold(gate))
    const sends = [send(producer, 'plain', 1), send(producer, 'a', -1)]
    void producer.flush()
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', 'plain', 'a'])
  })

  test('and different timeouts do not share a request', async () => {
    world.topic({ partitions: 2, leaders: [0, 0] })
    const producer = await world.connect()
    await send(producer, 'first')
    await Promise.all([
      send(producer, 'a', -1, { timeout: 5000 }),
      producer.send({ topic: TOPIC, timeout: 7000, messages: [{ value: 'b', partition: 1 }] }),
    ])
    const timeouts = world
      .sent()
      .map(({ entry, values }) => [values.join(''), (entry.body as { timeoutMs: number }).timeoutMs])
    expect(timeouts.slice(1)).toEqual([
      ['a', 5000],
      ['b', 7000],
    ])
  })
})

test('a throttled producer waits as long as it is told', async () => {
  world.topic()
  const producer = await world.confirmed()
  world.onRecord('a', async (_request, next) => ({ ...(await next())!, throttleTimeMs: 30_000 }))
  await send(producer, 'a')
  const sent = send(producer, 'b')
  await pass(29_000)
  expect(world.stored()).toEqual(['first', 'a'])
  await pass(1000)
  await sent
  expect(world.stored()).toEqual(['first', 'a', 'b'])
})
