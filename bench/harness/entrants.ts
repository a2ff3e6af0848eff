import type { Compression } from '../clients/client.js'
import type { PayloadSpec } from '../work/payloads.js'
import type { ThroughputWork } from '../work/throughput.js'
import { type Contender, contend, isOurs, OURS, OURS_BEFORE } from './contender.js'
import { FRANZ_GO, JARS } from './install.js'
import type { BenchOptions } from './options.js'
import { run } from './process.js'
import type { Entrant } from './rounds.js'

const PARTITIONS = 6

export interface Conditions {
  readonly payload: PayloadSpec
  readonly perCall: number
  readonly compression: Compression
  readonly topicCount: number
  readonly partitions: number
}

export const plainConditions = ({ valueBytes }: BenchOptions): Conditions => ({
  payload: { valueBytes, content: 'random', keyed: false, headers: 0 },
  perCall: 1,
  compression: 'none',
  topicCount: 1,
  partitions: PARTITIONS,
})

/** A client in Node, in a child of its own every round. */
export const nodeEntrant = (
  contender: Contender,
  { payload, perCall, compression, topicCount, partitions }: Conditions,
  { window }: BenchOptions,
  id = contender.id,
): Entrant => ({
  id,
  label: contender.label,
  idempotent: contender.idempotent,
  tuning: contender.tuning,
  ours: isOurs(contender),
  topicCount,
  partitions,
  run: ({ bootstrap, topics, seconds, warmupSeconds }) => {
    const work: ThroughputWork = {
      kind: 'throughput',
      topics,
      payload,
      perCall,
      window,
      warmupSeconds,
      seconds,
    }
    return contend(contender, bootstrap, work, { compression })
  },
})

/** What a change may cost at the most, as a ratio of rates. */
export const beforeClaim = (entrants: readonly Entrant[]) => ({
  what: 'ours to the build before',
  ours: OURS.id,
  against: entrants.filter(({ id }) => id === OURS_BEFORE.id),
  bar: 0.97,
  goal: 1.05,
})

const lastMatch = (text: string, pattern: RegExp): RegExpMatchArray | undefined =>
  [...text.matchAll(pattern)].at(-1)

/** Records a JVM needs until its code is compiled, and the fewest that are worth a figure after them. */
const JAVA_WARMUP = 1_000_000
const JAVA_LEAST = 1_000_000

/**
 * Java's ProducerPerformance. It takes a number of records, not a time: the number follows from the round before. It has
 * no window: 32 MiB of buffer.
 */
export const javaEntrant = (
  tuning: string,
  properties: Readonly<Record<string, string>>,
  { valueBytes }: BenchOptions,
): Entrant => {
  let rate = 0
  return {
    id: `java-${tuning === 'defaults' ? 'defaults' : 'tuned'}`,
    label: 'Java ProducerPerformance 4.4.0',
    idempotent: true,
    tuning,
    ours: false,
    topicCount: 1,
    partitions: PARTITIONS,
    run: async ({ bootstrap, topics, seconds, warmupSeconds }) => {
      const warmup = Math.max(JAVA_WARMUP, Math.round(rate * warmupSeconds))
      const total = warmup + Math.max(JAVA_LEAST, Math.round(rate * seconds))
      const settings = { 'bootstrap.servers': bootstrap, acks: 'all', ...properties }
      const result = await run('java', [
        ...['-Xms512m', '-Xmx512m', '-cp', `${JARS}/*`, 'org.apache.kafka.tools.ProducerPerformance'],
        ...['--topic', topics[0]!, '--num-records', String(total), '--record-size', String(valueBytes)],
        ...['--throughput', '-1', '--warmup-records', String(warmup)],
        ...['--command-property', ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)],
      ])
      const summary = lastMatch(result.stdout, /(\d+) records sent, ([\d.]+) records\/sec/g)
      if (summary === undefined)
        throw new Error(`ProducerPerformance said: ${result.stderr || result.stdout}`)
      rate = Number(summary[2])
      return { recordsPerSecond: rate, delivered: total, failed: 0 }
    },
  }
}

interface FranzGoResult {
  readonly recordsPerSecond: number
  readonly cpuMicrosPerRecord: number
  readonly delivered: number
  readonly failed: number
}

/** franz-go, by the program in bench/peers/franz-go. */
export const franzGoEntrant = (
  tuning: string,
  flags: readonly string[],
  { valueBytes, window }: BenchOptions,
): Entrant => ({
  id: `franz-go-${tuning === 'defaults' ? 'defaults' : 'tuned'}`,
  label: 'franz-go 1.22',
  idempotent: true,
  tuning,
  ours: false,
  topicCount: 1,
  partitions: PARTITIONS,
  run: async ({ bootstrap, topics, seconds, warmupSeconds }) => {
    const result = await run(FRANZ_GO, [
      ...['-brokers', bootstrap, '-topic', topics[0]!, '-value-bytes', String(valueBytes)],
      ...['-window', String(window), '-seconds', String(seconds), '-warmup', String(warmupSeconds), ...flags],
    ])
    if (result.code !== 0) throw new Error(`franz-go said: ${result.stderr || result.stdout}`)
    return JSON.parse(result.stdout) as FranzGoResult
  },
})
