import { BufferFullError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { ERROR, errorCode, Gate, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, turns, World } from '../../delivery/support/world.js'

let world: World
let created: Gate
beforeEach(async () => {
  created = new Gate()
  world = await World.withClock({ autoCreate: { createdAfter: created } })
})
afterEach(() => world.end())

const BUFFER = 10_000
const value = (name: string | number, bytes: number) => `${name}`.padEnd(bytes, '.')
const stored = (topic = TOPIC) => world.stored(0, topic).map(each => each.replaceAll('.', ''))

/** A record of this size is in flight until the gate opens. */
const occupy = async (producer: ResilientProducer, bytes: number) => {
  const gate = world.cluster.gate()
  world.onRecord(value('held', bytes), hold(gate))
  const held = producer.send({ topic: TOPIC, messages: [{ value: value('held', bytes) }] })
  held.catch(() => {})
  await gate.arrived
  return { gate, held }
}
const settled = (promise: Promise<unknown>) => {
  const seen = { done: false }
  promise.then(
    () => {
      seen.done = true
    },
    () => {
      seen.done = true
    },
  )
  return seen
}

describe('enqueue', () => {
  test('tells each record its place, in order', async () => {
    world.topic()
    const producer = await world.connect()
    const seen: unknown[] = []
    for (const name of ['a', 'b', 'c'])
      producer.enqueue(TOPIC, { value: name }, (error, place) => seen.push([name, error, place]))
    await producer.flush()
    expect(seen).toEqual([
      ['a', null, { topic: TOPIC, partition: 0, offset: '0' }],
      ['b', null, { topic: TOPIC, partition: 0, offset: '1' }],
      ['c', null, { topic: TOPIC, partition: 0, offset: '2' }],
    ])
  })

  test('tells a failure to the callback, else to onDeliveryError, else to the log', async () => {
    world.topic()
    const failures: unknown[] = []
    const producer = await world.confirmed({
      onDeliveryError: (error, place) => failures.push([error.name, place]),
    })
    for (const name of ['x', 'y']) world.onRecord(name, errorCode(ERROR.INVALID_RECORD))
    const called: unknown[] = []
    producer.enqueue(TOPIC, { value: 'x' }, error => called.push(error?.name))
    await producer.flush()
    producer.enqueue(TOPIC, { value: 'y' })
    producer.enqueue(TOPIC, { value: 'same batch' })
    await producer.flush()
    expect(called).toEqual(['RecordRejectedError'])
    expect(failures).toEqual([
      ['RecordRejectedError', { topic: TOPIC, partition: 0 }],
      ['RecordRejectedError', { topic: TOPIC, partition: 0 }],
    ])
  })

  test('goes on when a callback throws', async () => {
    world.topic()
    const producer = await world.connect({
      onDeliveryError: () => {
        throw new Error('in onDeliveryError')
      },
    })
    const seen: string[] = []
    producer.enqueue(TOPIC, { value: 'a' }, () => {
      throw new Error('in onDelivery')
    })
    producer.enqueue(TOPIC, { value: 'b' }, () => seen.push('b'))
    await producer.flush()
    producer.enqueue(TOPIC, { value: 'c', partition: 7 })
    world.onRecord('d', errorCode(ERROR.INVALID_RECORD))
    producer.enqueue(TOPIC, { value: 'd' })
    await producer.flush()
    expect(seen).toEqual(['b'])
    await producer.disconnect()
    const errors = world.log.filter(({ level }) => level === 'ERROR').map(({ message }) => message)
    expect(errors).toEqual([
      'onDelivery threw: in onDelivery',
      '2 times onDeliveryError threw: in onDeliveryError',
    ])
    world.log.length = 0
  })

  test('refuses bad input at once', async () => {
    world.topic()
    const producer = await world.connect()
    expect(() => producer.enqueue('', { value: 'a' })).toThrow('Invalid topic')
    expect(() => producer.enqueue('no good', { value: 'a' })).toThrow(/topic/)
    expect(() => producer.enqueue(TOPIC, {} as never)).toThrow(/value/)
    expect(() => producer.enqueue(TOPIC, { value: 'a' }, 5 as never)).toThrow(/onDelivery must be/)
    expect(() => producer.enqueue(TOPIC, { value: 'x'.repeat(70_000_000) })).toThrow(/too large/)
  })

  test('answers false from 80 % on, and ends a record that does not fit', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: 20_000 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 3000)
    const errors: (Error | null)[] = []
    const note = (error: Error | null) => errors.push(error)
    // One partition may hold as much as is free: half of the buffer.
    expect(producer.enqueue(TOPIC, { value: value('a', 3400) }, note)).toBe(true)
    expect(producer.enqueue(TOPIC, { value: value('b', 2500) }, note)).toBe(false)
    expect(producer.enqueue(TOPIC, { value: value('c', 600) }, note)).toBe(false)
    expect(producer.enqueue(TOPIC, { value: value('too much', 1000) }, note)).toBe(false)
    await turns()
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(BufferFullError)
    expect(errors[0]).toMatchObject({ outcome: 'not-written', topic: TOPIC })
    gate.open()
    await producer.flush()
    expect(stored()).toEqual(['first', 'held', 'a', 'b', 'c'])
  })
})

describe('ready', () => {
  test('resolves below 50 %', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: 20_000, batchRecords: 1 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    await producer.ready()
    const { gate } = await occupy(producer, 3000)
    const second = world.cluster.gate()
    world.onRecord(value('a', 5000), hold(second))
    producer.enqueue(TOPIC, { value: value('a', 5000) })
    producer.enqueue(TOPIC, { value: value('b', 2000) })
    const ready = settled(producer.ready())
    await turns(20)
    expect(ready.done).toBe(false)
    gate.open()
    await second.arrived
    await turns(20)
    expect(ready.done).toBe(false)
    second.open()
    await producer.flush()
    await turns()
    expect(ready.done).toBe(true)
  })

  test('rejects when the producer is disconnected', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    await occupy(producer, 1000)
    expect(producer.enqueue(TOPIC, { value: value('held back', 3500) }, () => {})).toBe(false)
    const ready = producer.ready()
    ready.catch(() => {})
    await producer.disconnect({ timeoutMs: 0 })
    await expect(ready).rejects.toMatchObject({ name: 'ProducerClosedError' })
    world.forgetRules()
  })

  test('lets a loop of enqueue and ready deliver many times the buffer, each record once', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    const failed: unknown[] = []
    for (let i = 0; i < 300; i++) {
      const fits = producer.enqueue(TOPIC, { value: value(i, 300) }, error => error && failed.push(error))
      if (!fits) await producer.ready()
      if (i === 0) created.open()
    }
    await producer.flush()
    expect(failed).toEqual([])
    expect(stored()).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`))
  })
})
