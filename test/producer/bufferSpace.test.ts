import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { Gate, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../delivery/support/world.js'

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

describe('send past the buffer', () => {
  test('waits in order, over all topics, and is let in as space comes free', async () => {
    world.topic()
    world.topic({}, 'other')
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 8000)
    const order: string[] = []
    const sends = ['large', 'a', 'b', 'c'].map((name, i) =>
      producer
        .send({
          topic: i % 2 ? 'other' : TOPIC,
          messages: [{ value: value(name, name === 'large' ? 5000 : 100) }],
        })
        .then(() => order.push(name)),
    )
    await turns(20)
    // Small ones that would fit do not pass the large one.
    expect(order).toEqual([])
    gate.open()
    await Promise.all(sends)
    expect(stored()).toEqual(['first', 'held', 'large', 'b'])
    expect(stored('other')).toEqual(['a', 'c'])
  })

  test('ends with BufferFullError after maxBlockMs; the others keep their places', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER, maxBlockMs: 5000 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate, held } = await occupy(producer, 8000)
    const early = producer.send({ topic: TOPIC, messages: [{ value: value('early', 5000) }] })
    early.catch(() => {})
    await pass(3000)
    const late = producer.send({ topic: TOPIC, messages: [{ value: value('late', 5000) }] })
    await pass(2000)
    await expect(early).rejects.toMatchObject({
      name: 'BufferFullError',
      outcome: 'not-written',
      topic: TOPIC,
    })
    gate.open()
    await Promise.all([held, late])
    expect(stored()).toEqual(['first', 'held', 'late'])
  })

  test('of a call that fits in part: what is in stays in, the rest fails with its indexes', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: 20_000, maxBlockMs: 5000 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 4000)
    const messages = ['a', 'b', 'c', 'd'].map(name => ({ value: value(name, 2500) }))
    const sent = producer.send({ topic: TOPIC, messages })
    sent.catch(() => {})
    await pass(5000)
    gate.open()
    await expect(sent).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [{ topicName: TOPIC, baseOffset: '2' }],
      failed: [{ topic: TOPIC, partition: -1, messageIndexes: [2, 3], error: { name: 'BufferFullError' } }],
    })
    expect(stored()).toEqual(['first', 'held', 'a', 'b'])
  })

  test('of a call for a missing topic that fits its share in part: the same once the topic is there', async () => {
    const producer = await world.connect({ bufferBytes: 20_000, maxBlockMs: 5000 })
    const messages = ['a', 'b', 'c'].map(name => ({ value: value(name, 2000) }))
    const sent = producer.send({ topic: 'missing', messages })
    sent.catch(() => {})
    await turns()
    await pass(5000)
    created.open()
    await pass(1000)
    await expect(sent).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [{ topicName: 'missing', baseOffset: '0' }],
      failed: [{ messageIndexes: [2], error: { name: 'BufferFullError' } }],
    })
    expect(stored('missing')).toEqual(['a', 'b'])
  })

  test('keeps the order of a call that is let in piece by piece', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    const messages = Array.from({ length: 100 }, (_, i) => ({ value: value(i, 900) }))
    const [result] = await producer.send({ topic: TOPIC, messages })
    expect(result).toMatchObject({ baseOffset: '0', partition: 0 })
    expect(stored()).toEqual(messages.map((_, i) => `${i}`))
  })
})
