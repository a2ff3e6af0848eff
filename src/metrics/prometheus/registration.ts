import { types } from 'node:util'
import { InvalidOptionsError } from '../../errors/invalidOptionsError.js'
import { DEFINITIONS, type MetricDefinition, type MetricKey } from '../definitions.js'
import {
  type Counter,
  createCounter,
  createGauge,
  createHistogram,
  type Gauge,
  type Histogram,
  type Labels,
} from '../metricClasses.js'
import type { MetricsRegistry } from '../options.js'

/** One value of a gauge. */
export interface Level {
  readonly labels: Labels
  readonly value: number
}
/** What one producer reports when its registry is scraped; a gauge joins what all of them report. */
export type LevelSource = () => readonly Level[]
/** Found through the global symbol registry, so that a second copy of this package adds to the same gauge. */
const SOURCES = Symbol.for('kafkajs-resilient-producer.labelledLevels')
export type LevelGauge = Gauge & { readonly [SOURCES]: Set<LevelSource> }

type MetricOf<Type> = Type extends 'counter' ? Counter : Type extends 'gauge' ? LevelGauge : Histogram
export type MetricSet = { readonly [K in MetricKey]: MetricOf<(typeof DEFINITIONS)[K]['type']> }
type AnyMetric = MetricSet[MetricKey]

/** What prom-client keeps on a metric, of whichever copy of it. */
interface FoundMetric {
  readonly type?: unknown
  readonly labelNames?: unknown
  readonly upperBounds?: unknown
  readonly [SOURCES]?: unknown
}

const lastSets = new WeakMap<MetricsRegistry, Map<string, MetricSet>>()

/**
 * The metrics of one registry and prefix: those registered already are shared. Where the registry was cleared, those
 * that a running producer still reports to come back, so that it does not go on unseen; otherwise new ones begin at 0.
 *
 * @throws {InvalidOptionsError} naming every metric that something else registered under one of the names
 */
export const obtainMetrics = (registry: MetricsRegistry, prefix: string, labelling: Labelling): MetricSet => {
  const names = Object.keys(DEFINITIONS) as MetricKey[]
  const found = new Map<MetricKey, AnyMetric>()
  const clashes: string[] = []
  const former = formerSet(registry, prefix)
  for (const key of names) {
    const definition: MetricDefinition = DEFINITIONS[key]
    const existing = registry.getSingleMetric(prefix + definition.name) as FoundMetric | undefined
    const candidate: FoundMetric | undefined =
      existing ?? (former && isRunning(former) ? (former[key] as FoundMetric) : undefined)
    const difference = candidate && differenceOf(candidate, definition, labelling)
    if (candidate && difference === undefined) found.set(key, candidate as AnyMetric)
    else if (existing)
      clashes.push(`the metric ${prefix}${definition.name} is registered already, ${difference}`)
  }
  if (clashes.length > 0) {
    throw new InvalidOptionsError(
      clashes.map(
        clash =>
          `metrics: ${clash}. Give another metrics.prefix or metrics.registry; producers that share metrics need the same metrics.topicLabel ('off' or not), metrics.topicMetrics and metrics.clientId (given or not)`,
      ),
    )
  }

  const result: Record<string, AnyMetric> = {}
  for (const key of names) {
    const name = prefix + DEFINITIONS[key].name
    const metric = found.get(key) ?? create(registry, name, DEFINITIONS[key], labelling)
    if (registry.getSingleMetric(name) === undefined) {
      // An OpenMetrics scrape strips `_total` from the name of a counter, and the registry files it under that.
      registry.registerMetric(Object.assign(metric, { name }) as never)
    }
    result[key] = metric
  }
  const set = result as unknown as MetricSet
  rememberSet(registry, prefix, set)
  return set
}

