import type { ResilientProducer, ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { ERROR, Gate, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import type { ProduceFault } from '../support/faults.js'
import { pass, turns, World } from '../support/world.js'

/* Sick topics beside healthy ones on a cluster of one broker, whose partitions share what a broker may hold: asserted by what ends first. */

let world: World
afterEach(() => world.end())

const MiB = 1024 * 1024

/** By which faults know what they are for. */
const sickOf = (bytes: number): string => 's'.repeat(bytes)
const healthyOf = (bytes: number): string => 'h'.repeat(bytes)

const send = (producer: ResilientProducer, topic: string, value: string, key?: string) => {
  const sent = producer.send({ topic, messages: [{ value, ...(key !== undefined && { key }) }] })
  sent.catch(() => {})
  return sent
}

/** Refuses the batches of these topics, and serves those of the others in the same request. */
const refusing =
  (isRefused: (topic: string) => boolean): ProduceFault =>
  async (request, next) => {
    const { topicData } = request.body
    const response = await next({
      ...request.body,
      topicData: topicData.filter(each => !isRefused(each.name)),
    })
    if (response === null) return null
    const verdict = { errorCode: ERROR.NOT_ENOUGH_REPLICAS, baseOffset: -1n, logAppendTimeMs: -1n }
    const refused = topicData
      .filter(each => isRefused(each.name))
      .map(({ name, partitionData }) => ({
        name,
        partitionResponses: partitionData.map(({ index }) => ({ index, ...verdict })),
      }))
    return { ...response, responses: [...response.responses, ...refused] }
  }

/** How a topic is sick, and how it is cured. */
const SICKNESSES = ['refused', 'leaderless', 'missing'] as const

const start = async (sick: readonly string[], bytes: number, options: ResilientProducerOptions) => {
  const created = new Gate()
  world = await World.withClock({ autoCreate: { createdAfter: created } })
  world.topic({}, 'healthy')
  const isMissing = (name: string) => name.startsWith('missing')
  for (const name of sick) if (!isMissing(name)) world.topic({}, name)
  const producer = await world.connect({
    retry: { minTimeoutMs: 100, maxTimeoutMs: 1000 },
    metadataRetry: { minTimeoutMs: 50, maxTimeoutMs: 1000, retries: 1000, maxRetryTimeMs: 600_000 },
    ...options,
  })
  for (const name of ['healthy', ...sick]) if (!isMissing(name)) await send(producer, name, 'warm')
  world.onEach(refusing(name => name.startsWith('refused')))
  const leaderless = sick.filter(name => name.startsWith('leaderless'))
  for (const name of leaderless) world.cluster.moveLeader(name, 0, -1)
  return {
    producer,
    healthy: () => send(producer, 'healthy', healthyOf(bytes)),
    cure: () => {
      created.open()
      world.onEach((_request, next) => next())
      for (const name of leaderless) world.cluster.moveLeader(name, 0, 0)
    },
  }
}

/** 64 MiB take seconds: once. */
const cases = [...SICKNESSES.map(sickness => [sickness, 1] as const), ['leaderless', 64] as const]

test.each(cases)('a topic that is %s delays no healthy one at bufferBytes %i MiB', async (sickness, size) => {
  // Of the same number at each size.
  const bytes = size * 10_000
  const { producer, healthy, cure } = await start([sickness], bytes, { bufferBytes: size * MiB })
  let ended = 0
  const sent = Array.from({ length: 200 }, () => send(producer, sickness, sickOf(bytes)))
  for (const each of sent) each.then(() => ended++)
  for (let i = 0; i < 5; i++) await healthy()
  await pass(1500)
  await Promise.all(Array.from({ length: 20 }, healthy))
  expect(ended).toBe(0)
  cure()
  await pass(2000)
  await Promise.all(sent)
})

test('ten sick topics delay no healthy one', async () => {
  const bytes = 5_000
  const names = Array.from({ length: 10 }, (_, i) => `${SICKNESSES[i % 3]!}-${i}`)
  const { producer, healthy, cure } = await start(names, bytes, { bufferBytes: MiB })
  let ended = 0
  const sent = Array.from({ length: 600 }, (_, i) => send(producer, names[i % 10]!, sickOf(bytes)))
  for (const each of sent) each.then(() => ended++)
  for (let i = 0; i < 5; i++) await healthy()
  await pass(1500)
  await Promise.all(Array.from({ length: 20 }, healthy))
  // None of the ten keeps out the first record of another.
  const late = names.map(name => send(producer, name, 'late'))
  await turns(20)
  expect(ended).toBe(0)
  cure()
  await pass(4000)
  await Promise.all([...sent, ...late])
})

describe('a transaction', () => {
  test('with a sick topic delays none of another producer, and neither is lost', async () => {
    const { producer: _, cure } = await start(['refused'], 10_000, { bufferBytes: MiB })
    const [sick, healthy] = await Promise.all(
      ['sick', 'well'].map(async transactionalId => {
        const producer = await world.connect({
          transactionalId,
          bufferBytes: MiB,
          retry: { minTimeoutMs: 100, maxTimeoutMs: 1000 },
        })
        return producer.transaction()
      }),
    )
    let ended = 0
    const stuck = Array.from({ length: 200 }, () =>
      sick!.send({ topic: 'refused', messages: [{ value: sickOf(10_000) }] }).then(() => ended++),
    )
    for (let i = 0; i < 10; i++) await healthy!.send({ topic: 'healthy', messages: [{ value: 'a' }] })
    await healthy!.commit()
    expect(ended).toBe(0)
    cure()
    await pass(3000)
    await Promise.all(stuck)
    await sick!.commit()
  })
})

test('keyed records to a sick and to a healthy topic: those of the healthy one arrive in order, at once', async () => {
  const { producer, cure } = await start(['refused', 'leaderless'], 10_000, { bufferBytes: MiB })
  const keys = ['a', 'b', 'c']
  const sick = Array.from({ length: 200 }, (_, i) =>
    send(producer, i % 2 === 0 ? 'refused' : 'leaderless', sickOf(10_000), keys[i % 3]),
  )
  let ended = 0
  for (const each of sick) each.then(() => ended++)
  await Promise.all(Array.from({ length: 60 }, (_, i) => send(producer, 'healthy', `${i}`, keys[i % 3])))
  expect(world.stored(0, 'healthy').slice(1)).toEqual(Array.from({ length: 60 }, (_, i) => `${i}`))
  expect(ended).toBe(0)
  cure()
  await pass(3000)
  await Promise.all(sick)
})

test('a record that finds no room beside what is stuck keeps nobody else of its broker waiting, and gets its room afterwards', async () => {
  const { producer, cure } = await start(['missing'], 10_000, { bufferBytes: 100_000 })
  world.topic({}, 'large')
  await send(producer, 'large', 'warm')
  const stuck = Array.from({ length: 8 }, () => send(producer, 'missing', sickOf(10_000)))
  const gate = world.cluster.gate()
  world.onEach(hold(gate))
  const ends: string[] = []
  const note = (name: string, sent: Promise<unknown>) => sent.then(() => ends.push(name))
  const healthy = Array.from({ length: 10 }, () =>
    note('healthy', send(producer, 'healthy', healthyOf(10_000))),
  )
  await gate.arrived
  const large = note('large', send(producer, 'large', 'l'.repeat(90_000)))
  const behind = Array.from({ length: 10 }, () =>
    note('behind', send(producer, 'healthy', healthyOf(10_000))),
  )
  gate.open()
  await Promise.all([...healthy, ...behind])
  expect(ends).not.toContain('large')
  cure()
  await pass(2000)
  await Promise.all([...stuck, large])
})
