import type { AwaitedResult, AwaitedWork } from '../work/awaited.js'
import { type Broker, withBroker } from './broker.js'
import { commonConditions } from './comparison.js'
import { type Contender, contend, isOurs, named, select } from './contender.js'
import { figureWithRange, type Table, times } from './format.js'
import { type Interleaved, interleave, type Order } from './interleave.js'
import type { BenchOptions } from './options.js'
import type { Plot, Report } from './report.js'
import { pairedRatios, type Spread, spread } from './stats.js'
import { createTopics } from './topics.js'

type Measure = 'recordsPerSecond' | 'p50Ms' | 'p99Ms'
type Samples = Interleaved<AwaitedResult>

const values = ({ samples }: Samples, id: string, measure: Measure): (number | undefined)[] =>
  (samples.get(id) ?? []).map(sample => sample?.[measure])

export const latencyRatio = (samples: Samples, above: string, below: string, measure: Measure): Spread =>
  spread(pairedRatios(values(samples, above, measure), values(samples, below, measure)))

const column = (samples: Samples, id: string, measure: Measure): string =>
  figureWithRange(spread(values(samples, id, measure).filter(value => value !== undefined)))

const latencyTable = (
  title: string,
  samples: Samples,
  contenders: readonly Contender[],
  reference: string,
): Table => ({
  title,
  columns: ['client', 'idempotent', 'records/s', 'p50 ms', 'p99 ms', "its records/s to the reference's"],
  rows: contenders.map(({ id, label, idempotent, tuning }) => [
    named({ label, tuning }),
    idempotent ? 'yes' : 'no',
    column(samples, id, 'recordsPerSecond'),
    column(samples, id, 'p50Ms'),
    column(samples, id, 'p99Ms'),
    id === reference ? '' : times(latencyRatio(samples, id, reference, 'recordsPerSecond')),
  ]),
})

const PLOTTED = {
  recordsPerSecond: { title: 'Records, one awaited after the other', unit: 'records/s', better: 'higher' },
  p50Ms: { title: 'Median latency', unit: 'ms', better: 'lower' },
  p99Ms: { title: 'Latency, p99', unit: 'ms', better: 'lower' },
} as const

const plotOf = (samples: Samples, contenders: readonly Contender[], measure: Measure): Plot => ({
  ...PLOTTED[measure],
  bars: contenders.map(contender => ({
    label: named(contender),
    measured: spread(values(samples, contender.id, measure).filter(value => value !== undefined)),
    ours: isOurs(contender),
  })),
})

export interface LatencyQuestion {
  readonly question: string
  readonly title: string
  readonly contenders: readonly Contender[]
  readonly reference: Contender
  readonly gapMs: number
  readonly order: Order
  /** At least so long before anything is measured, where a client sends too little to be compiled sooner. */
  readonly warmupSeconds: number
  readonly conditions: readonly string[]
  readonly plotted: readonly Measure[]
  readonly claims: (samples: Samples) => Report['claims']
}

const measure = (
  broker: Broker,
  { gapMs, order, warmupSeconds }: LatencyQuestion,
  contenders: readonly Contender[],
  options: BenchOptions,
): Promise<Samples> =>
  interleave(
    contenders,
    options.rounds,
    async (contender, round) => {
      const { id } = contender
      const topic = `${id}-${round}`
      await createTopics(broker.bootstrap, [topic], 1)
      const work: AwaitedWork = {
        kind: 'awaited',
        topic,
        payload: { valueBytes: options.valueBytes, content: 'random', keyed: false, headers: 0 },
        gapMs,
        warmupSeconds: Math.max(warmupSeconds, options.warmupSeconds),
        seconds: options.seconds,
      }
      const sample = await contend(contender, broker.bootstrap, work)
      options.log(`round ${round}/${options.rounds}  ${id}: p50 ${sample.p50Ms.toFixed(3)} ms`)
      return sample
    },
    order,
  )

/** The common shape of the questions that await each record. */
export const compareLatency = (question: LatencyQuestion, options: BenchOptions): Promise<Report> =>
  withBroker({}, async broker => {
    const { chosen, skipped } = select(question.contenders, options.only)
    const samples = await measure(broker, question, chosen, options)
    return {
      question: question.question,
      conditions: [...commonConditions(broker, { ...options, window: 1 }), ...question.conditions],
      tables: [latencyTable(question.title, samples, chosen, question.reference.id)],
      claims: question.claims(samples),
      skipped: [...skipped, ...samples.failures],
      plots: question.plotted.map(each => plotOf(samples, chosen, each)),
    }
  })
