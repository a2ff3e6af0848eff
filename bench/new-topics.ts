import { type Broker, withBroker } from './harness/broker.js'
import { brokerAlone } from './harness/brokerAlone.js'
import { machine } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { startEmbedded } from './harness/embedded.js'
import { type Interleaved, interleave } from './harness/interleave.js'
import {
  BURST_VALUE_BYTES,
  type Burst,
  burstClaims,
  EXISTING,
  MISSING,
  newTopicsPlots,
  newTopicsTables,
  of,
  type Sample,
  SIZES,
  speedClaims,
} from './harness/newTopicsReport.js'
import type { BenchOptions } from './harness/options.js'
import type { Question } from './harness/question.js'
import type { Claim } from './harness/report.js'
import { spread } from './harness/stats.js'
import { createTopics, deleteTopics, recordsIn } from './harness/topics.js'
import type { NewTopicsResult, NewTopicsWork } from './work/newTopics.js'

const DEADLINE_MS = 90_000
const NEW_TOPICS = { 'auto.create.topics.enable': 'true', 'num.partitions': '1' }
/** kafkajs alone takes most of the time with 1,000 topics; what it shows there, one round shows. */
const ROUNDS_OF_THE_SLOW = 1

const CONTENDERS = [
  contenders.OURS_METRICS,
  contenders.KAFKAJS,
  contenders.PLATFORMATIC,
  contenders.CONFLUENT,
] as const

/** Many records to each of many new topics, as a service sends them that does not await: topics x records of 1 KB. */
const BURSTS: readonly Burst[] = [
  { topics: 300, records: 1, cluster: 'kafka' },
  { topics: 500, records: 100, cluster: 'kafka' },
  { topics: 1000, records: 30, cluster: 'kafka' },
  { topics: 1000, records: 100, cluster: 'kafka' },
  { topics: 2000, records: 50, cluster: 'kafka' },
  { topics: 10_000, records: 10, cluster: 'embedded' },
]
const BURST_CONTENDERS = [contenders.OURS_METRICS, contenders.CONFLUENT] as const

type Contender = contenders.Contender

const existing = (broker: Broker, topics: readonly string[]): Promise<number> =>
  recordsIn(broker.bootstrap, topics).catch(() => 0)

const once = async (broker: Broker, contender: Contender, topics: readonly string[]): Promise<Sample> => {
  const work: NewTopicsWork = { kind: 'newTopics', topics, deadlineMs: DEADLINE_MS }
  const result = await contenders.contend(contender, broker.bootstrap, work)
  return {
    ...result,
    onBroker: result.delivered === topics.length ? await existing(broker, topics) : result.delivered,
  }
}

const names = (count: number, { id }: Contender, round: number): string[] =>
  Array.from({ length: count }, (_, i) => `${id}.${round}.${String(i).padStart(4, '0')}`)

/** What the broker takes without any client, each time with topics of its own. */
const measureBroker = async (
  count: number,
  { rounds, log }: BenchOptions,
): Promise<(number | undefined)[]> => {
  const seconds: (number | undefined)[] = []
  for (let round = 1; round <= rounds; round++) {
    await withBroker({ 'num.partitions': '1' }, async ({ bootstrap }) => {
      // The first request to a broker that has just started pays for its start.
      await createTopics(bootstrap, ['warm-up'], 1)
      const topics = Array.from({ length: count }, (_, i) => `alone.${round}.${i}`)
      const took = await brokerAlone(bootstrap, topics).catch((error: Error) => {
        log(`${count} topics, the broker alone, round ${round}/${rounds}: ${error.message}`)
        return undefined
      })
      seconds.push(took)
      if (took !== undefined)
        log(`${count} topics, the broker alone, round ${round}/${rounds}: ${took.toFixed(2)} s`)
    })
  }
  return seconds
}

/** First records to topics that are there already. */
const measureExisting = (
  chosen: readonly Contender[],
  { rounds }: BenchOptions,
): Promise<Interleaved<Sample>> =>
  interleave(chosen, rounds, (contender, round) =>
    withBroker({ 'num.partitions': '1' }, async broker => {
      const topics = names(EXISTING, contender, round)
      await createTopics(broker.bootstrap, topics, 1)
      return once(broker, contender, topics)
    }),
  )

const burstOf = async (
  bootstrap: string,
  contender: Contender,
  { topics, records }: Burst,
  round: number,
): Promise<NewTopicsResult> => {
  const work: NewTopicsWork = {
    kind: 'newTopics',
    topics: names(topics, contender, round),
    records,
    valueBytes: BURST_VALUE_BYTES,
    deadlineMs: DEADLINE_MS,
  }
  return await contenders.contend(contender, bootstrap, work)
}

