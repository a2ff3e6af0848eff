import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { Gate, hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../delivery/support/world.js'

let world: World
let created: Gate
beforeEach(async () => {
  created = new Gate()
  world = await World.withClock({ autoCreate: { createdAfter: created } })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, topic = TOPIC) => {
  const sent = producer.send({ topic, messages: [{ value, partition: 0 }] })
  sent.catch(() => {})
  return sent
}

/** Whether a promise has settled by now. */
const watch = (promise: Promise<unknown>) => {
  const seen = { settled: false }
  const note = () => {
    seen.settled = true
  }
  promise.then(note, note)
  return seen
}

describe('flush', () => {
  test('resolves at once when there is nothing', async () => {
    const producer = await world.connect()
    await producer.flush()
  })

  test('sends at once what lingers', async () => {
    world.topic()
    const producer = await world.connect({ lingerMs: 60_000 })
    send(producer, 'first')
    await world.until(producer, 'topics_waiting', 0)
    await producer.flush()
    const sent = send(producer, 'a')
    await turns()
    await producer.flush()
    await sent
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('sends at once what gathers behind a request in flight', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('held', hold(gate))
    send(producer, 'held')
    await gate.arrived
    send(producer, 'behind')
    await turns()
    const gathered = producer.send({ topic: TOPIC, messages: [{ value: 'a', partition: 1 }] })
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(2)
    const flushed = producer.flush()
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(3)
    gate.open()
    await Promise.all([gathered, flushed])
  })

  test('waits for what was accepted before, and for nothing after', async () => {
    world.topic()
    const producer = await world.confirmed({ batchRecords: 1 })
    const [first, second] = [world.cluster.gate(), world.cluster.gate()]
    world.onRecord('before', hold(first))
    world.onRecord('after', hold(second))
    send(producer, 'before')
    await first.arrived
    const flushed = producer.flush()
    const seen = watch(flushed)
    const after = send(producer, 'after')
    const later = watch(producer.flush())
    await turns(20)
    expect(seen.settled).toBe(false)
    first.open()
    await flushed
    await second.arrived
    expect(later.settled).toBe(false)
    second.open()
    await after
    await turns()
    expect(later.settled).toBe(true)
  })

  test('is not held up by records that go on being sent', async () => {
    world.topic()
    const producer = await world.confirmed()
    let isRunning = true
    const flood = (async () => {
      for (let i = 0; isRunning; i++) await send(producer, `${i}`)
    })()
    await producer.flush()
    isRunning = false
    await flood
  })

  test('waits for records that wait for their topic, or for space', async () => {
    world.topic({}, 'here')
    const producer = await world.connect({ bufferBytes: 4000, lingerMs: 60_000 })
    const parked = watch(send(producer, 'parked', 'missing'))
    const fills = [send(producer, '.'.repeat(3000), 'here'), send(producer, 'x'.repeat(3000), 'here')]
    const flushed = producer.flush()
    const seen = watch(flushed)
    await Promise.all(fills)
    await turns(20)
    expect([seen.settled, parked.settled]).toEqual([false, false])
    created.open()
    await pass(100)
    await flushed
    expect(parked.settled).toBe(true)
  })

  test('resolves also when records fail', async () => {
    world.topic()
    const producer = await world.confirmed({
      deliveryTimeoutMs: 5000,
      requestTimeoutMs: 60_000,
      ackTimeoutMs: 1000,
    })
    world.onRecord('a', hang)
    const sent = send(producer, 'a')
    const flushed = producer.flush()
    await world.cluster.journal.until(() => world.sent().length === 2)
    await pass(5000)
    await expect(sent).rejects.toMatchObject({ name: 'DeliveryTimeoutError' })
    // Although the request is still in flight, for ten times as long.
    await flushed
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
  })

  test('ends at its time-out, saying how many records are left; they stay', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sends = [send(producer, 'a'), send(producer, 'b')]
    await gate.arrived
    const flushed = producer.flush({ timeoutMs: 1000 })
    flushed.catch(() => {})
    await pass(1000)
    await expect(flushed).rejects.toMatchObject({
      name: 'FlushTimeoutError',
      message: expect.stringContaining('2'),
    })
    gate.open()
    await Promise.all(sends)
  })

  test('ends by its signal, before and during', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sent = send(producer, 'a')
    await gate.arrived
    const reason = new Error('enough')
    await expect(producer.flush({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const flushed = producer.flush({ signal: controller.signal })
    controller.abort(reason)
    await expect(flushed).rejects.toBe(reason)
    gate.open()
    await sent
  })
})
