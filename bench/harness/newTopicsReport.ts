import type { NewTopicsResult } from '../work/newTopics.js'
import * as contenders from './contender.js'
import { figure, figureWithRange, type Table } from './format.js'
import type { Interleaved } from './interleave.js'
import type { Claim, Plot } from './report.js'
import { median, pairedRatios, spread } from './stats.js'

/** What was measured of new topics, as tables and claims. */

/** One send to each of so many new topics. */
export const SIZES = [50, 300, 1000]
/** First sends to so many topics that are there already. */
export const EXISTING = 1000
/** One send to each of so many topics that are never created. */
export const MISSING = 20
export const BURST_VALUE_BYTES = 1024

/** Many records to each of many new topics. */
export interface Burst {
  readonly topics: number
  readonly records: number
  readonly cluster: 'kafka' | 'embedded'
}

export type Sample = NewTopicsResult & { readonly onBroker: number }
type Contender = contenders.Contender

export const of = <S extends NewTopicsResult>(measured: Interleaved<S> | undefined, { id }: Contender): S[] =>
  (measured?.samples.get(id) ?? []).filter(sample => sample !== undefined)

const newTopicsTable = (
  title: string,
  topics: number,
  measured: Interleaved<NewTopicsResult>,
  chosen: readonly Contender[],
  alone: readonly (number | undefined)[] = [],
): Table => ({
  title,
  columns: [
    'client',
    'delivered',
    'lost',
    'seconds',
    'longest stall ms',
    'CPU ms per topic',
    'metadata requests',
    'runs',
    'an error',
  ],
  rows: [
    ...chosen.map(contender => rowOf(contender, topics, of(measured, contender))),
    ...(alone.length > 0 ? [aloneRow(alone)] : []),
  ],
})

const aloneRow = (alone: readonly (number | undefined)[]): string[] => {
  const seconds = alone.filter(each => each !== undefined)
  return [
    'the broker alone',
    '',
    '',
    figureWithRange(spread(seconds)),
    '',
    '',
    '',
    String(seconds.length),
    '',
  ]
}

const rowOf = (contender: Contender, topics: number, all: readonly NewTopicsResult[]): string[] => {
  const requests = all.flatMap(({ metadataRequests }) => metadataRequests ?? [])
  return [
    contender.label,
    figure(median(all.map(sample => sample.delivered))),
    figureWithRange(spread(all.map(({ failed, unended }) => failed + unended))),
    figureWithRange(spread(all.map(({ seconds }) => seconds))),
    figureWithRange(spread(all.map(({ longestStallMs }) => longestStallMs))),
    figureWithRange(spread(all.map(({ cpuMs }) => cpuMs / topics))),
    requests.length === 0 ? 'not told' : figureWithRange(spread(requests)),
    String(all.length),
    all.find(({ error }) => error)?.error ?? '',
  ]
}

