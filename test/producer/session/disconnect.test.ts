import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, ERROR, errorCode, Gate, hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

/** Ends of enqueued records: each must come once. */
const enqueueAll = (producer: ResilientProducer, values: readonly string[], topic = TOPIC) => {
  const ends: [string, string | null][] = []
  for (const value of values) {
    producer.enqueue(topic, { value, partition: 0 }, error => ends.push([value, error?.name ?? null]))
  }
  return ends
}

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
    await Promise.all([arrived('refused'), arrived('lost')])
    await world.until(producer, 'requests_in_flight', 0)
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

test('a second disconnect with less patience ends the first, and one with more does not lengthen it', async () => {
  world.topic()
  const producer = await world.confirmed()
  world.onRecord('unanswered', hang)
  const sent = send(producer, 'unanswered')
  await arrived('unanswered')
  const order: string[] = []
  const patient = producer.disconnect({ timeoutMs: 60_000 }).then(() => order.push('patient'))
  const morePatient = producer.disconnect({ timeoutMs: 90_000 }).then(() => order.push('more patient'))
  await turns()
  expect(order).toEqual([])
  await producer.disconnect({ timeoutMs: 0 })
  await Promise.all([patient, morePatient])
  await expect(sent).rejects.toMatchObject({ name: 'ProducerClosedError' })
})

test('200,000 records that wait at a disconnect end in turns of the event loop, each once and in order', async () => {
  const producer = await world.connect({ bufferBytes: 64 * 1024 * 1024 })
  const count = 200_000
  let ended = 0
  let isOrdered = true
  for (let i = 0; i < count; i++) {
    producer.enqueue('missing', { value: 'x' }, () => {
      if (i !== ended) isOrdered = false
      ended++
    })
  }
  let inTurn = 0
  let before = 0
  const look = (): void => {
    inTurn = Math.max(inTurn, ended - before)
    before = ended
    if (ended < count) setImmediate(look)
  }
  const disconnected = producer.disconnect({ timeoutMs: 0 })
  setImmediate(look)
  await disconnected
  expect([ended, isOrdered]).toEqual([count, true])
  expect(inTurn).toBeLessThanOrEqual(16_000)
})
