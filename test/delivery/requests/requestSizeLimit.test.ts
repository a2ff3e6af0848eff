import { afterEach, describe, expect, test } from 'vitest'
import { RequestSize } from '../../../src/delivery/requests/requestSize.js'
import { TOPIC, World } from '../support/world.js'

const MIB = 1024 * 1024

describe('the size of requests', () => {
  test('is halved by each cut, down to what no broker refuses', () => {
    const size = new RequestSize(4 * MIB)
    let bytes = 4 * MIB
    let cuts = 0
    while (size.cut(bytes, 8, 0)) {
      cuts++
      expect(size.target(0)).toBeLessThanOrEqual(Math.max(64 * 1024, bytes / 2))
      bytes = size.target(0)
    }
    expect(cuts).toBe(6)
    expect(size.target(0)).toBe(64 * 1024)
  })

  test('is not suspected where one as large was answered, once', () => {
    const size = new RequestSize(4 * MIB)
    size.answered(2 * MIB)
    expect(size.cut(2 * MIB, 8, 0)).toBe(false)
    expect(size.target(0)).toBe(4 * MIB)
    // The broker that cut it may be another one by now.
    expect(size.cut(2 * MIB, 8, 0)).toBe(true)
    expect(size.target(0)).toBe(MIB)
  })

  test('of one batch cannot be divided', () => {
    expect(new RequestSize(4 * MIB).cut(3 * MIB, 1, 0)).toBe(false)
  })

  test('may grow again after five minutes', () => {
    const size = new RequestSize(4 * MIB)
    size.cut(4 * MIB, 2, 1000)
    expect(size.target(1000 + 299_999)).toBe(2 * MIB)
    expect(size.target(1000 + 300_000)).toBe(4 * MIB)
  })
})

describe('brokers with a small socket.request.max.bytes', () => {
  let world: World
  afterEach(() => world.end())

  const start = async (partitions: number) => {
    world = await World.start({ config: { 'socket.request.max.bytes': String(MIB) } })
    world.topic({ partitions })
  }
  const id = (value: Buffer) => value.readInt32BE(0)
  const value = (i: number, bytes: number) => {
    const made = Buffer.alloc(bytes, i)
    made.writeInt32BE(i, 0)
    return made
  }
  const storedIds = (partitions: number) =>
    Array.from({ length: partitions }, (_, partition) => world.cluster.records(TOPIC, partition))
      .flat()
      .map(({ value: stored }) => id(stored as Buffer))

  test.each([true, false])(
    'get every record of 200, with two retries and idempotent %s',
    async idempotent => {
      await start(64)
      const producer = await world.connect({
        idempotent,
        retry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 },
      })
      await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          producer.send({ topic: TOPIC, messages: [{ partition: i % 64, value: value(i, 60 * 1024) }] }),
        ),
      )
      expect(storedIds(64).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    },
  )

  test('get batches that fill a request each', async () => {
    await start(4)
    const producer = await world.connect({ retry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 } })
    await Promise.all(
      [0, 1, 2, 3].map(i =>
        producer.send({ topic: TOPIC, messages: [{ partition: i, value: value(i, 900 * 1024) }] }),
      ),
    )
    expect(storedIds(4)).toEqual([0, 1, 2, 3])
  })

  test('a record that no request can carry fails for the retries that it was given', async () => {
    await start(1)
    const producer = await world.connect({
      batchBytes: 4 * MIB,
      retry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 },
    })
    await expect(
      producer.send({ topic: TOPIC, messages: [{ value: Buffer.alloc(2 * MIB) }] }),
    ).rejects.toMatchObject({ name: 'DeliveryRetriesExceededError', attempts: 3 })
  })
})
