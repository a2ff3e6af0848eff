import type { ResilientProducer } from 'kafkajs-resilient-producer'
import {
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  errorCode,
  Gate,
  hang,
  hold,
  holdAnswer,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'

let world: World
let created: Gate
beforeEach(async () => {
  created = new Gate()
  world = await World.withClock({ brokers: 2, autoCreate: { createdAfter: created } })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, topic = TOPIC, partition = 0) => {
  const sent = producer.send({ topic, messages: [{ value, partition }] })
  sent.catch(() => {})
  return sent
}
const arrived = (value: string, times = 1) =>
  world.cluster.journal.until(
    () => world.sent().filter(({ values }) => values.includes(value)).length === times,
  )

describe('connect and disconnect', () => {
  test('emit kafkajs events, and are shared by all who ask meanwhile', async () => {
    world.topic()
    const producer = world.producer()
    const seen: string[] = []
    producer.on(producer.events.CONNECT, ({ type }) => seen.push(type))
    producer.on(producer.events.DISCONNECT, ({ type }) => seen.push(type))
    await Promise.all([producer.connect(), producer.connect()])
    await producer.connect()
    await Promise.all([producer.disconnect(), producer.disconnect()])
    expect(seen).toEqual(['producer.connect', 'producer.disconnect'])
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(1)
  })

  test('calls outside of them are refused with kafkajs words', async () => {
    world.topic()
    const producer = world.producer()
    await expect(send(producer, 'early')).rejects.toThrow('The producer is disconnected')
    expect(() => producer.enqueue(TOPIC, { value: 'early' })).toThrow('The producer is disconnected')
    await expect(producer.flush()).rejects.toThrow('The producer is disconnected')
    await expect(producer.ready()).rejects.toThrow('The producer is disconnected')
    await producer.connect()
    const gate = world.cluster.gate()
    world.onRecord('held', hold(gate))
    const held = send(producer, 'held')
    await gate.arrived
    const disconnected = producer.disconnect()
    await turns()
    await expect(send(producer, 'late')).rejects.toThrow(/is disconnecting/)
    gate.open()
    await Promise.all([held, disconnected])
    await expect(send(producer, 'later')).rejects.toThrow('The producer is disconnected')
  })

  test('again: it gets another id, and goes on', async () => {
    world.topic()
    const producer = await world.connect()
    await send(producer, 'a')
    await producer.disconnect()
    await producer.connect()
    await send(producer, 'b')
    expect(world.stored()).toEqual(['a', 'b'])
    expect(world.sent().map(({ sequence }) => sequence)).toEqual([0, 0])
    expect(new Set(world.sent().map(({ producerId }) => producerId)).size).toBe(2)
  })

  test('connecting while it disconnects waits for that, and is connected then', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('held', hold(gate))
    const held = send(producer, 'held')
    await gate.arrived
    const disconnected = producer.disconnect()
    const connected = producer.connect()
    gate.open()
    await Promise.all([held, disconnected, connected])
    await send(producer, 'b')
    expect(world.stored()).toEqual(['first', 'held', 'b'])
  })

  test('disconnecting breaks a connect off that cannot succeed', async () => {
    const producer = world.producer()
    world.cluster.on('Metadata', hang, { times: Infinity })
    const connected = producer.connect()
    connected.catch(() => {})
    await world.cluster.journal.until(() => world.cluster.journal.of('Metadata').length === 1)
    await producer.disconnect()
    await expect(connected).rejects.toMatchObject({ name: 'ProducerClosedError' })
  })

  test('leaves no timer and no socket', async () => {
    world.topic()
    const timers = vi.getTimerCount()
    const sockets = () => process.getActiveResourcesInfo().filter(each => each === 'TCPSocketWrap')
    await turns(20)
    const before = sockets().length
    const producer = await world.confirmed({
      lingerMs: 5,
      retry: { minTimeoutMs: 30_000, maxTimeoutMs: 30_000 },
    })
    world.onRecord('refused', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    send(producer, 'refused')
    await arrived('refused')
    await turns()
    send(producer, 'missing', 'no-such-topic')
    await turns()
    await producer.disconnect({ timeoutMs: 0 })
    expect(vi.getTimerCount()).toBe(timers)
    await turns(20)
    expect(sockets()).toHaveLength(before)
  })
})

describe('an idle producer', () => {
  test('sets no timer, sends nothing', async () => {
    world.topic()
    const producer = await world.confirmed()
    await Promise.all(['a', 'b', 'c'].map(value => send(producer, value)))
    // What ends a stall watch or a backoff is set by then.
    await pass(5000)
    const setTimeoutSpy = vi.spyOn(globalThis, 'setTimeout')
    const setIntervalSpy = vi.spyOn(globalThis, 'setInterval')
    const before = world.cluster.journal.entries.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(setTimeoutSpy.mock.calls).toEqual([])
    expect(setIntervalSpy.mock.calls).toEqual([])
    expect(world.cluster.journal.entries).toHaveLength(before)
    setTimeoutSpy.mockRestore()
    setIntervalSpy.mockRestore()
  })

  test('whose broker closed the idle connection connects again when there is something to send', async () => {
    world.topic({ leaders: [0], replicationFactor: 2 })
    const producer = await world.confirmed()
    await world.cluster.stopBroker(0)
    await world.cluster.startBroker(0)
    await turns(20)
    const sent = send(producer, 'a')
    await pass(1000)
    await pass(1000)
    await sent
    expect(world.stored()).toEqual(['first', 'a'])
  })
})

test('two producers on one Kafka do not know each other', async () => {
  world.topic()
  const [one, two] = [await world.connect(), await world.connect()]
  await Promise.all([send(one, 'a'), send(two, 'b')])
  await one.disconnect()
  await send(two, 'c')
  expect(world.stored().sort()).toEqual(['a', 'b', 'c'])
})

test('drops of the connection at every step of a delivery end well', async () => {
  world.topic()
  const producer = await world.confirmed({ batchRecords: 2 })
  const values = Array.from({ length: 60 }, (_, i) => `${i}`)
  for (const value of ['3', '10', '11', '30']) world.onRecord(value, dropBeforeApply)
  for (const value of ['5', '20', '40']) world.onRecord(value, dropAfterApply)
  const gate = world.cluster.gate()
  world.onRecord('45', holdAnswer(gate))
  const sends = values.map(value => send(producer, value))
  await gate.arrived
  gate.open()
  await Promise.all(sends)
  expect(world.stored()).toEqual(['first', ...values])
})
