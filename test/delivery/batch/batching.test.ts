import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { batchesIn } from '../support/sentBatches.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.start()
})
afterEach(() => world.end())

describe('records without a key', () => {
  const RECORDS = 5_000
  const value = Buffer.alloc(100, 'v')
  const handOver = {
    'send()': (producer: ResilientProducer) =>
      Promise.all(
        Array.from({ length: RECORDS }, () => producer.send({ topic: TOPIC, messages: [{ value }] })),
      ),
    'enqueue()': async (producer: ResilientProducer) => {
      for (let i = 0; i < RECORDS; i++) producer.enqueue(TOPIC, { value })
      await producer.flush()
    },
  }

  test.each(Object.entries(handOver))(
    'handed over at once by %s fill a batch of one partition before they go on to the next',
    async (_, handAll) => {
      world.topic({ partitions: 4 })
      const producer = await world.connect()
      await handAll(producer)

      const sizes = new Map<number, number[]>()
      for (const { partition, values } of world.sent(TOPIC))
        sizes.set(partition, [...(sizes.get(partition) ?? []), values.length])
      const all = [...sizes.values()].flat()
      expect(all.reduce((sum, size) => sum + size, 0)).toBe(RECORDS)
      // 64 KiB hold some 590 of these records: no batch but the last is left behind with a part of that.
      expect(all.filter(size => size < 500).length).toBeLessThanOrEqual(1)
      // Partitions take turns, so none has two batches more than another.
      const counts = [...sizes.values()].map(each => each.length)
      expect(sizes.size).toBe(4)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    },
  )

  test('move on when their batch closes, so that a low rate spreads too', async () => {
    world.topic({ partitions: 4 })
    const producer = await world.connect()
    for (let i = 0; i < 8; i++) await producer.send({ topic: TOPIC, messages: [{ value: `${i}` }] })
    for (const partition of [0, 1, 2, 3]) expect(world.stored(partition)).toHaveLength(2)
  })

  // Whichever of the two the first record went to, one of these cases takes its leader away.
  test.each([0, 1])('leave partition %i when it loses its leader while their batch is open', async lost => {
    world.topic({ partitions: 2 })
    const producer = await world.connect({ lingerMs: 60_000, metadataMaxAgeMs: 20 })
    const first = producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    world.cluster.moveLeader(TOPIC, lost, -1)
    const refreshes = await world.metric(producer, 'metadata_refreshes_total')
    // One may be under way, with an answer from before.
    await world.until(producer, 'metadata_refreshes_total', refreshes + 2)
    const second = producer.send({ topic: TOPIC, messages: [{ value: 'second' }] })
    const flushed = producer.flush()
    await second
    expect(world.stored(1 - lost)).toContain('second')
    world.cluster.moveLeader(TOPIC, lost, 0)
    await Promise.all([first, flushed])
  })
})

describe('many partitions', () => {
  const PARTITIONS = 600

  const sendToEach = (producer: ResilientProducer, count: number) =>
    Array.from({ length: count }, (_, partition) =>
      producer.send({ topic: TOPIC, messages: [{ value: `${partition}`, partition }] }),
    )
  /** A record for each of them, the first request with the broker. */
  const withFirstHeld = async () => {
    world.topic({ partitions: PARTITIONS })
    const producer = await world.connect()
    const gate = world.cluster.gate()
    world.onNext(hold(gate))
    const sends = sendToEach(producer, PARTITIONS)
    await gate.arrived
    return { producer, gate, sends }
  }
  const sizes = () => world.cluster.journal.of('Produce').map(({ body }) => batchesIn(body).length)

  beforeEach(async () => {
    await world.end()
    world = await World.withClock()
  })

  test('go a few dozen at a time while the others gather', async () => {
    const { producer, gate, sends } = await withFirstHeld()
    await turns()
    // The second waits behind the first, and no third is sent.
    expect(sizes()).toEqual([64])
    expect(await world.metric(producer, 'requests_in_flight')).toBe(2)
    for (let partition = 64; partition < PARTITIONS; partition++)
      sends.push(producer.send({ topic: TOPIC, messages: [{ value: 'more', partition }] }))
    gate.open()
    await Promise.all(sends)
    expect(sizes()[1]).toBe(64)
    // What came meanwhile went along.
    expect(world.sent(TOPIC).filter(({ values }) => values.length === 2).length).toBe(PARTITIONS - 128)
  })

  test('go all at once to a broker that takes its time for each request', async () => {
    const { gate, sends } = await withFirstHeld()
    await pass(100)
    gate.open()
    await Promise.all(sends)
    expect(sizes()).toEqual([64, 64, PARTITIONS - 128])
  })

  test('of a few dozen go in one request', async () => {
    world.topic({ partitions: 60 })
    const producer = await world.connect()
    await Promise.all(sendToEach(producer, 60))
    expect(sizes()).toEqual([60])
  })
})
