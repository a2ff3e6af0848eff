import { RecordTooLargeError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { TOPIC, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, partition = 0) =>
  producer.send({ topic: TOPIC, messages: [{ value, partition }] })

describe('a batch that is too large', () => {
  const text = (value: string, bytes: number) => value.padEnd(bytes, '.')

  test('is split until it fits; the parts keep its sequences, and the offsets are right', async () => {
    world.topic({ configs: { 'max.message.bytes': '1500' } })
    const producer = await world.confirmed()
    const messages = Array.from({ length: 10 }, (_, i) => ({ value: text(`${i}`, 300), partition: 0 }))
    const result = await producer.send({ topic: TOPIC, messages })
    expect(result).toMatchObject([{ partition: 0, baseOffset: '1' }])
    expect(world.stored()).toEqual(['first', ...messages.map(({ value }) => value)])
    const trail = world.sent().map(({ epoch, sequence, values }) => [epoch, sequence, values.length])
    expect(trail).toEqual([
      [0, 0, 1],
      [0, 1, 10],
      [0, 1, 5],
      [0, 1, 2],
      [0, 3, 3],
      [0, 6, 5],
      [0, 6, 2],
      [0, 8, 3],
    ])
  })

  test('makes those after it smaller', async () => {
    world.topic({ configs: { 'max.message.bytes': '1500' } })
    const producer = await world.confirmed()
    const messages = Array.from({ length: 8 }, (_, i) => ({ value: text(`${i}`, 300), partition: 0 }))
    await producer.send({ topic: TOPIC, messages })
    const before = world.sent().length
    await producer.send({ topic: TOPIC, messages })
    const refused = world
      .sent()
      .slice(before)
      .filter(({ entry }) => entry.answered?.errorCodes.includes(10))
    expect(refused).toEqual([])
  })

  test('with others in flight behind it keeps the order', async () => {
    world.topic({ configs: { 'max.message.bytes': '1000' } })
    const producer = await world.confirmed({ batchBytes: 1300 })
    const values = Array.from({ length: 12 }, (_, i) => text(`${i}`, 300))
    await Promise.all(values.map(value => send(producer, value)))
    expect(world.stored()).toEqual(['first', ...values])
  })

  test('of one record is rejected, and the others are delivered', async () => {
    world.topic({ configs: { 'max.message.bytes': '1000' } })
    const producer = await world.confirmed()
    const error = await producer
      .send({
        topic: TOPIC,
        messages: ['a', text('large', 5000), 'b'].map(value => ({ value, partition: 0 })),
      })
      .catch(each => each)
    expect(error.failed).toMatchObject([{ messageIndexes: [1] }])
    expect(error.failed[0].error).toBeInstanceOf(RecordTooLargeError)
    expect(error.failed[0].error).toMatchObject({ partition: 0, outcome: 'not-written', code: 10 })
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })

  test('RECORD_LIST_TOO_LARGE splits as well', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('a', verdict(0, { errorCode: 18 }))
    await producer.send({ topic: TOPIC, messages: ['a', 'b'].map(value => ({ value, partition: 0 })) })
    expect(world.stored()).toEqual(['first', 'a', 'b'])
    expect(world.sent().map(({ sequence }) => sequence)).toEqual([0, 1, 1, 2])
  })

  test('without idempotence splits without numbers', async () => {
    world.topic({ configs: { 'max.message.bytes': '1500' } })
    const producer = await world.connect({ idempotent: false })
    const messages = Array.from({ length: 10 }, (_, i) => ({ value: text(`${i}`, 300), partition: 0 }))
    await producer.send({ topic: TOPIC, messages })
    expect(world.stored()).toEqual(messages.map(({ value }) => value))
  })

  test('whose first attempt may have been written is not written twice', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('a', dropAfterApply)
    world.onRecord('a', verdict(0, { errorCode: ERROR.MESSAGE_TOO_LARGE }))
    const sent = producer.send({ topic: TOPIC, messages: ['a', 'b'].map(value => ({ value, partition: 0 })) })
    await expect(sent).rejects.toMatchObject({
      failed: [
        { messageIndexes: [0], error: { name: 'SequenceLostError', outcome: 'unknown' } },
        { messageIndexes: [1], error: { name: 'SequenceLostError', outcome: 'unknown' } },
      ],
    })
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })
})

describe('after a batch was too large', () => {
  const burst = (producer: ResilientProducer, count = 2000) =>
    producer.send({
      topic: TOPIC,
      messages: Array.from({ length: count }, () => ({ value: 'x'.repeat(100), partition: 0 })),
    })
  const batchesOf = async (work: Promise<unknown>): Promise<number> => {
    const before = world.sent().length
    await work
    return world.sent().length - before
  }

  test('for a moment, batches become as large again as they were', async () => {
    world.topic()
    const producer = await world.confirmed()
    const usual = await batchesOf(burst(producer))
    // As while max.message.bytes is lowered for a moment.
    for (let i = 0; i < 6; i++) world.onNext(verdict(0, { errorCode: ERROR.MESSAGE_TOO_LARGE }))
    await burst(producer)
    for (let i = 0; i < 3; i++) await burst(producer)
    expect(await batchesOf(burst(producer))).toBe(usual)
  })

  test('for good, batches stay small, and are tried larger less and less often', async () => {
    world.topic({ configs: { 'max.message.bytes': '5000' } })
    const producer = await world.confirmed()
    await burst(producer)
    const before = world.sent().length
    for (let i = 0; i < 10; i++) await burst(producer)
    const later = world.sent().slice(before)
    const refused = later.filter(({ entry }) => entry.answered?.errorCodes.includes(10))
    expect(later.length).toBeGreaterThan(400)
    expect(refused.length).toBeLessThanOrEqual(6)
    expect(world.stored()).toHaveLength(1 + 11 * 2000)
  })
})