const measureBurst = (
  burst: Burst,
  chosen: readonly Contender[],
  { rounds, log }: BenchOptions,
): Promise<Interleaved<NewTopicsResult>> =>
  interleave(chosen, rounds, async (contender, round) => {
    const told = (result: NewTopicsResult): NewTopicsResult => {
      const { delivered, seconds, longestStallMs } = result
      log(
        `${burst.topics} x ${burst.records}, round ${round}/${rounds}  ${contender.id}: ${delivered} in ` +
          `${seconds.toFixed(2)} s, longest stall ${Math.round(longestStallMs)} ms`,
      )
      return result
    }
    if (burst.cluster === 'kafka')
      return await withBroker(NEW_TOPICS, async broker =>
        told(await burstOf(broker.bootstrap, contender, burst, round)),
      )
    const cluster = await startEmbedded({ brokers: 1, autoCreate: true })
    try {
      return told(await burstOf(cluster.bootstrap.join(','), contender, burst, round))
    } finally {
      await cluster.stop()
    }
  })

/** Every client on a broker that has none of its topics: one broker a round, topics deleted after each client. */
const measure = async (
  count: number,
  autoCreate: boolean,
  chosen: readonly Contender[],
  { rounds, log }: BenchOptions,
): Promise<Interleaved<Sample>> => {
  const isSlow = ({ id }: Contender): boolean => count >= 1000 && id === contenders.KAFKAJS.id
  const config = { 'auto.create.topics.enable': String(autoCreate), 'num.partitions': '1' }
  const samples = new Map(chosen.map(({ id }) => [id, [] as (Sample | undefined)[]]))
  const failures: string[] = []
  for (let round = 1; round <= rounds; round++) {
    const present = chosen.filter(each => round <= ROUNDS_OF_THE_SLOW || !isSlow(each))
    await withBroker(config, async broker => {
      const part = await interleave(present, 1, async contender => {
        const topics = names(count, contender, round)
        const sample = await once(broker, contender, topics)
        const told = `${sample.delivered} of ${count} in ${sample.seconds.toFixed(2)} s`
        log(
          `${count} ${autoCreate ? 'new' : 'missing'} topics, round ${round}/${rounds}  ${contender.id}: ${told}`,
        )
        if (autoCreate) await deleteTopics(broker.bootstrap, topics).catch(() => undefined)
        return sample
      })
      for (const [id, found] of part.samples) samples.get(id)!.push(...found)
      failures.push(...part.failures)
    })
  }
  return { samples, failures }
}

export const question: Question = {
  name: 'new-topics',
  asks: 'Brand-new topics: one send() to each, all at once, created by the broker',
  minutes: 25,
  run: async options => {
    const { chosen, skipped } = contenders.select(CONTENDERS, options.only)
    const byCount = new Map<number, Interleaved<Sample>>()
    for (const count of SIZES) byCount.set(count, await measure(count, true, chosen, options))
    const alone = new Map<number, (number | undefined)[]>()
    for (const count of SIZES) alone.set(count, await measureBroker(count, options))
    const existing = await measureExisting(chosen, options)
    const bursting = contenders.select(BURST_CONTENDERS, options.only).chosen
    const bursts = new Map<Burst, Interleaved<NewTopicsResult>>()
    for (const burst of BURSTS) bursts.set(burst, await measureBurst(burst, bursting, options))
    const missing = await measure(MISSING, false, chosen, options)
    const measured = { chosen, bursting, byCount, alone, existing, bursts, missing }
    const ours = contenders.OURS_METRICS
    // The worst round decides: a median would hide a lost record.
    const lost = Math.max(
      ...SIZES.flatMap(count =>
        of(byCount.get(count)!, ours).map(({ delivered, onBroker }) => count - Math.min(delivered, onBroker)),
      ),
    )
    const claims: Claim[] = [
      ...speedClaims(byCount, existing, alone),
      ...burstClaims(bursts),
      {
        what: 'records lost by ours, worst round',
        measured: spread([lost]),
        unit: '',
        better: 'lower',
        bar: 0,
        goal: 0,
      },
      {
        what: 'ours, missing topics: seconds until the last error',
        measured: spread(of(missing, ours).map(sample => sample.seconds)),
        unit: 's',
        better: 'lower',
        bar: 2,
        goal: 0.2,
      },
    ]
    return {
      question: question.name,
      conditions: [
        machine(),
        'Kafka 4.4.0, one KRaft broker on loopback, a fresh one each round; acks=all, num.partitions 1',
        `medians of ${options.rounds} rounds, least and most in brackets; without an end after ${DEADLINE_MS / 1000} s counts as lost`,
      ],
      tables: newTopicsTables(measured),
      plots: newTopicsPlots(measured),
      claims,
      skipped: [
        ...skipped,
        ...[...byCount.values(), existing, ...bursts.values(), missing].flatMap(({ failures }) => failures),
      ],
    }
  },
}
