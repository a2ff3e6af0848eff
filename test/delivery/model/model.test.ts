import fc from 'fast-check'
import type { ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { checkDelivery, type DeliveryFault } from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, test } from 'vitest'
import { pass, turns, World } from '../support/world.js'
import { BROKERS, commands, LATE, type Model, type Real, TOPICS } from './commands.js'
import { Recorder } from './recorder.js'

/*
 * The engine against the rules of the core (ARCHITECTURE.md): whatever is sent, whatever the cluster does, each record
 * ends once; what was acknowledged stands in the log once and, per partition, in the order it was sent; what is said
 * not to be there is not; nothing acknowledged is sent again; the buffer is never over its bound and empty in the end.
 *
 * A long run, with other cases: `MODEL_RUNS=2000 MODEL_SEED=7 npx vitest run test/delivery/model`. A failed run says
 * the seed and the path that repeat it: `MODEL_SEED=... MODEL_PATH=...`; `MODEL_SHRINK=1` looks for a shorter one.
 */
const RUNS = Number(process.env.MODEL_RUNS ?? 25)
const SEED = Number(process.env.MODEL_SEED ?? 20_261_122)
const PATH = process.env.MODEL_PATH

let world: World | undefined
afterEach(async () => {
  await world?.end()
})

const start = async (options: ResilientProducerOptions): Promise<Real> => {
  world = await World.withClock({
    brokers: BROKERS,
    autoCreate: { createdAfter: 3, leaderAfter: 2, partitions: TOPICS[LATE]!, replicationFactor: BROKERS },
  })
  for (const [name, partitions] of Object.entries(TOPICS)) {
    if (name !== LATE) world.topic({ partitions, replicationFactor: BROKERS }, name)
  }
  const producer = await world.connect({
    bufferBytes: 12_000,
    maxInFlightPerBroker: 10,
    batchRecords: 2,
    maxBlockMs: 60_000,
    deliveryTimeoutMs: 45_000,
    requestTimeoutMs: 10_000,
    ackTimeoutMs: 1000,
    ...options,
  })
  return {
    world,
    producer,
    recorder: new Recorder(world),
    flushes: [],
    signals: [],
    oldLogs: [],
    removers: [],
  }
}

/** The cluster is well again, and everything gets the time that it may take. */
const recover = async (real: Real, model: Model): Promise<void> => {
  const { producer, recorder, flushes } = real
  const { cluster } = real.world
  real.world.forgetRules()
  for (const remove of real.removers.splice(0)) remove()
  for (const node of model.stopped) await cluster.startBroker(node)
  for (const name of cluster.topics) {
    for (let partition = 0; partition < TOPICS[name]!; partition++) {
      if (cluster.leaderOf(name, partition) < 0) cluster.moveLeader(name, partition, partition)
    }
  }
  const isOver = () => recorder.unended === 0 && flushes.every(({ done }) => done)
  for (let i = 0; i < 100 && !isOver(); i++) {
    await turns(10)
    await pass(200)
  }
  // Twice the longest that anything may take.
  for (let i = 0; i < 200 && !isOver(); i++) await pass(1000)
  // What expired in flight is held until its request has ended.
  const held = () => real.world.metric(producer, 'buffered_records')
  for (let i = 0; i < 30 && (await held()) > 0; i++) await pass(1000)
}

/** Runs many programs; `check` looks at what each has left. */
const runAll = (
  options: ResilientProducerOptions,
  runs: number,
  check: (real: Real) => void,
  topics: 'stay' | 'are recreated' = 'stay',
  aborts: 'sometimes' | 'often' = 'sometimes',
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(commands(60, topics, aborts), async list => {
      const real = await start(options)
      const model: Model = { stopped: new Set() }
      try {
        await fc.asyncModelRun(() => ({ model, real }), list)
        await recover(real, model)
        const { recorder, flushes, producer } = real
        const wrong = recorder.records.filter(({ ends }) => ends !== 1)
        expect(wrong.map(({ id, ends }) => `${id}: ${ends}`)).toEqual([])
        expect(flushes.filter(({ done }) => !done)).toEqual([])
        expect(recorder.sentAgain()).toEqual([])
        expect(await real.world.metric(producer, 'buffered_records')).toBe(0)
        expect(await real.world.metric(producer, 'requests_in_flight')).toBe(0)
        const counted = ['records_sent_total', 'records_failed_total'].map(name =>
          real.world.metric(producer, name),
        )
        expect((await Promise.all(counted)).reduce((sum, each) => sum + each)).toBe(recorder.records.length)
        check(real)
      } finally {
        world = undefined
        await real.world.end()
      }
    }),
    {
      seed: SEED,
      numRuns: runs,
      endOnFailure: process.env.MODEL_SHRINK === undefined,
      ...(PATH === undefined ? {} : { path: PATH }),
    },
  )

test('the engine keeps the rules of the core', { timeout: RUNS * 20_000 }, async () => {
  await runAll({}, RUNS, ({ world: { cluster }, recorder }) => cluster.check(recorder.sent).assert())
})

test('partitions that are given back in the midst of it keep them too', {
  timeout: RUNS * 20_000,
}, async () => {
  // Every 40 ms what was not used since is given back: between a send and the next, a retry and the next, a leader and the next.
  const runs = Math.ceil((RUNS * 2) / 3)
  await runAll({ metadataMaxIdleMs: 40 }, runs, ({ world: { cluster }, recorder }) =>
    cluster.check(recorder.sent).assert(),
  )
})

test('without idempotence it may double a record, and nothing else', { timeout: RUNS * 20_000 }, async () => {
  await runAll({ idempotent: false }, Math.ceil(RUNS / 3), ({ world: { cluster }, recorder }) => {
    const { faults } = cluster.check(recorder.sent)
    expect(faults.filter(({ kind }) => kind !== 'duplicated')).toEqual([])
  })
})

test('topics may be deleted and created again: each log by itself keeps the rules', {
  timeout: RUNS * 20_000,
}, async () => {
  const check = ({ world: { cluster }, recorder: { sent }, oldLogs }: Real) => {
    const logs = [...oldLogs, ...cluster.topics.map(name => cluster.records(name))]
    const isOfOneLog = ({ kind }: DeliveryFault) => kind === 'duplicated' || kind === 'reordered'
    // A record of unknown outcome may stand in the old log and in the new one, but in none of them twice.
    expect(logs.flatMap(log => checkDelivery(sent, log).faults.filter(isOfOneLog))).toEqual([])
    const overall = checkDelivery(sent, logs.flat()).faults.filter(fault => !isOfOneLog(fault))
    expect(overall).toEqual([])
  }
  await runAll({}, RUNS, check, 'are recreated')
  await runAll({ metadataMaxIdleMs: 40 }, Math.ceil(RUNS / 3), check, 'are recreated')
})

test('with a buffer of a few records, of which most wait at their own destinations', {
  timeout: RUNS * 20_000,
}, async () => {
  const options = { bufferBytes: 4_000, maxWaitingBytes: 20_000 }
  await runAll(options, Math.ceil(RUNS / 2), ({ world: { cluster }, recorder }) =>
    cluster.check(recorder.sent).assert(),
  )
})

test('with calls that are aborted all the time', { timeout: RUNS * 20_000 }, async () => {
  const check = ({ world: { cluster }, recorder }: Real) => cluster.check(recorder.sent).assert()
  await runAll({ batchRecords: 20 }, Math.ceil(RUNS / 2), check, 'stay', 'often')
})