/** Registers metrics that a cleared registry does not have any more: what still reports to them goes on being seen. */
export const restore = (registry: MetricsRegistry, prefix: string, metrics: MetricSet): void => {
  for (const key of Object.keys(DEFINITIONS) as MetricKey[]) {
    const name = prefix + DEFINITIONS[key].name
    if (registry.getSingleMetric(name) !== undefined) continue
    registry.registerMetric(Object.assign(metrics[key], { name }) as never)
  }
}

/** Adds a producer's part to a gauge; returns what takes it away again. */
export const addLevel = (gauge: LevelGauge, source: LevelSource): (() => void) => {
  gauge[SOURCES].add(source)
  return () => void gauge[SOURCES].delete(source)
}

const isRunning = (set: MetricSet): boolean => set.bufferedRecords[SOURCES].size > 0

const formerSet = (registry: MetricsRegistry, prefix: string): MetricSet | undefined =>
  lastSets.get(registry)?.get(prefix)

const rememberSet = (registry: MetricsRegistry, prefix: string, set: MetricSet): void => {
  const byPrefix = lastSets.get(registry) ?? new Map<string, MetricSet>()
  lastSets.set(registry, byPrefix.set(prefix, set))
}

/** Which labels the metrics have beside their own. */
export interface Labelling {
  /** The metrics with the label `topic`, by name without prefix. */
  readonly topicMetrics: ReadonlySet<string>
  /** Whether there is a label `client_id`. */
  readonly hasClientId: boolean
}

const labelNamesOf = ({ name, labels }: MetricDefinition, labelling: Labelling): string[] => [
  ...(labelling.hasClientId ? ['client_id'] : []),
  ...(labelling.topicMetrics.has(name) ? ['topic'] : []),
  ...labels,
]

const create = (
  registry: MetricsRegistry,
  name: string,
  definition: MetricDefinition,
  labelling: Labelling,
): AnyMetric => {
  const configuration = {
    name,
    help: definition.help,
    labelNames: labelNamesOf(definition, labelling),
    registry,
  }
  switch (definition.type) {
    case 'counter':
      return createCounter(configuration)
    case 'histogram':
      return createHistogram(configuration, definition.buckets ?? [])
    case 'gauge': {
      const sources = new Set<LevelSource>()
      const gauge = createGauge({ ...configuration, aggregator: definition.combine }, () =>
        joined(sources, definition),
      )
      return Object.defineProperty(gauge, SOURCES, { value: sources }) as LevelGauge
    }
  }
}

/** What the producers report, joined by labels. */
const joined = (sources: Iterable<LevelSource>, { combine }: MetricDefinition): readonly Level[] => {
  const byLabels = new Map<string, { labels: Labels; value: number }>()
  for (const source of sources) {
    for (const { labels, value } of source()) {
      const key = JSON.stringify(Object.values(labels))
      const known = byLabels.get(key)
      if (known === undefined) byLabels.set(key, { labels, value })
      else known.value = combine === 'max' ? Math.max(known.value, value) : known.value + value
    }
  }
  return [...byLabels.values()]
}

/** Why a metric found under the name cannot be reported to. */
const differenceOf = (
  metric: FoundMetric,
  definition: MetricDefinition,
  labelling: Labelling,
): string | undefined => {
  const labels = labelNamesOf(definition, labelling)
  if (metric.type !== definition.type) return `as a ${String(metric.type)} instead of a ${definition.type}`
  if (!sameMembers(metric.labelNames, labels)) {
    return `with the labels [${listed(metric.labelNames)}] instead of [${labels.join(', ')}]`
  }
  if (definition.buckets && !sameMembers(metric.upperBounds, definition.buckets)) return 'with other buckets'
  if (definition.type === 'gauge' && !types.isSet(metric[SOURCES])) return 'by other code'
  return undefined
}

const sameMembers = (found: unknown, expected: readonly unknown[]): boolean =>
  Array.isArray(found) && found.length === expected.length && expected.every(each => found.includes(each))

const listed = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : '')
