import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { dropBeforeApply, ERROR, errorCode, type Gate, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

const SICK = 1
const LEADERS = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]

let world: World
let sent: Promise<unknown>[]
beforeEach(async () => {
  world = await World.withClock({ brokers: 3 })
  sent = []
})
afterEach(() => world.end())

/** Requests of these brokers are served after so long. */
const slow = (nodes: readonly number[], ms: number): void => {
  world.onEach(async (request, next) => {
    if (nodes.includes(request.node)) await new Promise(resolve => setTimeout(resolve, ms))
    return next()
  })
}

/** Sends keyless records one after the other, a turn of the loop apart. */
const sendKeyless = async (producer: ResilientProducer, count: number, value: string): Promise<void> => {
  for (let i = 0; i < count; i++) {
    const one = producer.send({ topic: TOPIC, messages: [{ value }] })
    one.catch(() => {})
    sent.push(one)
    await turns(2)
  }
}

/** As an application that has 10 records every 5 ms. */
const sendSteadily = async (producer: ResilientProducer, rounds: number, value: string): Promise<void> => {
  for (let i = 0; i < rounds; i++) {
    await sendKeyless(producer, 10, value)
    await pass(5)
  }
}

const settle = async (): Promise<void> => {
  const all = Promise.allSettled(sent)
  let isOver = false
  all.then(() => {
    isOver = true
  })
  for (let i = 0; i < 2000 && !isOver; i++) await pass(10)
  await Promise.all(sent)
}

/** How many records of this value each broker's partitions hold. */
const perBroker = (value: string): number[] => {
  const counts = [0, 0, 0]
  LEADERS.forEach((leader, partition) => {
    counts[leader]! += world.stored(partition).filter(each => each === value).length
  })
  return counts
}

const start = async (): Promise<ResilientProducer> => {
  world.topic({ partitions: LEADERS.length, leaders: LEADERS, replicationFactor: 3 })
  const producer = await world.connect()
  await sendKeyless(producer, 30, 'warm')
  await settle()
  return producer
}

