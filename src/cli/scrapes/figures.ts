import { DEFINITIONS, type MetricKey } from '../../metrics/definitions.js'
import { quantileOf } from './quantile.js'
import type { Series, Snapshot } from './snapshot.js'

/** One series, and how it changed since the scrape before. */
export interface Entry extends Series {
  /** Its name and labels. */
  readonly identity: string
  readonly isGauge: boolean
  /** By how much it grew; undefined for a gauge, and where there was no scrape before. */
  readonly increase: number | undefined
  readonly perSecond: number | undefined
}

/**
 * How each series changed from one scrape of a service to the next. A counter that went back began anew, as after a restart; one
 * that was not there began at 0.
 */
export function changeBetween(before: Snapshot | undefined, now: Snapshot): Entry[] {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000
  return [...now.series].map(([identity, each]) => {
    const isGauge = GAUGES.has(each.metric)
    if (before === undefined || !(seconds > 0) || isGauge)
      return { ...each, identity, isGauge, increase: undefined, perSecond: undefined }
    const former = before.series.get(identity)?.value ?? 0
    const increase = each.value >= former ? each.value - former : each.value
    return { ...each, identity, isGauge, increase, perSecond: increase / seconds }
  })
}

/** Whether a counter went back. */
export const hasRestarted = (before: Snapshot, now: Snapshot): boolean =>
  [...now.series].some(
    ([identity, { metric, value }]) =>
      !GAUGES.has(metric) && value < (before.series.get(identity)?.value ?? 0),
  )

const GAUGES: ReadonlySet<string> = new Set(
  Object.values(DEFINITIONS)
    .filter(({ type }) => type === 'gauge')
    .map(({ name }) => name),
)

type KeysOf<Type> = {
  [K in MetricKey]: (typeof DEFINITIONS)[K]['type'] extends Type ? K : never
}[MetricKey]
export type CounterKey = KeysOf<'counter'>
export type GaugeKey = KeysOf<'gauge'>
export type HistogramKey = KeysOf<'histogram'>

/** The value of a label where a series has none: all topics together, for example. */
export const ALL = ''

/** Questions to the series of one or more services. */
export class Figures {
  private readonly byMetric = new Map<string, Entry[]>()

  constructor(entries: Iterable<Entry>) {
    for (const entry of entries) {
      const its = this.byMetric.get(entry.metric)
      if (its === undefined) this.byMetric.set(entry.metric, [entry])
      else its.push(entry)
    }
  }

  /** The counter's sum since its producers began. */
  total(counter: CounterKey): number {
    return sum(this.of(counter).map(each => each.value))
  }

  /** Per second; undefined after a single scrape. */
  rate(counter: CounterKey): number | undefined {
    return rateOf(this.of(counter))
  }

  /** The gauge of all producers, joined as the gauge says: the sum or the largest. Undefined: no producer runs. */
  level(gauge: GaugeKey): number | undefined {
    const values = this.of(gauge).map(each => each.value)
    if (values.length === 0) return undefined
    return DEFINITIONS[gauge].combine === 'max' ? largest(values) : sum(values)
  }

  levels(gauge: GaugeKey, label: string): Map<string, number> {
    return new Map(
      [...grouped(this.of(gauge), label)].map(([value, its]) => [value, sum(its.map(each => each.value))]),
    )
  }

  totals(counter: CounterKey, label: string): Map<string, number> {
    return new Map(
      [...grouped(this.of(counter), label)].map(([value, its]) => [value, sum(its.map(each => each.value))]),
    )
  }

  rates(counter: CounterKey, label: string): Map<string, number | undefined> {
    return new Map([...grouped(this.of(counter), label)].map(([value, its]) => [value, rateOf(its)]))
  }

  /** The series that have the label, by its values, as figures of their own. */
  by(label: string): Map<string, Figures> {
    const having = [...this.byMetric.values()].flat().filter(({ labels }) => labels.has(label))
    return new Map([...grouped(having, label)].map(([value, its]) => [value, new Figures(its)]))
  }

  /** How often per second the histogram was observed. */
  observed(histogram: HistogramKey): number | undefined {
    return rateOf(this.named(`${DEFINITIONS[histogram].name}_count`))
  }

  /**
   * Each of the quantiles of what was observed since the scrape before, in the histogram's unit; undefined where nothing was.
   *
   * @param quantiles from 0 to 1
   */
  quantiles(histogram: HistogramKey, quantiles: readonly number[]): (number | undefined)[] {
    const buckets = new Map<number, number>()
    for (const { labels, perSecond = 0 } of this.named(`${DEFINITIONS[histogram].name}_bucket`)) {
      const bound = boundOf(labels.get('le'))
      buckets.set(bound, (buckets.get(bound) ?? 0) + perSecond)
    }
    const sorted = [...buckets].sort(([a], [b]) => a - b)
    return quantiles.map(each => quantileOf(sorted, each))
  }

  private of(key: CounterKey | GaugeKey): readonly Entry[] {
    return this.named(DEFINITIONS[key].name)
  }

  private named(metric: string): readonly Entry[] {
    return this.byMetric.get(metric) ?? []
  }
}

const boundOf = (le: string | undefined): number => (le === '+Inf' ? Infinity : Number(le))
const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0)
const largest = (values: readonly number[]): number =>
  values.reduce((most, each) => Math.max(most, each), -Infinity)

function rateOf(entries: readonly Entry[]): number | undefined {
  const known = entries.filter(each => each.perSecond !== undefined)
  return known.length === 0 ? undefined : sum(known.map(each => each.perSecond!))
}

function grouped(entries: readonly Entry[], label: string): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const value = entry.labels.get(label) ?? ALL
    const group = groups.get(value)
    if (group === undefined) groups.set(value, [entry])
    else group.push(entry)
  }
  return groups
}
