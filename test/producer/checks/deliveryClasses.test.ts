import type { Logger } from 'kafkajs'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { DeliveryClasses } from '../../../src/producer/checks/deliveryClasses.js'
import { World } from '../../delivery/support/world.js'

const logger = { warn() {} } as unknown as Logger
const defaults = { acks: -1, ackTimeoutMs: 30_000, compression: 0, idempotent: undefined }
const classes = () => new DeliveryClasses(defaults, 'plain', logger)

describe('delivery classes', () => {
  test('are the same for calls that ask for the same', () => {
    const all = classes()
    expect(all.of({ timeout: 5000 })).toBe(all.of({ timeout: 5000 }))
    expect(all.of({ timeout: 30_000 })).toBe(all.of({}))
    expect(all.of({ acks: 1 })).not.toBe(all.of({}))
  })

  test('keep the first few values of timeout, and the default, as they are', () => {
    const all = classes()
    for (const timeout of [4321, 1, 77, 0, 30_000]) expect(all.of({ timeout }).ackTimeoutMs).toBe(timeout)
    for (let timeout = 5001; timeout < 5300; timeout++) all.of({ timeout })
    for (const timeout of [4321, 1, 77, 0, 30_000]) expect(all.of({ timeout }).ackTimeoutMs).toBe(timeout)
  })

  test('are few whatever time-outs are asked for, and never wait for less than what was asked for', () => {
    const all = classes()
    const found = new Set()
    for (let timeout = 0; timeout < 100_000; timeout += 7) {
      const { ackTimeoutMs } = all.of({ timeout })
      expect(ackTimeoutMs).toBeGreaterThanOrEqual(timeout)
      expect(ackTimeoutMs).toBeLessThanOrEqual(Math.max(10, timeout * 1.5))
      found.add(all.of({ timeout }))
    }
    expect(found.size).toBeLessThan(50)
    expect(all.of({ timeout: 2147483647 }).ackTimeoutMs).toBe(2147483647)
    expect(all.of({ timeout: 2147483646 }).ackTimeoutMs).toBe(2147483647)
  })

  test('calls with a time-out each share batches', async () => {
    const world = await World.start()
    expect(world.cluster).toBeInstanceOf(EmbeddedKafka)
    world.topic()
    const producer = await world.confirmed()
    const before = world.cluster.journal.of('Produce').length
    const send = (timeout: number) => producer.send({ topic: 'events', timeout, messages: [{ value: 'x' }] })
    await Promise.all(Array.from({ length: 300 }, (_, i) => send(5000 + i)))
    expect(world.cluster.journal.of('Produce').length - before).toBeLessThan(15)
    await world.end()
  })
})
