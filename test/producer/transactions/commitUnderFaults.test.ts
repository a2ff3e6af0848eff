import type { ResilientProducer } from 'kafkajs-resilient-producer'
import {
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  errorAfterApply,
  errorCode,
  type Gate,
  hang,
  hangAfterApply,
  hold,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TOPIC, World } from '../../delivery/support/world.js'
import { outcomes, send, TX } from './support.js'

/*
 * Many transactions while requests of every kind are lost, refused and answered late: whatever happens to one, it is there as a
 * whole or not at all, and commit says which.
 */
let world: World
beforeEach(async () => {
  world = await World.start({ brokers: 3 })
  world.topic({ partitions: 3, replicationFactor: 3 })
})
afterEach(() => world.end())

/** A linear congruential generator: the same weather again for the same seed. */
const dice = (seed: number) => {
  let state = seed
  return (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const CONTROL = [
  dropBeforeApply,
  dropAfterApply,
  errorCode(ERROR.CONCURRENT_TRANSACTIONS),
  errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS),
  errorCode(ERROR.COORDINATOR_NOT_AVAILABLE),
  errorCode(ERROR.NOT_COORDINATOR),
  hang,
  hangAfterApply,
]
const PRODUCE = [
  dropBeforeApply,
  dropAfterApply,
  errorCode(ERROR.NOT_LEADER_OR_FOLLOWER),
  errorCode(ERROR.NOT_ENOUGH_REPLICAS),
  errorAfterApply(ERROR.REQUEST_TIMED_OUT),
  // Final: it fails the transaction.
  errorCode(ERROR.INVALID_RECORD),
]
type Verb = (typeof PRODUCE)[number]

const FAULTS = new Map<string, typeof CONTROL>([
  ['FindCoordinator', [dropBeforeApply, errorCode(ERROR.COORDINATOR_NOT_AVAILABLE)]],
  ['InitProducerId', CONTROL],
  ['AddPartitionsToTxn', CONTROL],
  ['AddOffsetsToTxn', CONTROL],
  ['TxnOffsetCommit', CONTROL],
  ['EndTxn', CONTROL],
])

const FAULT_RATE = 0.15
const TRANSACTIONS = 20
/** More of them by the environment. */
const WEATHERS = Array.from({ length: Number(process.env.WEATHERS ?? 4) }, (_, seed) => seed)
const RECORDS = 12

const begin = async (producer: ResilientProducer) => {
  for (;;) {
    try {
      return await producer.transaction()
    } catch {
      // What is fatal ends with another connection.
      await producer.disconnect()
      await producer.connect()
    }
  }
}

test.each(WEATHERS)('every transaction is whole or not there (weather %i)', async seed => {
  const random = dice((seed + 1) * 7919)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const producer = await world.connect({
    ...TX,
    batchRecords: 2,
    metadataRequestTimeoutMs: 100,
    ackTimeoutMs: 1,
    requestTimeoutMs: 300,
    retry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
  })
  const isStruck = () => random() < FAULT_RATE
  // A request that its client has given up, and that the broker comes to in the midst of a later transaction.
  const gates: Gate[] = []
  const late: Verb = (request, next) => {
    const gate = world.cluster.gate()
    gates.push(gate)
    return hold(gate)(request, next)
  }
  const produceFaults = [...PRODUCE, late]
  world.onNext((request, next) => (isStruck() ? pick(produceFaults)(request, next) : next()), 10_000)
  world.cluster.on(
    '*',
    (request, next) => {
      const faults = FAULTS.get(request.api)
      return faults !== undefined && isStruck() ? pick([...faults, late])(request, next) : next()
    },
    { times: Infinity },
  )
  const committed: string[] = []
  const undecided: string[][] = []
  let away: number | undefined
  for (let i = 0; i < TRANSACTIONS; i++) {
    const transaction = await begin(producer)
    const values = Array.from({ length: RECORDS }, (_, k) => `${i}:${k}`)
    const sends = values.map((value, k) => send(transaction, value, k % 3))
    if (random() < 0.5) await Promise.allSettled(sends.slice(0, 1))
    for (const gate of gates.splice(0, Math.floor(random() * 3))) gate.open()
    if (random() < 0.5) {
      const topics = [{ topic: TOPIC, partitions: [{ partition: 0, offset: `${i}` }] }]
      transaction.sendOffsets({ consumerGroupId: 'g', topics }).catch(() => {})
    }
    if (random() < 0.2 && away === undefined)
      world.cluster.moveLeader(TOPIC, pick([0, 1, 2]), pick([0, 1, 2]))
    const restart = away
    away = restart === undefined && random() < 0.1 ? pick([0, 1, 2]) : undefined
    if (away !== undefined) await world.cluster.stopBroker(away)
    if (restart !== undefined) await world.cluster.startBroker(restart)
    try {
      if (random() < 0.2) throw new Error('changed my mind')
      await transaction.commit()
      committed.push(...values)
    } catch (error) {
      if ((error as { outcome?: string }).outcome === 'unknown') undecided.push(values)
      if (transaction.isActive()) await transaction.abort().catch(() => {})
    }
  }
  if (away !== undefined) await world.cluster.startBroker(away)
  for (const gate of gates) gate.open()
  await producer.disconnect()
  world.forgetRules()
  const there = await outcomes(world)
  const values = new Set(there.committed)
  expect(there.committed).toHaveLength(values.size)
  for (const each of undecided) {
    const isThere = each.map(value => values.has(value))
    expect(new Set(isThere).size).toBe(1)
    if (isThere[0]) committed.push(...each)
  }
  expect([...values].toSorted()).toEqual(committed.toSorted())
  // In each partition in the order of the sends.
  for (const partition of [0, 1, 2]) {
    const inOrder = there.committed.filter(value => Number(value.split(':')[1]) % 3 === partition)
    const rank = (value: string) => Number(value.split(':')[0]) * RECORDS + Number(value.split(':')[1])
    expect(inOrder.map(rank)).toEqual(inOrder.map(rank).toSorted((a, b) => a - b))
  }
  expect(there.open).toEqual([])
  expect(committed.length).toBeGreaterThan(RECORDS * 5)
})
