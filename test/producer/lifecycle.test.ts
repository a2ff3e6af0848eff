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
import { pass, TOPIC, turns, World } from '../delivery/support/world.js'

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

/** Ends of enqueued records: each must come once. */
const enqueueAll = (producer: ResilientProducer, values: readonly string[], topic = TOPIC) => {
  const ends: [string, string | null][] = []
  for (const value of values) {
    producer.enqueue(topic, { value, partition: 0 }, error => ends.push([value, error?.name ?? null]))
  }
  return ends
}

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

describe('disconnect', () => {
  test('delivers what was accepted', async () => {
    world.topic()
    const producer = await world.connect({ lingerMs: 60_000 })
    const ends = enqueueAll(producer, ['a', 'b', 'c'])
    await producer.disconnect()
    expect(world.stored()).toEqual(['a', 'b', 'c'])
    expect(ends.map(([, error]) => error)).toEqual([null, null, null])
  })

  test('waits for at most its time-out, then rejects what is left, each record once', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('held', hang)
    const held = send(producer, 'held')
    await arrived('held')
    const ends = enqueueAll(producer, ['a', 'b'])
    const disconnected = producer.disconnect({ timeoutMs: 10_000 })
    await pass(9000)
    expect(ends).toEqual([])
    await pass(1000)
    await disconnected
    await expect(held).rejects.toMatchObject({ name: 'ProducerClosedError', outcome: 'unknown', attempts: 1 })
    expect(ends).toEqual([
      ['a', 'ProducerClosedError'],
      ['b', 'ProducerClosedError'],
    ])
  })

  const closed = (outcome: string) => ({ name: 'ProducerClosedError', outcome, topic: TOPIC })
  const soon = { timeoutMs: 0 }

  test('ends a record that waits for its topic', async () => {
    const producer = await world.connect()
    const sent = send(producer, 'a')
    const ends = enqueueAll(producer, ['b'])
    await turns()
    await producer.disconnect(soon)
    await expect(sent).rejects.toMatchObject(closed('not-written'))
    expect(ends).toEqual([['b', 'ProducerClosedError']])
  })

  test('ends records that wait for space, and for the share of missing topics', async () => {
    world.topic({}, 'here')
    const producer = await world.connect({ bufferBytes: 4000 })
    await send(producer, 'first', 'here')
    const gate = world.cluster.gate()
    const filler = '.'.repeat(1500)
    world.onRecord(filler, hold(gate))
    const inFlight = send(producer, filler, 'here')
    await gate.arrived
    const parked = send(producer, '.'.repeat(1800))
    const shared = send(producer, '.'.repeat(700))
    const spaced = send(producer, '.'.repeat(1600), 'here')
    await turns()
    await producer.disconnect(soon)
    await expect(parked).rejects.toMatchObject(closed('not-written'))
    await expect(shared).rejects.toMatchObject(closed('not-written'))
    await expect(spaced).rejects.toMatchObject({ ...closed('not-written'), topic: 'here' })
    await expect(inFlight).rejects.toMatchObject({ ...closed('unknown'), topic: 'here' })
    gate.open()
  })

  test('ends a record that backs off after a refusal, and one after a lost answer', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await world.confirmed({ retry: { minTimeoutMs: 60_000, maxTimeoutMs: 60_000 } })
    world.onRecord('refused', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    world.onRecord('lost', dropAfterApply)
    const refused = send(producer, 'refused')
    const lost = send(producer, 'lost', TOPIC, 1)
    await world.until(producer, 'record_retries_total', 2)
    await producer.disconnect(soon)
    await expect(refused).rejects.toMatchObject({ ...closed('not-written') })
    await expect(lost).rejects.toMatchObject({ ...closed('unknown') })
  })

  test('ends a record whose attempts are bounded once, by its own error or by that of the closing', async () => {
    world.topic()
    const producer = await world.confirmed({ retry: { retries: 0 } })
    world.onRecord('held', hang)
    const ends = enqueueAll(producer, ['held'])
    await arrived('held')
    await producer.disconnect(soon)
    expect(ends).toEqual([['held', 'ProducerClosedError']])
  })

  test('does not end a second time what expired in flight', async () => {
    world.topic()
    const producer = await world.confirmed({
      deliveryTimeoutMs: 5000,
      requestTimeoutMs: 60_000,
      ackTimeoutMs: 1000,
    })
    world.onRecord('held', hang)
    const ends = enqueueAll(producer, ['held'])
    await arrived('held')
    await pass(5000)
    expect(ends).toEqual([['held', 'DeliveryTimeoutError']])
    await producer.disconnect(soon)
    expect(ends).toEqual([['held', 'DeliveryTimeoutError']])
  })

  test('ends a record while its broker is being connected to', async () => {
    world.topic({ partitions: 1, leaders: [0] })
    const producer = await world.connect()
    world.cluster.on('ApiVersions', hang, { node: 0, times: Infinity })
    const sent = send(producer, 'a')
    await turns(50)
    await producer.disconnect(soon)
    await expect(sent).rejects.toMatchObject(closed('not-written'))
  })

  test('ends a record that waits for a leader', async () => {
    world.topic({ partitions: 2, leaders: [0, 0] })
    const producer = await world.confirmed()
    world.cluster.moveLeader(TOPIC, 0, -1)
    const sent = send(producer, 'a')
    await arrived('a')
    await turns(50)
    await producer.disconnect(soon)
    await expect(sent).rejects.toMatchObject(closed('not-written'))
  })

  test('ends records while new epochs are asked for', async () => {
    world.topic()
    world.cluster.on('InitProducerId', async (_request, next) => ({
      ...(await next())!,
      producerEpoch: 32767,
    }))
    const producer = await world.confirmed()
    world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS), { times: Infinity })
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow()
    const sent = send(producer, 'a')
    await turns(20)
    await producer.disconnect(soon)
    await expect(sent).rejects.toMatchObject(closed('not-written'))
  })

  test('a callback that sends while the producer closes is told so, and harms nobody', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('held', hang)
    const later: unknown[] = []
    producer.enqueue(TOPIC, { value: 'held', partition: 0 }, () => {
      send(producer, 'again').catch(error => later.push(error))
      try {
        producer.enqueue(TOPIC, { value: 'again' })
      } catch (error) {
        later.push(error)
      }
    })
    await arrived('held')
    const ends = enqueueAll(producer, ['a'])
    await producer.disconnect(soon)
    await turns()
    expect(later).toMatchObject([{ message: /disconnecting/ }, { message: /disconnecting/ }])
    expect(ends).toEqual([['a', 'ProducerClosedError']])
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
