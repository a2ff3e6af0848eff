import type { Counter, CounterChild, HistogramChild, Labels } from '../metricClasses.js'
import type { TopicCreator, TopicWaitOutcome } from '../observer.js'
import {
  METADATA_ERRORS,
  RECORD_ERRORS,
  RETRY_REASONS,
  TOPIC_ERRORS,
  TOPIC_METADATA_ERRORS,
  TOPIC_RETRY_REASONS,
} from './knownValues.js'
import { LabelValues } from './labelValues.js'
import type { MetricSet } from './registration.js'

/** An error type of Kafka's or a class name, and far more of them than there are: not message text by mistake. */
const MAX_ERRORS = 100
const isErrorType = (value: string): boolean => /^[A-Za-z][A-Za-z0-9_]{0,79}$/.test(value)

/** The error label of one metric: what it has shown so far belongs to the metric, whoever reports to it. */
const shownErrors = new WeakMap<object, LabelValues>()
const errorValues = (metric: object, known: readonly string[]): LabelValues => {
  const values = shownErrors.get(metric) ?? new LabelValues(MAX_ERRORS, isErrorType, new Set(known))
  shownErrors.set(metric, values)
  return values
}

/** The values that an error label is known to take. */
interface KnownErrors {
  readonly all: readonly string[]
  /** Those that meet one topic's records. */
  readonly ofTopic: readonly string[]
}
const FAILURES: KnownErrors = { all: RECORD_ERRORS, ofTopic: TOPIC_ERRORS }
const RETRIES: KnownErrors = { all: RETRY_REASONS, ofTopic: TOPIC_RETRY_REASONS }
const METADATA: KnownErrors = { all: METADATA_ERRORS, ofTopic: TOPIC_METADATA_ERRORS }

/** The series of a counter by its error label. Those of known errors stand at 0 from the start. */
class ErrorCounters {
  private readonly children = new Map<string, CounterChild>()
  private readonly values: LabelValues
  private readonly metric: Counter
  private readonly labelsOf: (error: string) => Labels

  /** @param begun the errors whose series stand at 0 from now on */
  constructor(
    metric: Counter,
    known: KnownErrors,
    begun: readonly string[],
    labelsOf: (error: string) => Labels,
  ) {
    this.values = errorValues(metric, known.all)
    this.metric = metric
    this.labelsOf = labelsOf
    for (const error of [...begun, 'other']) this.childOf(error).inc(0)
  }

  add(error: string, count: number): void {
    const child = this.children.get(error) ?? this.childOf(this.values.of(error))
    child.inc(count)
  }

  private childOf(label: string): CounterChild {
    const child = this.children.get(label) ?? this.metric.labels(this.labelsOf(label))
    this.children.set(label, child)
    return child
  }

  remove(): void {
    for (const error of this.children.keys()) this.metric.remove(this.labelsOf(error))
  }
}

/** Which labels a series has beside its own. */
export interface SeriesLabels {
  readonly base: Labels
  /** The metrics with the label `topic`, by name without prefix. */
  readonly topicMetrics: ReadonlySet<string>
}

/** Everything that is counted for one value of the label `topic`, or for all topics together where there is no such label. */
export class TopicMetrics {
  /** Nothing has shown yet that there is such a topic. */
  isProvisional = false
  readonly sent: CounterChild
  readonly aborted: CounterChild
  readonly split: CounterChild
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
  private readonly removals: (() => void)[] = []

  constructor(metrics: MetricSet, topic: string | undefined, { base, topicMetrics }: SeriesLabels) {
    const labelsFor = (name: string, own: Labels = {}): Labels => ({
      ...base,
      ...(topic !== undefined && topicMetrics.has(name) ? { topic } : {}),
      ...own,
    })
    /** A series of this topic alone goes when the topic's place is taken. */
    const own = <M extends { remove(labels: Labels): void }>(
      metric: M,
      name: string,
      labels: Labels,
    ): void => {
      if (topic !== undefined && topicMetrics.has(name)) this.removals.push(() => metric.remove(labels))
    }
    const counter = (
      key: 'recordsSent' | 'recordsAborted' | 'batchesSplit' | 'topicsCreated',
      name: string,
      its: Labels = {},
    ): CounterChild => {
      const labels = labelsFor(name, its)
      own(metrics[key], name, labels)
      const child = metrics[key].labels(labels)
      child.inc(0)
      return child
    }
    const histogram = (
      key:
        | 'topicWaitSeconds'
        | 'batchRecords'
        | 'batchBytes'
        | 'compressionRatio'
        | 'queueSeconds'
        | 'deliverySeconds',
      name: string,
      its: Labels = {},
    ): HistogramChild => {
      const labels = labelsFor(name, its)
      own(metrics[key], name, labels)
      const child = metrics[key].labels(labels)
      child.begin?.()
      return child
    }
    const errors = (
      key: 'recordsFailed' | 'recordRetries' | 'metadataRetries',
      name: string,
      known: KnownErrors,
      label: 'error' | 'reason',
    ): ErrorCounters => {
      const isOfTopic = topic !== undefined && topicMetrics.has(name)
      const begun = isOfTopic ? known.ofTopic : known.all
      const counters = new ErrorCounters(metrics[key], known, begun, error =>
        labelsFor(name, { [label]: error }),
      )
      if (isOfTopic) this.removals.push(() => counters.remove())
      return counters
    }
    this.sent = counter('recordsSent', 'records_sent_total')
    this.aborted = counter('recordsAborted', 'records_aborted_total')
    this.split = counter('batchesSplit', 'batches_split_total')
    this.failed = errors('recordsFailed', 'records_failed_total', FAILURES, 'error')
    this.retried = errors('recordRetries', 'record_retries_total', RETRIES, 'reason')
    this.metadataRetried = errors('metadataRetries', 'metadata_retries_total', METADATA, 'error')
    const waited = (outcome: TopicWaitOutcome) =>
      histogram('topicWaitSeconds', 'topic_wait_seconds', { outcome })
    this.waited = { available: waited('available'), failed: waited('failed') }
    const created = (by: TopicCreator) => counter('topicsCreated', 'topics_created_total', { by })
    this.created = { broker: created('broker'), admin: created('admin') }
    this.batchRecords = histogram('batchRecords', 'batch_records')
    this.batchBytes = histogram('batchBytes', 'batch_bytes')
    this.compressionRatio = histogram('compressionRatio', 'compression_ratio')
    this.queueSeconds = histogram('queueSeconds', 'queue_seconds')
    this.deliverySeconds = histogram('deliverySeconds', 'delivery_seconds')
  }

  /** Takes the topic's own series off the metrics. */
  remove(): void {
    for (const remove of this.removals) remove()
  }
}
