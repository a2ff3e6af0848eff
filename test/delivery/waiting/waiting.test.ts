import v8 from 'node:v8'
import vm from 'node:vm'
import { BufferFullError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WaitLine } from '../../../src/delivery/waiting/waitLine.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

let world: World
afterEach(async () => {
  vi.restoreAllMocks()
  await world.end()
})

const outcomes = (sends: readonly Promise<unknown>[]) =>
  Promise.all(
    sends.map(each =>
      each.then(
        () => 'ok',
        (error: Error) => error.name,
      ),
    ),
  )

const send = (producer: ResilientProducer, topic: string, value: string | Buffer) => {
  const sent = producer.send({ topic, messages: [{ value, partition: 0 }] })
  sent.catch(() => {})
  return sent
}

/** Counts the waiting records that are looked at. */
const countLooks = () => {
  const counter = { looks: 0 }
  const { next, remove, add } = WaitLine.prototype
  vi.spyOn(WaitLine.prototype, 'next').mockImplementation(function (this: WaitLine, record) {
    counter.looks++
    return next.call(this, record)
  })
  vi.spyOn(WaitLine.prototype, 'remove').mockImplementation(function (this: WaitLine, record) {
    counter.looks++
    remove.call(this, record)
  })
  vi.spyOn(WaitLine.prototype, 'add').mockImplementation(function (this: WaitLine, record) {
    counter.looks++
    add.call(this, record)
  })
  return counter
}

describe('what waits', () => {
  test('is bounded by maxWaitingBytes: beyond it a send is refused at once, in order', async () => {
    world = await World.start()
    world.topic()
    const producer = await world.confirmed({ bufferBytes: 4000, maxWaitingBytes: 10_000 })
    const gate = world.cluster.gate()
    world.onRecord('x'.repeat(1000), hold(gate))
    const first = send(producer, TOPIC, 'x'.repeat(1000))
    await gate.arrived
    const sends = Array.from({ length: 30 }, (_, i) => send(producer, TOPIC, `${i}`.padEnd(1000, '.')))
    const ended: number[] = []
    for (const [i, each] of sends.entries()) each.catch(() => ended.push(i))
    await turns()
    // 10,000 bytes are some eight of them, and a few are in the buffer.
    expect(ended.length).toBeGreaterThan(15)
    expect(ended).toEqual(Array.from({ length: ended.length }, (_, i) => 30 - ended.length + i))
    await expect(sends[29]).rejects.toThrow(/maxWaitingBytes/)
    await expect(sends[29]).rejects.toBeInstanceOf(BufferFullError)
    gate.open()
    await first
    const rest = sends.slice(0, 30 - ended.length)
    await Promise.all(rest)
    expect(
      world
        .stored()
        .slice(2)
        .map(each => each.replaceAll('.', '')),
    ).toEqual(rest.map((_, i) => `${i}`))
  })

  test('takes 250 bytes per call besides its message', async () => {
    v8.setFlagsFromString('--expose-gc')
    const gc = vm.runInNewContext('gc') as () => void
    world = await World.start()
    world.topic()
    const producer = await world.confirmed({ bufferBytes: 100_000, maxWaitingBytes: 2 ** 40 })
    world.cluster.on('Produce', hang, { times: Infinity })
    const count = 50_000
    const value = 'x'.repeat(1000)
    const message = { value, partition: 0 }
    const call = { topic: TOPIC, messages: [message] }
    for (let i = 0; i < 2000; i++) void producer.send(call).catch(() => {})
    await turns()
    const sends: unknown[] = new Array(count)
    gc()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < count; i++) sends[i] = producer.send(call)
    gc()
    const each = (process.memoryUsage().heapUsed - before) / count
    for (const sent of sends) (sent as Promise<unknown>).catch(() => {})
    expect(each).toBeLessThanOrEqual(250)
    await producer.disconnect({ timeoutMs: 0 })
  })

  test('costs each topic that comes up its own records alone', async () => {
    world = await World.start({ autoCreate: { createdAfter: 2 } })
    const producer = await world.connect({ bufferBytes: 40_000, maxWaitingBytes: 2 ** 40 })
    const topics = 60
    const each = 20
    const sends: Promise<unknown>[] = []
    for (let i = 0; i < each; i++)
      for (let t = 0; t < topics; t++) sends.push(send(producer, `t${t}`, `${i}`.padEnd(500, '.')))
    const counter = countLooks()
    await Promise.all(sends)
    expect(counter.looks).toBeLessThan(topics * each * 6)
    for (const t of [0, 1, topics - 1]) {
      expect(world.stored(0, `t${t}`).map(value => value.replaceAll('.', ''))).toEqual(
        Array.from({ length: each }, (_, i) => `${i}`),
      )
    }
  })

  test('behind one stuck topic fails with it, in order, a few thousand records in each turn', async () => {
    world = await World.withClock({ autoCreate: { never: () => true } })
    world.topic({}, 'here')
    const producer = await world.connect({
      bufferBytes: 1024 * 1024,
      maxWaitingBytes: 2 ** 40,
      topics: { create: 'never', waitForMs: 3000 },
    })
    await send(producer, 'here', 'first')
    const count = 40_000
    const order: number[] = []
    let turn = 0
    const perTurn: number[] = []
    let isDone = false
    const sends = Array.from({ length: count }, (_, i) => {
      const sent = producer.send({ topic: 'gone', messages: [{ value: 'x'.repeat(100) }] })
      return sent.catch((error: Error) => {
        expect(error.name).toBe('UnknownTopicError')
        order.push(i)
        perTurn[turn] = (perTurn[turn] ?? 0) + 1
      })
    })
    void Promise.all(sends).then(() => {
      isDone = true
    })
    await vi.advanceTimersByTimeAsync(3500)
    while (!isDone) {
      await new Promise(resolve => setImmediate(resolve))
      turn++
    }
    expect(order).toEqual(Array.from({ length: count }, (_, i) => i))
    // A look may see the end of one turn and all of the next; runs of 256 calls end together.
    expect(Math.max(...perTurn.filter(each => each !== undefined))).toBeLessThanOrEqual(2 * 8256)
    await send(producer, 'here', 'last')
  })

  test('longer than maxBlockMs ends in turns, each record once', async () => {
    world = await World.withClock()
    world.topic()
    const producer = await world.confirmed({
      bufferBytes: 10_000,
      maxWaitingBytes: 2 ** 40,
      maxBlockMs: 1000,
      deliveryTimeoutMs: 5000,
    })
    world.cluster.moveLeader(TOPIC, 0, -1)
    await turns()
    const sends = Array.from({ length: 20_000 }, () => send(producer, TOPIC, 'x'.repeat(100)))
    const ended = outcomes(sends)
    await vi.advanceTimersByTimeAsync(1010)
    await turns(40)
    expect(await world.metric(producer, 'records_failed_total')).toBeGreaterThan(19_900)
    await pass(5000)
    const counts = new Map<string, number>()
    for (const each of await ended) counts.set(each, (counts.get(each) ?? 0) + 1)
    expect([...counts.keys()].sort()).toEqual(['BufferFullError', 'DeliveryTimeoutError'])
    expect(await world.metric(producer, 'records_failed_total')).toBe(20_000)
  })

  test("is given a partition once, by a user's partitioner too", async () => {
    world = await World.start()
    world.topic({ partitions: 3 })
    const asked: string[] = []
    const producer = await world.connect({
      bufferBytes: 4000,
      createPartitioner:
        () =>
        ({ message }) => {
          asked.push(String(message.value).replaceAll('.', ''))
          return asked.length % 3
        },
    })
    const values = Array.from({ length: 60 }, (_, i) => `${i}`)
    await Promise.all(
      values.map(value => producer.send({ topic: TOPIC, messages: [{ value: value.padEnd(500, '.') }] })),
    )
    expect(asked).toEqual(values)
  })
})

