import { DEFINITIONS } from '../../metrics/definitions.js'
import type { Sample } from './exposition.js'

/** One series of a producer's metrics, at the time of a scrape. */
export interface Series {
  /** The sample's name without the prefix, such as `request_seconds_bucket`. */
  readonly metric: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

/** What a scrape says of producers. */
export interface Snapshot {
  /** When it was taken, on the clock of whoever took it. ms */
  readonly atMs: number
  /** By name and labels. */
  readonly series: ReadonlyMap<string, Series>
  /** The newest time that its samples carry. ms since the epoch; undefined: they carry none */
  readonly stampMs: number | undefined
  /** Since when the service's process runs, where its registry says so (`process_start_time_seconds`). */
  readonly processStart: number | undefined
}

/** Why a text of metrics cannot be used, with what to do about it. */
export class NoProducerError extends Error {
  override name = 'NoProducerError'
}

/** 1,000 topics with all their series are 105,000. */
const MAX_SERIES = 200_000

/** The names of samples without prefix, by the types that have several per series. */
const SAMPLE_NAMES: readonly string[] = Object.values(DEFINITIONS).flatMap(({ name, type }) =>
  type === 'histogram' ? ['bucket', 'sum', 'count'].map(part => `${name}_${part}`) : [name],
)
/** Every registry with a producer has these two from the start, and nobody else's metrics end so. */
const SIGNS = [DEFINITIONS.producerIds.name, DEFINITIONS.transactionsBegun.name] as const

interface Split {
  readonly prefix: string
  readonly metric: string
}

/** The longest name of this package that the sample's name ends with. */
function split(name: string): Split | undefined {
  let metric = ''
  for (const each of SAMPLE_NAMES) if (each.length > metric.length && name.endsWith(each)) metric = each
  return metric === '' ? undefined : { prefix: name.slice(0, -metric.length), metric }
}

/**
 * The series of producers among a service's metrics.
 *
 * @param prefix the option `metrics.prefix` of the producers that count; undefined: whatever it is
 * @throws {NoProducerError} when there are none
 */
export function snapshotOf(samples: Iterable<Sample>, atMs: number, prefix?: string): Snapshot {
  const splits = new Map<string, Split | undefined>()
  const found = new Map<string, Series & Split>()
  let processStart: number | undefined
  let stampMs: number | undefined
  for (const { name, labels, value, timestampMs } of samples) {
    if (name === 'process_start_time_seconds') processStart = value
    if (!splits.has(name)) splits.set(name, split(name))
    const its = splits.get(name)
    if (its === undefined || (prefix !== undefined && its.prefix !== prefix)) continue
    if (timestampMs !== undefined) stampMs = Math.max(stampMs ?? -Infinity, timestampMs)
    found.set(identityOf(name, labels), { ...its, labels, value })
    if (found.size > MAX_SERIES) throw new NoProducerError(TOO_MANY)
  }
  const prefixes = prefixesOf([...splits.values()].filter(each => each !== undefined))
  if (prefix === undefined ? prefixes.size === 0 : !prefixes.has(prefix))
    throw new NoProducerError(noneText(prefix, prefixes))
  const series = new Map([...found].filter(([, each]) => prefixes.has(each.prefix)))
  return { atMs, series, stampMs, processStart }
}

/** No name of a label, and no name of a metric that is read, has such a character. */
const SEPARATOR = '\u0000'

/** Services write a series' labels in one order, each time. */
function identityOf(name: string, labels: ReadonlyMap<string, string>): string {
  let identity = name
  for (const [label, value] of labels) identity += `${SEPARATOR}${label}=${JSON.stringify(value)}`
  return identity
}

function prefixesOf(splits: readonly Split[]): ReadonlySet<string> {
  const [first, second] = SIGNS.map(
    sign => new Set(splits.filter(({ metric }) => metric === sign).map(each => each.prefix)),
  ) as [Set<string>, Set<string>]
  return new Set([...first].filter(each => second.has(each)))
}

const TOO_MANY = `more than ${MAX_SERIES} series of producers: set metrics.topicMetrics or metrics.maxTopics (docs/metrics.md)`

function noneText(prefix: string | undefined, others: ReadonlySet<string>): string {
  if (prefix !== undefined && others.size > 0)
    return `no producer has the prefix ${prefix}: leave --prefix out, or give ${[...others].join(' or ')}`
  return 'it has no metrics of a producer: give the producer the option metrics: { registry }, with the registry that is served there'
}
