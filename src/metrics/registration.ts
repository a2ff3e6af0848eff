import { types } from 'node:util'
import { InvalidOptionsError } from '../errors/invalidOptionsError.js'
import { DEFINITIONS, type MetricDefinition, type MetricKey } from './definitions.js'
import {
  type Counter,
  createCounter,
  createGauge,
  createHistogram,
  type Gauge,
  type Histogram,
} from './metricClasses.js'
import type { MetricsRegistry } from './options.js'

/** A gauge is the sum of what the producers on its registry report when it is scraped. */
export type LevelSource = () => number
/** Found through the global symbol registry, so that a second copy of this package adds to the same gauge. */
const SOURCES = Symbol.for('kafkajs-resilient-producer.levels')
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
export const obtainMetrics = (registry: MetricsRegistry, prefix: string, topicLabels: boolean): MetricSet => {
  const names = Object.keys(DEFINITIONS) as MetricKey[]
  const found = new Map<MetricKey, AnyMetric>()
  const clashes: string[] = []
  const former = formerSet(registry, prefix)
  for (const key of names) {
    const definition: MetricDefinition = DEFINITIONS[key]
    const existing = registry.getSingleMetric(prefix + definition.name) as FoundMetric | undefined
    const candidate: FoundMetric | undefined =
      existing ?? (former && isRunning(former) ? (former[key] as FoundMetric) : undefined)
    const difference = candidate && differenceOf(candidate, definition, topicLabels)
    if (candidate && difference === undefined) found.set(key, candidate as AnyMetric)
    else if (existing)
      clashes.push(`the metric ${prefix}${definition.name} is registered already, ${difference}`)
  }
  if (clashes.length > 0) {
    throw new InvalidOptionsError(
      clashes.map(
        clash =>
          `metrics: ${clash}. Give another metrics.prefix or metrics.registry; producers that share metrics need the same metrics.topicLabel, 'off' or not`,
      ),
    )
  }

  const result: Record<string, AnyMetric> = {}
  for (const key of names) {
    const name = prefix + DEFINITIONS[key].name
    const metric = found.get(key) ?? create(registry, name, DEFINITIONS[key], topicLabels)
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

const labelNamesOf = (definition: MetricDefinition, topicLabels: boolean): string[] =>
  topicLabels && definition.perTopic ? ['topic', ...definition.labels] : [...definition.labels]

const create = (
  registry: MetricsRegistry,
  name: string,
  definition: MetricDefinition,
  topicLabels: boolean,
): AnyMetric => {
  const configuration = {
    name,
    help: definition.help,
    labelNames: labelNamesOf(definition, topicLabels),
    registry,
  }
  switch (definition.type) {
    case 'counter':
      return createCounter(configuration)
    case 'histogram':
      return createHistogram(configuration, definition.buckets ?? [])
    case 'gauge': {
      const sources = new Set<LevelSource>()
      const gauge = createGauge(configuration, () =>
        [...sources].reduce((total, source) => total + source(), 0),
      )
      return Object.defineProperty(gauge, SOURCES, { value: sources }) as LevelGauge
    }
  }
}

/** Why a metric found under the name cannot be reported to. */
const differenceOf = (
  metric: FoundMetric,
  definition: MetricDefinition,
  topicLabels: boolean,
): string | undefined => {
  const labels = labelNamesOf(definition, topicLabels)
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
