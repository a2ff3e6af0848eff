import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { Gate, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, turns, World } from '../../delivery/support/world.js'

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

describe('a signal on send', () => {
  const abortable = (producer: ResilientProducer, values: string[], topic = TOPIC) => {
    const controller = new AbortController()
    const messages = values.map(value => ({ value, partition: 0 }))
    const sent = producer.send({ topic, messages, signal: controller.signal })
    sent.catch(() => {})
    return { sent, abort: () => controller.abort(new Error('enough')) }
  }
  const aborted = { name: 'SendAbortedError', outcome: 'not-written', cause: { message: 'enough' } }

  test('that is aborted already: nothing is accepted', async () => {
    world.topic()
    const producer = await world.confirmed()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(producer.send({ topic: TOPIC, messages: [{ value: 'a' }], signal })).rejects.toMatchObject(
      aborted,
    )
    await producer.flush()
    expect(world.stored()).toEqual(['first'])
  })

  test('withdraws what waits for its topic; the topic is not asked for any more', async () => {
    const producer = await world.connect()
    const { sent, abort } = abortable(producer, ['a', 'b'], 'missing')
    await turns()
    abort()
    await expect(sent).rejects.toMatchObject({ ...aborted, topic: 'missing' })
    expect(await world.metric(producer, 'topics_waiting')).toBe(0)
  })

  test('withdraws what waits for space, and lets the next in', async () => {
    world.topic()
    const producer = await world.confirmed({ bufferBytes: 4000 })
    const gate = world.cluster.gate()
    const filler = '.'.repeat(3000)
    world.onRecord(filler, hold(gate))
    const fills = send(producer, filler)
    await gate.arrived
    const { sent, abort } = abortable(producer, ['x'.repeat(2000)])
    const next = send(producer, 'next')
    await turns()
    abort()
    await expect(sent).rejects.toMatchObject(aborted)
    gate.open()
    await Promise.all([fills, next])
    expect(world.stored()).toEqual(['first', filler, 'next'])
  })

  test('withdraws what is in an open batch, and leaves the records of others there', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('held', hold(gate))
    const held = send(producer, 'held')
    await gate.arrived
    const second = send(producer, 'second')
    await turns()
    const before = send(producer, 'before')
    const { sent, abort } = abortable(producer, ['a', 'b'])
    const after = send(producer, 'after')
    await turns()
    abort()
    await expect(sent).rejects.toMatchObject({ ...aborted, partition: 0 })
    gate.open()
    await Promise.all([held, second, before, after])
    expect(world.stored()).toEqual(['first', 'held', 'second', 'before', 'after'])
    expect(world.sent().map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3])
  })

  test('leaves what is in flight to its answer: the rest of the call is withdrawn', async () => {
    world.topic()
    const producer = await world.confirmed({ batchRecords: 1 })
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    world.onRecord('a', hold(gate), 0)
    const { sent, abort } = abortable(producer, ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    await gate.arrived
    await turns()
    abort()
    gate.open()
    await expect(sent).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [{ partition: 0, baseOffset: '1' }],
      failed: [{ messageIndexes: [5, 6], error: aborted }],
    })
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd', 'e'])
  })

  test('leaves what was sent and waits to be sent again: its fate may be open', async () => {
    world.topic()
    const producer = await world.confirmed({ batchRecords: 1 })
    // b is refused behind a, which is to come again: its number is taken.
    const gate = world.cluster.gate()
    world.onRecord('a', async (request, next) => {
      await gate.wait(request.closed)
      const response = await next({ ...request.body, topicData: [] })
      return {
        ...response!,
        responses: [
          {
            name: TOPIC,
            partitionResponses: [{ index: 0, errorCode: 19, baseOffset: -1n, logAppendTimeMs: -1n }],
          },
        ],
      }
    })
    const second = world.cluster.gate()
    world.onRecord('a', hold(second))
    const a = send(producer, 'a')
    const { sent, abort } = abortable(producer, ['b', 'c'])
    await gate.arrived
    await turns()
    gate.open()
    await second.arrived
    await turns()
    abort()
    second.open()
    await a
    await sent.catch(() => {})
    await send(producer, 'd')
    const stored = world.stored()
    expect(stored).toEqual(
      [...stored].sort((x, y) => (x === 'first' ? -1 : y === 'first' ? 1 : x.localeCompare(y))),
    )
    expect(new Set(world.sent().map(({ epoch }) => epoch))).toEqual(new Set([0]))
  })

  test('after the call has settled changes nothing, and is not listened to', async () => {
    world.topic()
    const producer = await world.confirmed()
    const { sent, abort } = abortable(producer, ['a'])
    await sent
    abort()
    await send(producer, 'b')
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })
})
