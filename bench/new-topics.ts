import { type Broker, withBroker } from './harness/broker.js'
import { machine } from './harness/comparison.js'
import * as contenders from './harness/contender.js'
import { figure, figureWithRange, type Table } from './harness/format.js'
import { type Interleaved, interleave } from './harness/interleave.js'
import type { BenchOptions } from './harness/options.js'
import type { Question } from './harness/question.js'
import type { Claim } from './harness/report.js'
import { median, pairedRatios, spread } from './harness/stats.js'
import { deleteTopics, recordsIn } from './harness/topics.js'
import type { NewTopicsResult, NewTopicsWork } from './work/newTopics.js'

const SIZES = [50, 300, 1000]
const MISSING = 20
const DEADLINE_MS = 90_000
/** kafkajs alone takes most of the time with 1,000 topics; what it shows there, one round shows. */
const ROUNDS_OF_THE_SLOW = 1

const CONTENDERS = [
  contenders.OURS_METRICS,
  contenders.KAFKAJS,
  contenders.PLATFORMATIC,
  contenders.CONFLUENT,
] as const

type Sample = NewTopicsResult & { readonly onBroker: number }
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

const of = (measured: Interleaved<Sample>, { id }: Contender): Sample[] =>
  (measured.samples.get(id) ?? []).filter(sample => sample !== undefined)

const newTopicsTable = (
  count: number,
  measured: Interleaved<Sample>,
  chosen: readonly Contender[],
): Table => ({
  title: `${count} new topics, one send() each, all at once`,
  columns: ['client', 'delivered', 'lost', 'seconds', 'metadata requests', 'runs', 'an error'],
  rows: chosen.map(contender => {
    const all = of(measured, contender)
    const requests = all.flatMap(({ metadataRequests }) => metadataRequests ?? [])
    return [
      contender.label,
      figure(median(all.map(sample => sample.delivered))),
      figureWithRange(spread(all.map(({ failed, unended }) => failed + unended))),
      figureWithRange(spread(all.map(({ seconds }) => seconds))),
      requests.length === 0 ? 'not told' : figureWithRange(spread(requests)),
      String(all.length),
      all.find(({ error }) => error)?.error ?? '',
    ]
  }),
})

const missingTable = (measured: Interleaved<Sample>, chosen: readonly Contender[]): Table => ({
  title: `${MISSING} missing topics, one send() each, auto-creation off`,
  columns: ['client', 'seconds until the last error', 'names the topic', 'metadata requests', 'an error'],
  rows: chosen.map(contender => {
    const all = of(measured, contender)
    const requests = all.flatMap(({ metadataRequests }) => metadataRequests ?? [])
    return [
      contender.label,
      figureWithRange(spread(all.map(({ seconds }) => seconds))),
      all.length > 0 && all.every(({ errorsNameTopic }) => errorsNameTopic) ? 'yes' : 'no',
      requests.length === 0 ? 'not told' : figureWithRange(spread(requests)),
      all.find(({ error }) => error)?.error ?? '',
    ]
  }),
})

const seconds = (measured: Interleaved<Sample> | undefined, { id }: Contender): (number | undefined)[] =>
  (measured?.samples.get(id) ?? []).map(sample => sample?.seconds)

export const question: Question = {
  name: 'new-topics',
  asks: 'Brand-new topics: one send() to each, all at once, created by the broker',
  minutes: 10,
  run: async options => {
    const { chosen, skipped } = contenders.select(CONTENDERS, options.only)
    const byCount = new Map<number, Interleaved<Sample>>()
    for (const count of SIZES) byCount.set(count, await measure(count, true, chosen, options))
    const missing = await measure(MISSING, false, chosen, options)
    const [ours, librdkafka] = [contenders.OURS_METRICS, contenders.CONFLUENT]
    // The worst round decides: a median would hide a lost record.
    const lost = Math.max(
      ...SIZES.flatMap(count =>
        of(byCount.get(count)!, ours).map(({ delivered, onBroker }) => count - Math.min(delivered, onBroker)),
      ),
    )
    const claims: Claim[] = [
      {
        what: "300 topics: ours to librdkafka's seconds",
        measured: spread(
          pairedRatios(seconds(byCount.get(300), ours), seconds(byCount.get(300), librdkafka)),
        ),
        unit: 'x',
        better: 'lower',
        bar: 1 / 2,
        goal: 1 / 3,
      },
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
        'Kafka 4.2.0, one KRaft broker on loopback, a fresh one each round; acks=all, num.partitions 1',
        `medians of ${options.rounds} rounds, least and most in brackets; without an end after ${DEADLINE_MS / 1000} s counts as lost`,
      ],
      tables: [
        ...SIZES.map(count => newTopicsTable(count, byCount.get(count)!, chosen)),
        missingTable(missing, chosen),
      ],
      claims,
      skipped: [...skipped, ...[...byCount.values(), missing].flatMap(({ failures }) => failures)],
    }
  },
}
