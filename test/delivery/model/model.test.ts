import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { pass, turns, World } from '../support/world.js'
import { BROKERS, commands, type Model, type Real, TOPICS } from './commands.js'
import { Recorder } from './recorder.js'

/*
 * The engine against the rules of the core (ARCHITECTURE.md): whatever is sent, whatever the cluster does, each record
 * ends once; what was acknowledged stands in the log once and, per partition, in the order it was sent; what is said
 * not to be there is not; nothing acknowledged is sent again; the buffer is never over its bound and empty in the end.
 *
 * A long run, with other cases: `MODEL_RUNS=2000 MODEL_SEED=7 npx vitest run test/delivery/model`. A failed run says
 * the seed and the path that repeat it: `MODEL_SEED=... MODEL_PATH=...`.
 */
const RUNS = Number(process.env.MODEL_RUNS ?? 25)
const SEED = Number(process.env.MODEL_SEED ?? 20_261_122)
const PATH = process.env.MODEL_PATH

let world: World | undefined
afterEach(async () => {
  await world?.end()
})

const BUFFER_BYTES = 12_000

const start = async (): Promise<Real> => {
  world = await World.withClock({ brokers: BROKERS })
  for (const [name, partitions] of Object.entries(TOPICS))
    world.topic({ partitions, replicationFactor: 3 }, name)
  const producer = await world.connect({
    bufferBytes: BUFFER_BYTES,
    maxInFlightPerBroker: 10,
    batchRecords: 2,
    maxBlockMs: 60_000,
    deliveryTimeoutMs: 45_000,
    requestTimeoutMs: 10_000,
    ackTimeoutMs: 1000,
  })
  return { world, producer, recorder: new Recorder(world), flushes: [], signals: [] }
}

/** The cluster is well again, and everything gets the time that it may take. */
const recover = async ({ world: { cluster }, recorder, flushes }: Real, model: Model, real: World) => {
  real.forgetRules()
  for (const node of model.stopped) await cluster.startBroker(node)
  model.stopped.clear()
  for (const [name, partitions] of Object.entries(TOPICS)) {
    for (let partition = 0; partition < partitions; partition++) {
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
}

test('the engine keeps the rules of the core', { timeout: RUNS * 20_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(commands(60), async list => {
      const real = await start()
      const model: Model = { stopped: new Set() }
      try {
        await fc.asyncModelRun(() => ({ model, real }), list)
        await recover(real, model, real.world)
        const { recorder, flushes } = real
        expect(
          recorder.records.filter(({ ends }) => ends !== 1).map(({ id, ends }) => `${id}: ${ends}`),
        ).toEqual([])
        expect(flushes.filter(({ done }) => !done)).toEqual([])
        real.world.cluster.check(recorder.sent).assert()
        expect(recorder.sentAgain()).toEqual([])
        expect(await real.world.metric(real.producer, 'buffered_records')).toBe(0)
        expect(await real.world.metric(real.producer, 'requests_in_flight')).toBe(0)
      } finally {
        const ended = world
        world = undefined
        await ended?.end()
      }
    }),
    {
      seed: SEED,
      numRuns: RUNS,
      endOnFailure: process.env.MODEL_SHRINK === undefined,
      ...(PATH === undefined ? {} : { path: PATH }),
    },
  )
})
