import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { dropBeforeApply, hang, hangAfterApply, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const DELIVERY = { deliveryTimeoutMs: 60_000, requestTimeoutMs: 120_000, ackTimeoutMs: 1000 }

const send = (producer: ResilientProducer, value: string, partition = 0, topic = TOPIC) => {
  const sent = producer.send({ topic, messages: [{ value, partition }] })
  sent.catch(() => {})
  return sent
}

const arrivals = (value: string) => world.sent().filter(({ values }) => values.includes(value)).length
const arrived = (value: string, times: number) => world.cluster.journal.until(() => arrivals(value) === times)

describe('a request that is not answered', () => {
  test('ends at requestTimeoutMs: its connection is dropped, and its batches are retried with their sequences', async () => {
    world.topic()
    const producer = await world.confirmed({ requestTimeoutMs: 5000, ackTimeoutMs: 1000 })
    world.onRecord('a', hangAfterApply)
    const sent = send(producer, 'a')
    await arrived('a', 1)
    await pass(5000)
    await turns(20)
    await pass(1000)
    await expect(sent).resolves.toMatchObject([{ baseOffset: '1' }])
    const [, first, second] = world.sent()
    expect(second).toMatchObject({ sequence: first!.sequence, epoch: first!.epoch })
    expect(second!.connectionId).not.toBe(first!.connectionId)
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('has longer than the broker may wait for its replicas', async () => {
    world.topic()
    const producer = await world.confirmed({ requestTimeoutMs: 2000, ackTimeoutMs: 20_000 })
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sent = send(producer, 'a')
    await gate.arrived
    await pass(19_000)
    gate.open()
    await sent
    expect(arrivals('a')).toBe(1)
  })

  test('and was not written is written by its next attempt, the following ones behind it', async () => {
    world.topic()
    const producer = await world.confirmed({ requestTimeoutMs: 5000, ackTimeoutMs: 1000, batchRecords: 1 })
    world.onRecord('a', hang)
    const sends = ['a', 'b', 'c'].map(value => send(producer, value))
    const flushed = producer.flush()
    await arrived('a', 1)
    await pass(5000)
    await turns(20)
    await pass(1000)
    await Promise.all(sends)
    await flushed
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
  })
})

test('a broker that drops each connection is tried with growing pauses, not in a storm', async () => {
  world.topic()
  const producer = await world.confirmed({ ...DELIVERY, retry: { minTimeoutMs: 100, maxTimeoutMs: 1000 } })
  const remove = world.cluster.on('Produce', dropBeforeApply, { times: Infinity })
  // The world's own script stands first among those that stay: this one is for counted requests.
  remove()
  world.onRecord('a', dropBeforeApply, 1000)
  const sent = send(producer, 'a')
  for (let i = 0; i < 30; i++) await pass(1000)
  const count = arrivals('a')
  expect(count).toBeGreaterThan(10)
  expect(count).toBeLessThan(45)
  await pass(30_000)
  await expect(sent).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
  world.forgetRules()
})