describe('keyless records, of three brokers', () => {
  test('go to all alike while all are well', async () => {
    const producer = await start()
    await sendSteadily(producer, 30, 'x')
    await settle()
    for (const count of perBroker('x')) expect(count).toBeGreaterThan(80)
  })

  test('go to a slow one less often than to the others, not more', async () => {
    const producer = await start()
    slow([SICK], 300)
    await sendSteadily(producer, 120, 'x')
    await settle()
    const counts = perBroker('x')
    expect(counts[SICK]).toBeGreaterThan(0)
    expect(counts[SICK]).toBeLessThan(1200 / 3 / 2)
  })

  test('go to the only prompt one where two are slow', async () => {
    const producer = await start()
    slow([1, 2], 300)
    await sendSteadily(producer, 120, 'x')
    await settle()
    const counts = perBroker('x')
    expect(counts[0]).toBeGreaterThan(1200 / 2)
    for (const node of [1, 2]) expect(counts[node]).toBeGreaterThan(0)
  })

  test('come back to one that was slow and is well again', async () => {
    const producer = await start()
    let isSlow = true
    world.onEach(async (request, next) => {
      if (isSlow && request.node === SICK) await new Promise(resolve => setTimeout(resolve, 300))
      return next()
    })
    await sendSteadily(producer, 100, 'slow')
    isSlow = false
    await pass(400)
    await sendSteadily(producer, 100, 'settling')
    await sendSteadily(producer, 100, 'well')
    await settle()
    expect(perBroker('slow')[SICK]).toBeLessThan(1000 / 3 / 2)
    for (const count of perBroker('well')) expect(count).toBeGreaterThan(1000 / 3 / 2)
  })

  test('are spared one that says nothing, and come back when it answers', async () => {
    const producer = await start()
    const gate: Gate = world.cluster.gate()
    world.onEach(async (request, next) => (request.node === SICK ? hold(gate)(request, next) : next()))
    await sendSteadily(producer, 20, 'first')
    await pass(500)
    await sendSteadily(producer, 100, 'mute')
    gate.open()
    await settle()
    sent = []
    expect(perBroker('mute')[SICK]).toBe(0)
    await sendSteadily(producer, 60, 'well')
    await settle()
    expect(perBroker('well')[SICK]).toBeGreaterThan(60)
  })

  test('are spared one that cannot be reached, and come back when it can', async () => {
    const producer = await start()
    const reachable = world.cluster.on('ApiVersions', dropBeforeApply, { times: Infinity, node: SICK })
    world.cluster.cutConnections(SICK)
    await sendSteadily(producer, 20, 'first')
    await pass(500)
    await sendSteadily(producer, 60, 'away')
    reachable()
    await settle()
    sent = []
    expect(perBroker('away')[SICK]).toBe(0)
    await sendSteadily(producer, 60, 'settling')
    await pass(2000)
    await sendSteadily(producer, 60, 'well')
    await settle()
    expect(perBroker('well')[SICK]).toBeGreaterThan(60)
  })

  test('wait at most once for each partition that lacks replicas', async () => {
    const producer = await start()
    let lacks = true
    world.onEach(async (request, next) =>
      lacks && request.node === SICK ? errorCode(ERROR.NOT_ENOUGH_REPLICAS)(request, next) : next(),
    )
    await sendSteadily(producer, 60, 'x')
    lacks = false
    await settle()
    sent = []
    // Of four partitions each has been tried with what was open, and no more came while that was retried.
    expect(perBroker('x')[SICK]).toBeLessThanOrEqual(4 * 10)
    await sendSteadily(producer, 60, 'well')
    await settle()
    expect(perBroker('well')[SICK]).toBeGreaterThan(60)
  })

  test('leave a partition that loses its leader', async () => {
    const producer = await start()
    LEADERS.forEach((leader, partition) => {
      if (leader === SICK) world.cluster.moveLeader(TOPIC, partition, -1)
    })
    await sendSteadily(producer, 10, 'first')
    await pass(1000)
    await sendSteadily(producer, 30, 'x')
    LEADERS.forEach((leader, partition) => {
      if (leader === SICK) world.cluster.moveLeader(TOPIC, partition, SICK)
    })
    await settle()
    expect(perBroker('x')[SICK]).toBe(0)
  })

  test('of a topic with one partition wait for it', async () => {
    world.topic({ partitions: 1, leaders: [SICK] })
    const producer = await world.connect()
    slow([SICK], 300)
    await sendSteadily(producer, 20, 'x')
    await settle()
    expect(world.stored()).toHaveLength(200)
  })

  test('fill batches where all are slow alike', async () => {
    const producer = await start()
    slow([0, 1, 2], 300)
    const before = world.sent().length
    await sendSteadily(producer, 100, 'x')
    await settle()
    // 1,000 records in half a second of requests that take 300 ms: few batches, not one for each time that a broker was late.
    expect(world.sent().length - before).toBeLessThan(100)
  })

  test('are not led by what keyed records do', async () => {
    const producer = await start()
    slow([SICK], 300)
    const keyed = (i: number) =>
      sent.push(producer.send({ topic: TOPIC, messages: [{ key: `${i}`, value: 'keyed' }] }))
    for (let i = 0; i < 100; i++) {
      keyed(i)
      await sendKeyless(producer, 5, 'x')
      await pass(5)
    }
    await settle()
    expect(perBroker('x')[SICK]).toBeLessThan(500 / 3)
    expect(perBroker('keyed').reduce((sum, each) => sum + each)).toBe(100)
  })
})

test('a retried batch does not keep the keyless records of its partition', async () => {
  world.topic({ partitions: 3, leaders: [0, 1, 2] })
  const producer = await world.connect()
  const first = producer.send({ topic: TOPIC, messages: [{ value: 'a', partition: 1 }] })
  const gate = world.cluster.gate()
  await first
  world.onRecord('b', verdict(1, { errorCode: ERROR.NOT_ENOUGH_REPLICAS }), 3)
  world.onRecord('b', hold(gate))
  const held = producer.send({ topic: TOPIC, messages: [{ value: 'b', partition: 1 }] })
  for (let i = 0; i < 50 && gate.count === 0; i++) await pass(10)
  await sendKeyless(producer, 30, 'x')
  await settle()
  expect(world.stored(1)).not.toContain('x')
  gate.open()
  await held
})
