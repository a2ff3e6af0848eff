import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { BufferPool } from '../../../src/delivery/buffer/bufferPool.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

describe('the pool', () => {
  test('keeps no view of a larger buffer, whatever its length', () => {
    const pool = new BufferPool(1_000_000)
    const view = Buffer.alloc(65_536).subarray(0, 512)
    pool.give(view)
    expect(pool.take(512)).not.toBe(view)
    const whole = pool.take(512)
    pool.give(whole)
    expect(pool.take(512)).toBe(whole)
  })

  test('gives back half of what it keeps when it is told to', () => {
    const pool = new BufferPool(1_000_000)
    const taken = Array.from({ length: 8 }, () => pool.take(1024))
    for (const each of taken) pool.give(each)
    pool.shrink()
    const again = Array.from({ length: 8 }, () => pool.take(1024))
    expect(again.filter(each => taken.includes(each))).toHaveLength(4)
  })
})

describe('what batches hold', () => {
  let world: World
  let spies: MockInstance[]
  let held: Set<Buffer>
  let views: number[]
  beforeEach(async () => {
    world = await World.withClock()
    held = new Set()
    views = []
    const { take, give } = BufferPool.prototype
    spies = [
      vi.spyOn(BufferPool.prototype, 'take').mockImplementation(function (this: BufferPool, bytes) {
        const buffer = take.call(this, bytes)
        held.add(buffer)
        if (buffer.buffer.byteLength !== buffer.length) views.push(buffer.length)
        return buffer
      }),
      vi.spyOn(BufferPool.prototype, 'give').mockImplementation(function (this: BufferPool, buffer) {
        held.delete(buffer)
        give.call(this, buffer)
      }),
    ]
  })
  afterEach(async () => {
    await world.end()
    for (const spy of spies) spy.mockRestore()
  })

  const heldBytes = () => [...held].reduce((sum, { buffer }) => sum + buffer.byteLength, 0)

  test.each([
    [200, 60_000],
    [20, 900_000],
    [50, 700],
  ])(
    'of %d partitions that had a batch of %d bytes is little when each has one small record',
    async (partitions, bytes) => {
      world.topic({ partitions })
      const producer = await world.connect()
      const large = Buffer.alloc(bytes, 120)
      for (let partition = 0; partition < partitions; partition++)
        await producer.send({ topic: TOPIC, messages: [{ value: large, partition }] })
      for (let partition = 0; partition < partitions; partition++)
        world.cluster.moveLeader(TOPIC, partition, -1)
      await producer.flush()
      const send = (partition: number) =>
        producer.send({ topic: TOPIC, messages: [{ value: 'tenletters', partition }] }).catch(() => {})
      const sent = Array.from({ length: partitions }, (_, partition) => send(partition))
      await turns(20)
      // The buffer of a batch starts at 512 bytes.
      expect(heldBytes()).toBeLessThanOrEqual(partitions * 512)
      for (let partition = 0; partition < partitions; partition++)
        world.cluster.moveLeader(TOPIC, partition, 0)
      let isOver = false
      void Promise.all(sent).then(() => {
        isOver = true
      })
      while (!isOver) await pass(500)
    },
  )

  test('is never more than eight times its records, from 512 bytes on', async () => {
    world.topic()
    const producer = await world.connect({ batchBytes: 300_000 })
    const burst = (count: number) => {
      const messages = Array.from({ length: count }, () => ({ value: 'x'.repeat(100), partition: 0 }))
      return producer.send({ topic: TOPIC, messages })
    }
    await burst(2500)
    const gate = world.cluster.gate()
    world.onNext(async (request, next) => {
      await gate.wait(request.stopped)
      return next()
    })
    const first = burst(1)
    await gate.arrived
    const before = heldBytes()
    let count = 0
    const all = [first]
    for (; count < 2000; count += 20) {
      all.push(burst(20))
      const records = (count + 20) * 110
      expect(heldBytes() - before).toBeLessThanOrEqual(Math.max(512, 8 * records))
    }
    gate.open()
    await Promise.all(all)
  })

  test('is given back whole after an abort that divides a batch', async () => {
    world.topic()
    const producer = await world.connect()
    const gate = world.cluster.gate()
    world.onNext(async (request, next) => {
      await gate.wait(request.stopped)
      return next()
    })
    const first = producer.send({ topic: TOPIC, messages: [{ value: 'first', partition: 0 }] })
    await gate.arrived
    const controllers = Array.from({ length: 20 }, () => new AbortController())
    // A record of this size has 512 bytes in its batch: a length that the pool keeps.
    const value = 'x'.repeat(502)
    const aborted = controllers.map(({ signal }) =>
      producer.send({ topic: TOPIC, signal, messages: [{ value, partition: 0 }] }).catch(error => error.name),
    )
    await turns()
    for (const controller of controllers.slice(1)) {
      controller.abort()
      await turns(1)
    }
    gate.open()
    await Promise.all([first, ...aborted])
    expect((await Promise.all(aborted)).filter(each => each === 'SendAbortedError')).toHaveLength(19)
    // What was divided is in buffers of its own, and the pool has whole ones only.
    await producer.send({ topic: TOPIC, messages: [{ value, partition: 0 }] })
    expect(views).toEqual([])
  })
})
