import type { ResilientProducer, ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { ERROR, errorCode, Gate } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { pass, turns, World } from '../support/world.js'

/* One destination that cannot be written to, whatever the reason, beside healthy ones: asserted by what ends first. */

let world: World
let created: Gate
afterEach(() => world.end())

const MiB = 1024 * 1024
const BYTES = 10_000
const value = 'h'.repeat(BYTES)
/** By which faults know what they are for. */
const sickValue = 's'.repeat(BYTES)

const send = (producer: ResilientProducer, topic: string, what = value, partition = 0) => {
  const sent = producer.send({ topic, messages: [{ value: what, partition }] })
  sent.catch(() => {})
  return sent
}

interface Sickness {
  readonly begin: () => void
  readonly end: () => void
}

/** `sick` is led by broker 0, `healthy` by broker 1. */
const sicknesses: Readonly<Record<string, () => Sickness>> = {
  'refused by NOT_ENOUGH_REPLICAS': () => ({
    begin: () => world.onRecord(sickValue, errorCode(ERROR.NOT_ENOUGH_REPLICAS), Infinity),
    end: () => world.forgetRules(),
  }),
  'without a leader': () => ({
    begin: () => world.cluster.moveLeader('sick', 0, -1),
    end: () => world.cluster.moveLeader('sick', 0, 0),
  }),
  'led by a broker that says nothing': () => ({
    begin: () => world.cluster.pauseBroker(0),
    end: () => world.cluster.resumeBroker(0),
  }),
  missing: () => ({ begin: () => {}, end: () => created.open() }),
}

const start = async (sickness: string, options: ResilientProducerOptions) => {
  created = new Gate()
  world = await World.withClock({ brokers: 2, autoCreate: { createdAfter: created } })
  world.topic({ leaders: [1] }, 'healthy')
  const sick = sicknesses[sickness]!()
  if (sickness !== 'missing') world.topic({ leaders: [0] }, 'sick')
  const producer = await world.connect({
    retry: { minTimeoutMs: 100, maxTimeoutMs: 1000 },
    metadataRetry: { minTimeoutMs: 50, maxTimeoutMs: 1000, retries: 1000, maxRetryTimeMs: 600_000 },
    ...options,
  })
  await send(producer, 'healthy', 'warm')
  if (sickness !== 'missing') await send(producer, 'sick', 'warm')
  sick.begin()
  return { producer, sick }
}

const cases = Object.keys(sicknesses).flatMap(sickness => [1, 8].map(size => [sickness, size] as const))

describe.each(cases)('a topic %s at bufferBytes %i MiB', (sickness, size) => {
  const bufferBytes = size * MiB
  const many = Math.ceil((bufferBytes * 2) / BYTES)

  test('delays no healthy one by send', async () => {
    const { producer, sick } = await start(sickness, { bufferBytes, maxBlockMs: 60_000 })
    let ended = 0
    const sent = Array.from({ length: many }, () => send(producer, 'sick', sickValue))
    for (const each of sent) each.then(() => ended++).catch(() => ended++)
    // Before anything is known of it, and after.
    for (let i = 0; i < 5; i++) await send(producer, 'healthy')
    await pass(1500)
    await Promise.all(Array.from({ length: 10 }, () => send(producer, 'healthy')))
    expect(ended).toBe(0)
    sick.end()
    await pass(2000)
    await Promise.all(sent)
    expect(world.stored(0, 'healthy')).toHaveLength(16)
  })

  test('delays no healthy one by enqueue and a stream', async () => {
    const { producer, sick } = await start(sickness, { bufferBytes })
    const errors: (Error | null)[] = []
    while (producer.enqueue('sick', { value: sickValue, partition: 0 }, error => errors.push(error)));
    // This caller is held by its own topic.
    let isReady = false
    producer.ready().then(
      () => {
        isReady = true
      },
      () => {},
    )
    const streamed = producer.writable()
    for (let i = 0; i < 5; i++) streamed.write({ topic: 'sick', value: sickValue, partition: 0 })
    const stream = producer.writable()
    for (let i = 0; i < 20; i++) {
      if (!producer.enqueue('healthy', { value })) await producer.ready()
      if (!stream.write({ topic: 'healthy', value })) {
        await new Promise(resolve => stream.once('drain', resolve))
      }
      await producer.ready()
    }
    await new Promise<void>(resolve => stream.end(resolve))
    expect(isReady).toBe(false)
    sick.end()
    await pass(3000)
    await producer.flush()
    await turns()
    expect(isReady).toBe(true)
    expect(errors.filter(each => each !== null)).toEqual([])
    expect(world.stored(0, 'healthy')).toHaveLength(41)
  })
})

test('a partition that is refused delays no other of its topic, on the same broker', async () => {
  world = await World.withClock({ brokers: 1 })
  world.topic({ partitions: 3, leaders: [0, 0, 0] }, 'mixed')
  const producer = await world.connect({ bufferBytes: MiB, retry: { minTimeoutMs: 100, maxTimeoutMs: 1000 } })
  for (const partition of [0, 1, 2]) await send(producer, 'mixed', 'warm', partition)
  world.onRecord(
    sickValue,
    async (request, next) => {
      const healthy = request.body.topicData.map(topic => ({
        ...topic,
        partitionData: topic.partitionData.filter(({ index }) => index !== 0),
      }))
      const response = await next({ ...request.body, topicData: healthy })
      if (response === null) return null
      const refused = {
        index: 0,
        errorCode: ERROR.NOT_ENOUGH_REPLICAS,
        baseOffset: -1n,
        logAppendTimeMs: -1n,
      }
      const [first = { name: 'mixed', partitionResponses: [] }] = response.responses
      return {
        ...response,
        responses: [{ ...first, partitionResponses: [...first.partitionResponses, refused] }],
      }
    },
    Infinity,
  )
  let ended = 0
  const sick = Array.from({ length: 200 }, () => send(producer, 'mixed', sickValue))
  for (const each of sick) each.then(() => ended++)
  await turns(50)
  const keyed = Array.from({ length: 40 }, (_, i) => send(producer, 'mixed', value, 1 + (i % 2)))
  const keyless = Array.from({ length: 40 }, () => producer.send({ topic: 'mixed', messages: [{ value }] }))
  await Promise.all(keyed)
  await Promise.all(keyless)
  expect(ended).toBe(0)
  world.forgetRules()
  await pass(2000)
  await Promise.all(sick)
})

test('two silent brokers of three delay nothing on the third', async () => {
  world = await World.withClock({ brokers: 3 })
  for (const node of [0, 1, 2]) world.topic({ leaders: [node] }, `on-${node}`)
  const producer = await world.connect({ bufferBytes: MiB })
  for (const node of [0, 1, 2]) await send(producer, `on-${node}`, 'warm')
  for (const node of [0, 1]) world.cluster.pauseBroker(node)
  let ended = 0
  const stuck = Array.from({ length: 400 }, (_, i) => send(producer, `on-${i % 2}`))
  for (const each of stuck) each.then(() => ended++)
  for (let i = 0; i < 10; i++) await send(producer, 'on-2')
  await pass(1500)
  await Promise.all(Array.from({ length: 50 }, () => send(producer, 'on-2')))
  expect(ended).toBe(0)
  for (const node of [0, 1]) world.cluster.resumeBroker(node)
  await pass(2000)
  await Promise.all(stuck)
})

test('a sick topic delays no healthy one inside a transaction', async () => {
  world = await World.withClock({ brokers: 2 })
  world.topic({ leaders: [0] }, 'sick')
  world.topic({ leaders: [1] }, 'healthy')
  const producer = await world.connect({ bufferBytes: MiB, transactionalId: 'tx' })
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'sick', messages: [{ value: 'first' }] })
  await transaction.send({ topic: 'healthy', messages: [{ value: 'first' }] })
  world.onRecord(sickValue, errorCode(ERROR.NOT_ENOUGH_REPLICAS), Infinity)
  let ended = 0
  const stuck = Array.from({ length: 200 }, () =>
    transaction.send({ topic: 'sick', messages: [{ value: sickValue }] }).then(() => ended++),
  )
  for (let i = 0; i < 10; i++) await transaction.send({ topic: 'healthy', messages: [{ value }] })
  // The producer's own records, in the same buffer.
  await Promise.all(Array.from({ length: 10 }, () => send(producer, 'healthy')))
  expect(ended).toBe(0)
  world.forgetRules()
  await pass(3000)
  await Promise.all(stuck)
  await transaction.commit()
})
