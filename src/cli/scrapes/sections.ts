import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  plural,
  printable,
} from '../terminal/format.js'
import type { Column, TableText } from '../terminal/table.js'
import { ALL, type CounterKey, type Figures } from './figures.js'

/** A part of what `top` and `report` show: a table, or nothing where there is nothing to tell. */
export interface Section extends TableText {
  readonly title: string
}

/** Of a label's value, which is whatever the service says. characters */
const MAX_NAME = 249
const NOT_KNOWN = '–'

const left = (title: string): Column => ({ title, align: 'left' })
const right = (title: string, dropped = 0): Column => ({ title, align: 'right', dropped })

export const rateText = (perSecond: number | undefined): string =>
  perSecond === undefined ? NOT_KNOWN : formatRate(perSecond)

/** @param seconds Infinity: beyond the last bucket */
export function secondsText(seconds: number | undefined): string {
  if (seconds === undefined) return NOT_KNOWN
  return seconds === Infinity ? '> 2 min' : formatDuration(seconds * 1000)
}

export const nameText = (name: string): string => printable(name, MAX_NAME)

/** Everything that has rows, what is wrong first. */
export const sectionsOf = (figures: Figures): Section[] =>
  [
    waits(figures),
    byReason(figures, 'recordsFailed', 'error', 'FAILED WITH'),
    byReason(figures, 'recordRetries', 'reason', 'RETRIED AFTER'),
    byReason(figures, 'metadataRetries', 'error', 'TOPICS ASKED AGAIN AFTER', 'times'),
    topics(figures),
    brokers(figures),
    clients(figures),
  ].filter(({ rows }) => rows.length > 0)

function waits(figures: Figures): Section {
  const rows = [...figures.levels('recordsWaiting', 'for')]
    .filter(([, records]) => records > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, records]) => [nameText(kind), formatCount(records)])
  return { title: 'WAITING', columns: [left('WAITING FOR'), right('records')], rows }
}

function byReason(
  figures: Figures,
  counter: CounterKey,
  label: string,
  title: string,
  what = 'records',
): Section {
  const rates = figures.rates(counter, label)
  const rows = [...figures.totals(counter, label)]
    .filter(([, total]) => total > 0)
    .map(([reason, total]) => ({ reason, total, rate: rates.get(reason) }))
    .sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || b.total - a.total)
    .map(({ reason, total, rate }) => [nameText(reason), rateText(rate), formatCount(total)])
  return { title, columns: [left(title), right(`${what}/s`), right(what)], rows }
}

function topics(figures: Figures): Section {
  const byTopic = figures.by('topic')
  const all: [string, Figures][] = byTopic.size > 0 ? [...byTopic] : [[ALL, figures]]
  const rows = all
    .map(([topic, its]) => ({
      topic: topic === ALL ? 'all topics' : nameText(topic),
      sent: its.rate('recordsSent'),
      failed: its.rate('recordsFailed'),
      retried: its.rate('recordRetries'),
      quantiles: its.quantiles('deliverySeconds', [0.5, 0.99]).map(secondsText),
      totals: (['recordsSent', 'recordsFailed', 'recordRetries'] as const).map(each => its.total(each)),
    }))
    .sort(
      (a, b) =>
        (b.failed ?? 0) - (a.failed ?? 0) ||
        (b.sent ?? 0) + (b.retried ?? 0) - (a.sent ?? 0) - (a.retried ?? 0) ||
        b.totals[0]! - a.totals[0]!,
    )
    .map(({ topic, sent, failed, retried, quantiles, totals }) => [
      topic,
      ...[sent, failed, retried].map(rateText),
      ...quantiles,
      ...totals.map(formatCount),
    ])
  return {
    title: 'TOPICS',
    columns: [
      left('TOPIC'),
      right('acked/s'),
      right('failed/s'),
      right('retried/s', 1),
      right('p50', 3),
      right('p99', 2),
      right('acked', 4),
      right('failed', 5),
      right('retried', 6),
    ],
    rows,
  }
}

function brokers(figures: Figures): Section {
  const rows = [...figures.by('broker')]
    .sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1))
    .map(([broker, its]) => {
      const outcomes = its.totals('connects', 'outcome')
      const throttled = its.rate('throttleSeconds')
      return [
        nameText(broker),
        rateText(its.observed('requestSeconds')),
        ...its.quantiles('requestSeconds', [0.5, 0.99]).map(secondsText),
        formatCount(its.level('connections') ?? 0),
        formatCount(outcomes.get('failed') ?? 0),
        formatCount(outcomes.get('authentication_failed') ?? 0),
        formatCount(its.total('requestsLost')),
        throttled === undefined ? NOT_KNOWN : `${Math.round(throttled * 100)} %`,
      ]
    })
  return {
    title: 'BROKERS',
    columns: [
      left('BROKER'),
      right('requests/s', 5),
      right('p50', 6),
      right('p99'),
      right('connections', 4),
      right('not connected', 1),
      right('login refused', 2),
      right('lost', 3),
      right('throttled', 3),
    ],
    rows,
  }
}

function clients(figures: Figures): Section {
  const byClient = [...figures.by('client_id')]
  const rows =
    byClient.length < 2
      ? []
      : byClient
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([client, its]) => [
            nameText(client),
            rateText(its.rate('recordsSent')),
            rateText(its.rate('recordsFailed')),
            formatCount(its.level('recordsWaiting') ?? 0),
            secondsText(its.level('oldestRecordSeconds')),
            bufferText(its),
          ])
  return {
    title: 'CLIENTS',
    columns: [
      left('CLIENT'),
      right('acked/s'),
      right('failed/s'),
      right('waiting'),
      right('oldest', 1),
      right('buffer', 2),
    ],
    rows,
  }
}

/** `38 % of 64.0 MiB` */
export function bufferText(figures: Figures): string {
  const limit = figures.level('bufferLimitBytes') ?? 0
  if (limit === 0) return 'no producer is connected'
  return `${Math.round(bufferShare(figures) * 100)} % of ${formatBytes(limit)}`
}

/** The part of the buffer that is used, 0 to 1. */
export function bufferShare(figures: Figures): number {
  const limit = figures.level('bufferLimitBytes') ?? 0
  return limit === 0 ? 0 : (figures.level('bufferedBytes') ?? 0) / limit
}

/** What waits, in words; undefined: nothing does. */
export function waitingText(figures: Figures): string | undefined {
  const records = figures.level('recordsWaiting') ?? 0
  const topicsWaiting = figures.level('topicsWaiting') ?? 0
  const leaderless = figures.level('partitionsWithoutLeader') ?? 0
  const parts = [
    ...(records > 0 ? [plural(records, 'record')] : []),
    ...(topicsWaiting > 0 ? [plural(topicsWaiting, 'missing topic')] : []),
    ...(leaderless > 0 ? [plural(leaderless, 'partition without leader', 'partitions without leader')] : []),
  ]
  return parts.length === 0 ? undefined : parts.join(' · ')
}
