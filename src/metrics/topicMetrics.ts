import { LabelValues } from './labelValues.js'
import type { Counter, CounterChild, HistogramChild } from './metricClasses.js'
import type { TopicCreator, TopicWaitOutcome } from './observer.js'
import type { MetricSet } from './registration.js'

/** An error type of Kafka's or a class name, and far more of them than there are: not message text by mistake. */
const MAX_ERRORS = 100
const isErrorType = (value: string): boolean => /^[A-Za-z][A-Za-z0-9_]{0,79}$/.test(value)

/** The error label of one metric: what it has shown so far belongs to the metric, whoever reports to it. */
const shownErrors = new WeakMap<object, LabelValues>()
const errorValues = (metric: object): LabelValues => {
  const known = shownErrors.get(metric) ?? new LabelValues(MAX_ERRORS, isErrorType)
  shownErrors.set(metric, known)
  return known
}

/** The children of a counter by its error label. prom-client makes one on every `labels()` call: here each is made once. */
class ErrorCounters {
  private readonly children = new Map<string, CounterChild>()
  private readonly values: LabelValues
  private readonly make: (error: string) => CounterChild

  constructor(metric: Counter, make: (error: string) => CounterChild) {
    this.values = errorValues(metric)
    this.make = make
  }

  add(error: string, count: number): void {
    const child = this.children.get(error) ?? this.childOf(this.values.of(error))
    child.inc(count)
  }

  private childOf(label: string): CounterChild {
    const child = this.children.get(label) ?? this.make(label)
    this.children.set(label, child)
    return child
  }
}

/** Everything that is counted for one value of the label `topic`, or for all topics together where there is no such label. */
export class TopicMetrics {
  readonly sent: CounterChild
  readonly failed: ErrorCounters
  readonly retried: ErrorCounters
  readonly metadataRetried: ErrorCounters
  readonly waited: Readonly<Record<TopicWaitOutcome, HistogramChild>>
  readonly created: Readonly<Record<TopicCreator, CounterChild>>
  readonly batchRecords: HistogramChild
  readonly batchBytes: HistogramChild
  readonly compressionRatio: HistogramChild
  readonly queueSeconds: HistogramChild
  readonly deliverySeconds: HistogramChild

  constructor(metrics: MetricSet, topic: string | undefined) {
    const base = topic === undefined ? {} : { topic }
    this.sent = metrics.recordsSent.labels(base)
    this.failed = new ErrorCounters(metrics.recordsFailed, error =>
      metrics.recordsFailed.labels({ ...base, error }),
    )
    this.retried = new ErrorCounters(metrics.recordRetries, reason =>
      metrics.recordRetries.labels({ ...base, reason }),
    )
    this.metadataRetried = new ErrorCounters(metrics.metadataRetries, error =>
      metrics.metadataRetries.labels({ ...base, error }),
    )
    const waited = (outcome: TopicWaitOutcome) => metrics.topicWaitSeconds.labels({ ...base, outcome })
    this.waited = { available: waited('available'), failed: waited('failed') }
    const created = (by: TopicCreator) => metrics.topicsCreated.labels({ ...base, by })
    this.created = { broker: created('broker'), admin: created('admin') }
    this.batchRecords = metrics.batchRecords.labels(base)
    this.batchBytes = metrics.batchBytes.labels(base)
    this.compressionRatio = metrics.compressionRatio.labels(base)
    this.queueSeconds = metrics.queueSeconds.labels(base)
    this.deliverySeconds = metrics.deliverySeconds.labels(base)
  }
}

/** Which topics have been shown belongs to the metrics: producers that share them share the cap. */
const shownTopics = new WeakMap<MetricSet['recordsSent'], Set<string>>()

/** Finds the metrics of a topic, through the opt-in and the cap of the label `topic`. */
export const topicMetricsLookup = (
  metrics: MetricSet,
  topicLabel: 'off' | 'all' | readonly string[],
  maxTopics: number,
): ((topic: string) => TopicMetrics) => {
  if (topicLabel === 'off') {
    const all = new TopicMetrics(metrics, undefined)
    return () => all
  }
  const shown = shownTopics.get(metrics.recordsSent) ?? new Set<string>()
  shownTopics.set(metrics.recordsSent, shown)
  const listed = topicLabel === 'all' ? undefined : new Set(topicLabel)
  // A list is its own cap: it does not use up the places of a producer that shows all topics.
  const values = listed
    ? new LabelValues(listed.size, topic => listed.has(topic))
    : new LabelValues(maxTopics, undefined, shown)
  const byLabel = new Map<string, TopicMetrics>()
  return topic => {
    const known = byLabel.get(topic)
    if (known) return known
    const label = values.of(topic)
    const found = byLabel.get(label) ?? new TopicMetrics(metrics, label)
    byLabel.set(label, found)
    return found
  }
}
