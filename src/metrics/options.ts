import { InvalidOptionsError } from '../errors/invalidOptionsError.js'
import { DEFAULT_TOPIC_METRICS, TOPIC_METRICS } from './definitions.js'

/**
 * What this package needs of a prom-client `Registry`, of either content type. Structural, so that the published types
 * compile without the optional peer.
 */
export interface MetricsRegistry {
  /**
   * The metric of that name, if there is one: prom-client's own method.
   *
   * @throws never
   * @example
   * import { register } from 'prom-client'
   * register.getSingleMetric('kafka_resilient_producer_records_sent_total')
   */
  getSingleMetric(name: string): object | undefined
  /**
   * Takes a metric: prom-client's own method, called once for each metric of this package.
   *
   * @throws where another metric has the name already
   * @example
   * import { Counter, Registry } from 'prom-client'
   * new Registry().registerMetric(new Counter({ name: 'orders_total', help: 'Orders.', registers: [] }))
   */
  registerMetric(metric: never): void
}

/** Which topics stand in the label `topic`: none (the metrics have no such label), every one up to `maxTopics`, or those listed. */
export type TopicLabel = 'off' | 'all' | readonly string[]

/** The option `metrics`: which metrics there are, and where. What they mean: docs/metrics.md. */
export interface MetricsOptions {
  /**
   * The registry of prom-client. Give it in bundles, where prom-client cannot be looked for.
   *
   * @defaultValue prom-client's global `register`
   * @example
   * import { Registry } from 'prom-client'
   * const producer = createResilientProducer(kafka, { metrics: { registry: new Registry() } })
   */
  readonly registry?: MetricsRegistry | undefined
  /**
   * How the metrics' names begin. Producers that share a registry and a prefix share the metrics.
   *
   * @defaultValue 'kafka_resilient_producer_'
   */
  readonly prefix?: string | undefined
  /**
   * Which topics have a value of the label `topic`. Topics beyond `maxTopics`, or not listed, are counted as `other`.
   *
   * @defaultValue 'off'
   * @example { topicLabel: ['orders', 'payments'] }
   */
  readonly topicLabel?: TopicLabel | undefined
  /**
   * How many topics `topicLabel: 'all'` shows, per registry and prefix.
   *
   * @defaultValue 100
   */
  readonly maxTopics?: number | undefined
  /**
   * The metrics that carry the label `topic`, by their names without prefix, or `'all'` that can; the others count all topics together.
   * Each costs series per topic: see docs/recipes/metrics-cost.md.
   *
   * @defaultValue `records_sent_total`, `records_failed_total`, `records_aborted_total`, `record_retries_total`, `batches_split_total` and
   * `delivery_seconds`
   * @example { topicLabel: 'all', topicMetrics: ['records_sent_total', 'records_failed_total'] }
   */
  readonly topicMetrics?: 'all' | readonly string[] | undefined
  /**
   * The value of a label `client_id` on every metric.
   *
   * @defaultValue no such label
   */
  readonly clientId?: string | undefined
}

export interface ResolvedMetricsOptions {
  readonly registry: MetricsRegistry | undefined
  readonly prefix: string
  readonly topicLabel: TopicLabel
  readonly maxTopics: number
  readonly topicMetrics: readonly string[]
  readonly clientId: string | undefined
}

const DEFAULT_PREFIX = 'kafka_resilient_producer_'
const DEFAULT_MAX_TOPICS = 100

const NAMES: ReadonlySet<string> = new Set<keyof MetricsOptions>([
  'registry',
  'prefix',
  'topicLabel',
  'maxTopics',
  'topicMetrics',
  'clientId',
])

/** Every option that cannot work. */
export const metricsProblems = (options: unknown): readonly string[] => {
  if (typeof options !== 'object' || options === null) return ['metrics must be an object']
  const { registry, prefix, topicLabel, maxTopics, topicMetrics, clientId } = withDefaults(options)
  const unknown = Object.keys(options).filter(name => !NAMES.has(name))
  return [
    ...unknown.map(name => `metrics has no option ${JSON.stringify(name)}`),
    isRegistry(registry) ? undefined : 'metrics.registry must be a prom-client Registry',
    typeof prefix === 'string' && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix)
      ? undefined
      : `metrics.prefix must begin a metric name (letters, digits, "_" and ":"), not ${JSON.stringify(prefix)}`,
    isTopicLabel(topicLabel)
      ? undefined
      : `metrics.topicLabel must be 'off', 'all' or an array of topic names, not ${JSON.stringify(topicLabel)}`,
    Number.isSafeInteger(maxTopics) && maxTopics >= 1
      ? undefined
      : `metrics.maxTopics must be a whole number from 1 on, not ${maxTopics}`,
    isTopicMetrics(topicMetrics)
      ? undefined
      : `metrics.topicMetrics must be 'all' or an array of these: ${TOPIC_METRICS.join(', ')}`,
    clientId === undefined || typeof clientId === 'string'
      ? undefined
      : `metrics.clientId must be a string, not ${JSON.stringify(clientId)}`,
  ].filter(problem => problem !== undefined)
}

/**
 * Fills in the defaults.
 *
 * @throws {InvalidOptionsError} naming every option that cannot work
 */
export const resolveMetricsOptions = (options: MetricsOptions): ResolvedMetricsOptions => {
  const problems = metricsProblems(options)
  if (problems.length > 0) throw new InvalidOptionsError(problems)
  return withDefaults(options)
}

const withDefaults = ({
  registry,
  prefix = DEFAULT_PREFIX,
  topicLabel = 'off',
  maxTopics = DEFAULT_MAX_TOPICS,
  topicMetrics = DEFAULT_TOPIC_METRICS,
  clientId,
}: MetricsOptions): ResolvedMetricsOptions => ({
  registry,
  prefix,
  topicLabel,
  maxTopics,
  topicMetrics: topicMetrics === 'all' ? TOPIC_METRICS : topicMetrics,
  clientId,
})

const isRegistry = (value: unknown): boolean =>
  value === undefined ||
  (typeof value === 'object' &&
    value !== null &&
    'getSingleMetric' in value &&
    typeof value.getSingleMetric === 'function' &&
    'registerMetric' in value &&
    typeof value.registerMetric === 'function')

const isTopicMetrics = (value: unknown): boolean =>
  Array.isArray(value) && value.every(name => TOPIC_METRICS.includes(name))

const isTopicLabel = (value: unknown): boolean =>
  value === 'off' ||
  value === 'all' ||
  (Array.isArray(value) && value.every(topic => typeof topic === 'string'))