const missingTable = (measured: Interleaved<Sample>, chosen: readonly Contender[]): Table => ({
  title: MISSING_TITLE,
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

const burstTitle = ({ topics, records, cluster }: Burst): string =>
  `${topics.toLocaleString('en-US')} new topics, ${records} send() each of ${BURST_VALUE_BYTES} bytes, none awaited` +
  (cluster === 'embedded' ? ', on the embedded cluster' : '')

/** `note`: what a run did not bring about, or else what it did. */
const secondsPlot = (
  title: string,
  measured: Interleaved<NewTopicsResult>,
  chosen: readonly Contender[],
  note: (all: readonly NewTopicsResult[]) => string | undefined,
): Plot => ({
  title,
  unit: 's',
  better: 'lower',
  bars: chosen.map(contender => {
    const all = of(measured, contender)
    const noted = all.length === 0 ? undefined : note(all)
    return {
      label: contender.label,
      measured: spread(all.map(sample => sample.seconds)),
      ours: contenders.isOurs(contender),
      ...(noted === undefined ? {} : { note: noted }),
    }
  }),
})

const missed =
  (records: number) =>
  (all: readonly NewTopicsResult[]): string | undefined => {
    const delivered = median(all.map(sample => sample.delivered))
    return delivered === records ? undefined : `${figure(delivered)} of ${figure(records)} written`
  }

const newTopicsTitle = (count: number): string =>
  `${count.toLocaleString('en-US')} new topics, one send() each, all at once`
const EXISTING_TITLE = `${EXISTING.toLocaleString('en-US')} existing topics, one send() each, all at once`
const MISSING_TITLE = `${MISSING} missing topics, one send() each, auto-creation off: until the last error`

export interface NewTopicsMeasured {
  readonly chosen: readonly Contender[]
  readonly bursting: readonly Contender[]
  readonly byCount: ReadonlyMap<number, Interleaved<Sample>>
  readonly alone: ReadonlyMap<number, readonly (number | undefined)[]>
  readonly existing: Interleaved<Sample>
  readonly bursts: ReadonlyMap<Burst, Interleaved<NewTopicsResult>>
  readonly missing: Interleaved<Sample>
}

export const newTopicsTables = ({
  chosen,
  bursting,
  byCount,
  alone,
  existing,
  bursts,
  missing,
}: NewTopicsMeasured): Table[] => [
  ...SIZES.map(count =>
    newTopicsTable(newTopicsTitle(count), count, byCount.get(count)!, chosen, alone.get(count)),
  ),
  newTopicsTable(EXISTING_TITLE, EXISTING, existing, chosen),
  ...[...bursts].map(([burst, measured]) =>
    newTopicsTable(burstTitle(burst), burst.topics, measured, bursting),
  ),
  missingTable(missing, chosen),
]

/** First those of the README's table. */
export const newTopicsPlots = ({
  chosen,
  bursting,
  byCount,
  existing,
  bursts,
  missing,
}: NewTopicsMeasured): Plot[] => [
  ...SIZES.map(count => secondsPlot(newTopicsTitle(count), byCount.get(count)!, chosen, missed(count))),
  secondsPlot(MISSING_TITLE, missing, chosen, all =>
    all.every(({ errorsNameTopic }) => errorsNameTopic) ? 'each error names its topic' : undefined,
  ),
  secondsPlot(EXISTING_TITLE, existing, chosen, missed(EXISTING)),
  ...[...bursts].map(([burst, measured]) =>
    secondsPlot(burstTitle(burst), measured, bursting, missed(burst.topics * burst.records)),
  ),
]

const figuresOf = (
  measured: Interleaved<NewTopicsResult> | undefined,
  { id }: Contender,
  pick: (sample: NewTopicsResult) => number,
): (number | undefined)[] =>
  (measured?.samples.get(id) ?? []).map(sample => (sample === undefined ? undefined : pick(sample)))

const seconds = (
  measured: Interleaved<NewTopicsResult> | undefined,
  contender: Contender,
): (number | undefined)[] => figuresOf(measured, contender, sample => sample.seconds)

const cpu = (
  measured: Interleaved<NewTopicsResult> | undefined,
  contender: Contender,
): (number | undefined)[] => figuresOf(measured, contender, sample => sample.cpuMs)

/** Of the headline: one send to each new topic. */
export const speedClaims = (
  byCount: ReadonlyMap<number, Interleaved<Sample>>,
  existing: Interleaved<Sample>,
  alone: ReadonlyMap<number, readonly (number | undefined)[]>,
): Claim[] => {
  const [ours, librdkafka] = [contenders.OURS_METRICS, contenders.CONFLUENT]
  const ratio = (what: string, ratios: readonly number[], bar: number, goal: number): Claim => ({
    what,
    measured: ratios.length === 0 ? undefined : spread(ratios),
    unit: 'x',
    better: 'lower',
    bar,
    goal,
  })
  const cpuRatio = (measured: Interleaved<Sample> | undefined): number[] =>
    pairedRatios(cpu(measured, ours), cpu(measured, librdkafka))
  return [
    ...SIZES.flatMap(count => {
      const measured = byCount.get(count)
      const own = seconds(measured, ours)
      return [
        ratio(
          `${count} topics: ours to librdkafka's seconds`,
          pairedRatios(own, seconds(measured, librdkafka)),
          0.9,
          0.7,
        ),
        ratio(`${count} topics: ours to librdkafka's CPU`, cpuRatio(measured), 1, 0.7),
        ratio(
          `${count} topics: ours to the broker alone, seconds`,
          pairedRatios(own, alone.get(count) ?? []),
          1.2,
          1.1,
        ),
      ]
    }),
    ratio(`${EXISTING} existing topics: ours to librdkafka's CPU`, cpuRatio(existing), 1, 0.7),
  ]
}

/** Of many records to each new topic. */
export const burstClaims = (bursts: ReadonlyMap<Burst, Interleaved<NewTopicsResult>>): Claim[] => {
  const ours = contenders.OURS_METRICS
  const all = [...bursts.values()].flatMap(measured => of(measured, ours))
  const perRecord = (records: number): (number | undefined)[] => {
    const [burst, measured] =
      [...bursts].find(([each]) => each.topics === 1000 && each.records === records) ?? []
    return seconds(measured, ours).map(each =>
      each === undefined || burst === undefined ? undefined : each / (burst.topics * burst.records),
    )
  }
  return [
    {
      what: 'bursts: records of ours without a good end, worst run',
      measured:
        all.length === 0 ? undefined : spread([Math.max(...all.map(each => each.failed + each.unended))]),
      unit: '',
      better: 'lower',
      bar: 0,
      goal: 0,
    },
    {
      what: '1,000 x 100 to 1,000 x 30, time per record',
      measured: spread(pairedRatios(perRecord(100), perRecord(30))),
      unit: 'x',
      better: 'lower',
      bar: 1.5,
      goal: 1.1,
    },
    {
      what: 'bursts: longest stall of the event loop, worst run',
      measured: all.length === 0 ? undefined : spread([Math.max(...all.map(each => each.longestStallMs))]),
      unit: 'ms',
      better: 'lower',
      bar: 100,
      goal: 50,
    },
  ]
}
