import { randomInt } from 'node:crypto'
import { check, type Findings } from './check/checker.js'
import { byPlace, type Failover, failoverOf } from './check/failover.js'
import { readBack } from './check/readBack.js'
import type { ChaosCluster } from './cluster/chaosCluster.js'
import { createTopics } from './cluster/control.js'
import { DELIVERY_TIMEOUT_MS, type DriverOptions } from './drivers/driver.js'
import type { LoadPlan } from './load/load.js'
import { seeded } from './random.js'
import type { Scenario } from './scenarios/scenario.js'
import { type Fault, Stage } from './stage.js'
import type { Worker, WorkerOutcome } from './worker/worker.js'

export interface RunOptions {
  /** How long faults go on: no shorter than the scenario's least. */
  readonly seconds: number
  readonly ratePerSecond: number
  readonly topics: number
  /** Topics are named after it: `chaos` gives chaos-0, chaos-1, ... */
  readonly topicPrefix: string
  /** Of each topic. */
  readonly partitions: number
  readonly valueBytes: number
  readonly window: number
  /** Decides every random choice of the run. */
  readonly seed: number
  readonly logFile?: string
  readonly say: (line: string) => void
}

export const DEFAULTS = {
  seconds: 45,
  ratePerSecond: 2_000,
  topics: 20,
  topicPrefix: 'chaos',
  partitions: 3,
  valueBytes: 100,
  // Below the 100,000 records that librdkafka holds by default: more would be failures of its own making.
  window: 95_000,
} as const

export const newSeed = (): number => randomInt(2 ** 31)

/** What one client made of one scenario. */
export interface RunReport {
  readonly scenario: string
  readonly about: string
  readonly seed: number
  readonly seconds: number
  /** Names of errors with which sends may end in this scenario. */
  readonly expectedFailures: readonly string[]
  readonly findings: Findings
  readonly faults: readonly Fault[]
  readonly failovers: readonly Failover[]
  readonly outcome: Omit<WorkerOutcome, 'ledger'>
}

/** Waits for the last sends this much longer than any of them may take. ms */
const SETTLE_MS = DELIVERY_TIMEOUT_MS + 30_000
const CALM_MS = 2_000

/** Plays a scenario on a cluster of its own under one client's load, reads everything back and checks it. */
export const runScenario = async (
  scenario: Scenario,
  cluster: ChaosCluster,
  options: RunOptions,
  startWorker: (options: DriverOptions, plan: LoadPlan) => Promise<Worker>,
): Promise<RunReport> => {
  const { ratePerSecond, topicPrefix, partitions, valueBytes, window, seed, logFile, say } = options
  const topics = Array.from({ length: options.topics }, (_, i) => `${topicPrefix}-${i}`)
  await createTopics(cluster.cluster.bootstrap, topics, partitions)
  const { security, brokers } = cluster
  const plan = { topics, partitions, ratePerSecond, valueBytes, window, seed }
  const worker = await startWorker(
    { brokers, ...(security && { security }), ...(logFile !== undefined && { logFile }) },
    plan,
  )
  const seconds = Math.max(options.seconds, scenario.leastSeconds)
  const stage = new Stage({ cluster, worker, ...plan, random: seeded(seed), durationMs: seconds * 1000, say })
  await stage.healthy()
  try {
    await scenario.run(stage)
    await stage.healthy()
  } catch (error) {
    await worker.finish(0).catch(() => undefined)
    throw error
  }
  await stage.wait(CALM_MS)
  stage.say('the load ends')
  const { ledger, ...outcome } = await worker.finish(SETTLE_MS)
  stage.say(`the last send ended ${Math.round(outcome.settledMs)} ms later; reading back`)
  await stage.healthy()
  const logs = await readBack(stage.addresses, stage.topics, ledger.tag)
  const places = byPlace(logs)
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed,
    seconds: (Date.now() - stage.startedAt) / 1000,
    expectedFailures: scenario.expectedFailures ?? [],
    findings: check(ledger, logs, { deletedBefore: stage.deletedBefore }),
    faults: stage.faults,
    failovers: stage.losses.map(loss => failoverOf(loss, ledger, places)),
    outcome,
  }
}
