import type { Figures } from '../../scrapes/figures.js'
import { bufferShare, nameText, secondsText } from '../../scrapes/sections.js'
import { formatCount, formatRate } from '../../terminal/format.js'

/** The values of a chart's lines at one time, by their names. */
export type Reading = ReadonlyMap<string, number | undefined>

/** One chart of the report: what it shows, and what it reads of each scrape. */
export interface ChartSpec {
  readonly title: string
  readonly note: string
  readonly format: (value: number) => string
  readonly leastStep?: number
  readonly read: (figures: Figures) => Reading
}

/** Beyond the last bucket of a histogram there is no number: its bound is drawn. */
const LAST_BOUND_S = 120
const drawable = (seconds: number | undefined): number | undefined =>
  seconds === Infinity ? LAST_BOUND_S : seconds

/** `38 %`, `0.12 %` */
const shareText = (share: number): string => `${Number((share * 100).toPrecision(2))} %`

const named = (
  values: ReadonlyMap<string, number | undefined>,
  before = '',
): [string, number | undefined][] => [...values].map(([name, value]) => [`${before}${nameText(name)}`, value])

const QUANTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
] as const

export const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Records',
    note: 'per second',
    format: formatRate,
    read: figures =>
      new Map([
        ['acknowledged', figures.rate('recordsSent')],
        ['failed', figures.rate('recordsFailed')],
        ['retried', figures.rate('recordRetries')],
      ]),
  },
  {
    title: 'Failures',
    note: 'records per second, by the error with which they ended',
    format: formatRate,
    read: figures => new Map(named(figures.rates('recordsFailed', 'error'))),
  },
  {
    title: 'Retries',
    note: 'records sent again per second, by the reason',
    format: formatRate,
    read: figures => new Map(named(figures.rates('recordRetries', 'reason'))),
  },
  {
    title: 'Waits',
    note: 'records that something holds up, by what they wait for',
    format: formatCount,
    leastStep: 1,
    read: figures => new Map(named(figures.levels('recordsWaiting', 'for'))),
  },
  {
    title: 'Oldest record',
    note: 'age of the oldest record that has not ended',
    format: secondsText,
    read: figures => new Map([['oldest record', figures.level('oldestRecordSeconds')]]),
  },
  {
    title: 'Delivery',
    note: 'from the call to the acknowledgement of its batch',
    format: secondsText,
    read: figures => {
      const values = figures.quantiles(
        'deliverySeconds',
        QUANTILES.map(([, quantile]) => quantile),
      )
      return new Map(QUANTILES.map(([name], at) => [name, drawable(values[at])]))
    },
  },
  {
    title: 'Where the time goes',
    note: 'p99 of each part',
    format: secondsText,
    read: figures =>
      new Map(
        (
          [
            ['in the queue', 'queueSeconds'],
            ['produce requests', 'requestSeconds'],
            ['waits for topics', 'topicWaitSeconds'],
            ['waits for buffer space', 'bufferWaitSeconds'],
            ['metadata requests', 'metadataRefreshSeconds'],
          ] as const
        ).map(([name, histogram]) => [name, drawable(figures.quantiles(histogram, [0.99])[0])]),
      ),
  },
  {
    title: 'Brokers: latency',
    note: 'p99 of produce requests, by broker',
    format: secondsText,
    read: figures =>
      new Map(
        [...figures.by('broker')].map(([broker, its]) => [
          `broker ${nameText(broker)}`,
          drawable(its.quantiles('requestSeconds', [0.99])[0]),
        ]),
      ),
  },
  {
    title: 'Brokers: trouble',
    note: 'per second: connections that failed, logins that were refused, requests without an answer',
    format: formatRate,
    read: figures =>
      new Map(
        [...figures.by('broker')].flatMap(([broker, its]) => {
          const outcomes = its.rates('connects', 'outcome')
          const name = `broker ${nameText(broker)}`
          return [
            [`${name} not connected`, outcomes.get('failed')],
            [`${name} login refused`, outcomes.get('authentication_failed')],
            [`${name} requests lost`, its.rate('requestsLost')],
          ] as const
        }),
      ),
  },
  {
    title: 'Brokers: throttled',
    note: 'share of the time for which a quota holds requests back',
    format: shareText,
    read: figures => new Map(named(figures.rates('throttleSeconds', 'broker'), 'broker ')),
  },
  {
    title: 'Buffer',
    note: 'share of bufferBytes in use',
    format: shareText,
    read: figures => new Map([['in use', bufferShare(figures)]]),
  },
  {
    title: 'Topics',
    note: 'records acknowledged per second, by topic',
    format: formatRate,
    read: figures => {
      const rates = figures.rates('recordsSent', 'topic')
      // Without the label there is one sum, which the first chart shows.
      return new Map(figures.by('topic').size > 0 ? named(rates) : [])
    },
  },
  {
    title: 'Missing topics',
    note: 'topics that records wait for, and partitions without a leader',
    format: formatCount,
    leastStep: 1,
    read: figures =>
      new Map([
        ['topics waited for', figures.level('topicsWaiting')],
        ['partitions without leader', figures.level('partitionsWithoutLeader')],
      ]),
  },
  {
    title: 'Topics asked for again',
    note: 'times per second, by what was answered',
    format: formatRate,
    read: figures => new Map(named(figures.rates('metadataRetries', 'error'))),
  },
]