describe('keyless records', () => {
  test('go to another partition instead of waiting at one whose share is used up', async () => {
    world = await World.start({ brokers: 2 })
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await world.connect({ bufferBytes: 100_000 })
    for (const partition of [0, 1]) {
      await producer.send({ topic: TOPIC, messages: [{ value: 'warm', partition }] })
    }
    world.cluster.pauseBroker(0)
    const stuck = Array.from({ length: 100 }, () => send(producer, TOPIC, 'x'.repeat(1000)))
    await turns()
    const keyless = Array.from({ length: 40 }, (_, i) =>
      producer.send({ topic: TOPIC, messages: [{ value: `keyless ${i}`.padEnd(500, '.') }] }),
    )
    await Promise.all(keyless)
    expect(world.stored(1).filter(each => each.startsWith('keyless'))).toHaveLength(40)
    world.cluster.resumeBroker(0)
    await Promise.all(stuck)
  })
})

test('a call with thousands of messages stands before what is sent after it', async () => {
  world = await World.start()
  world.topic()
  const producer = await world.confirmed()
  const messages = Array.from({ length: 20_000 }, (_, i) => ({ value: `${i}`, partition: 0 }))
  const many = producer.send({ topic: TOPIC, messages })
  const behind = producer.send({ topic: TOPIC, messages: [{ value: 'behind', partition: 0 }] })
  const [result] = await many
  await behind
  expect(result).toMatchObject({ partition: 0, baseOffset: '1' })
  expect(world.stored().slice(1)).toEqual([...messages.map(({ value }) => value), 'behind'])
})
