import type { Broker } from './broker.js'
import { type Interleaved, interleave } from './interleave.js'
import type { BenchOptions } from './options.js'
import { createTopics, deleteTopics, recordsIn } from './topics.js'

/** What one entrant is given for one round. */
export interface Turn {
  readonly bootstrap: string
  /** Fresh and its own. */
  readonly topics: readonly string[]
  readonly seconds: number
  readonly warmupSeconds: number
}

export interface Sample {
  readonly recordsPerSecond: number
  readonly cpuMicrosPerRecord?: number
  readonly residentBytes?: number
  readonly delivered: number
  readonly failed: number
  readonly error?: string | undefined
  /** Records that the broker has by its end offsets, once the run has ended. */
  readonly onBroker: number
}

/** One row: any program that can send for a while and say how many were acknowledged. */
export interface Entrant {
  readonly id: string
  readonly label: string
  readonly idempotent: boolean
  readonly tuning: string
  readonly ours: boolean
  readonly topicCount: number
  /** Of each topic. */
  readonly partitions: number
  run(turn: Turn): Promise<Omit<Sample, 'onBroker'>>
}

export type Rounds = Interleaved<Sample>

type Times = Pick<Turn, 'seconds' | 'warmupSeconds'>
const WARMING: Times = { seconds: 1, warmupSeconds: 0.5 }

const turnOf = async (
  entrant: Entrant,
  { bootstrap }: Broker,
  name: string,
  times: Times,
): Promise<Sample> => {
  const topics = Array.from({ length: entrant.topicCount }, (_, i) => `${name}-${i}`)
  await createTopics(bootstrap, topics, entrant.partitions)
  try {
    const sample = await entrant.run({ bootstrap, topics, ...times })
    return { ...sample, onBroker: await recordsIn(bootstrap, topics) }
  } finally {
    await deleteTopics(bootstrap, topics)
  }
}

/** Rounds of throughput. A short one is thrown away first: it warms the broker, whose code is compiled as it runs. */
export const runRounds = async (
  broker: Broker,
  entrants: readonly Entrant[],
  { rounds, seconds, warmupSeconds, log }: BenchOptions,
): Promise<Rounds> => {
  const told = async (entrant: Entrant, phase: string, name: string, times: Times): Promise<Sample> => {
    const sample = await turnOf(entrant, broker, name, times)
    log(`${phase}  ${entrant.id}: ${Math.round(sample.recordsPerSecond).toLocaleString('en-US')} records/s`)
    return sample
  }
  await interleave(entrants, 1, entrant => told(entrant, 'warm-up', `${entrant.id}-0`, WARMING))
  return interleave(entrants, rounds, (entrant, round) =>
    told(entrant, `round ${round}/${rounds}`, `${entrant.id}-${round}`, { seconds, warmupSeconds }),
  )
}
