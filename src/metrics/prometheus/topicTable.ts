import type { TopicLabel } from '../options.js'
import type { MetricSet } from './registration.js'
import { type SeriesLabels, TopicMetrics } from './topicMetrics.js'

/** What is counted for topics that have no label of their own. */
const OTHER = 'other'

/**
 * The topics that the label `topic` shows, up to its cap. A topic that is only asked for, as one whose name is misspelt, has a
 * place as long as no topic that exists needs it.
 */
export interface TopicTable {
  /** The topic exists: records of it were sent, or it was waited for and came. */
  existing(topic: string): TopicMetrics
  /** Somebody wants it to. */
  wanted(topic: string): TopicMetrics
}

/** Shared by the producers that share the metrics: they have one cap. */
const tables = new WeakMap<MetricSet['recordsSent'], Map<string, TopicTable>>()

export const topicTableOf = (
  metrics: MetricSet,
  topicLabel: TopicLabel,
  maxTopics: number,
  labels: SeriesLabels,
): TopicTable => {
  if (topicLabel === 'off') {
    const all = new TopicMetrics(metrics, undefined, labels)
    return { existing: () => all, wanted: () => all }
  }
  // A list is its own cap: it does not use up the places of a producer that shows all topics.
  if (topicLabel !== 'all') return new ListedTopics(metrics, topicLabel, labels)
  const shared = tables.get(metrics.recordsSent) ?? new Map<string, TopicTable>()
  tables.set(metrics.recordsSent, shared)
  const key = JSON.stringify([maxTopics, labels.base])
  const table = shared.get(key) ?? new CappedTopics(metrics, maxTopics, labels)
  shared.set(key, table)
  return table
}

class ListedTopics implements TopicTable {
  private readonly metrics: MetricSet
  private readonly labels: SeriesLabels
  private readonly listed: ReadonlySet<string>
  private readonly byLabel = new Map<string, TopicMetrics>()

  constructor(metrics: MetricSet, listed: readonly string[], labels: SeriesLabels) {
    this.metrics = metrics
    this.labels = labels
    this.listed = new Set(listed)
  }

  existing(topic: string): TopicMetrics {
    return this.byLabel.get(topic) ?? this.add(this.listed.has(topic) ? topic : OTHER)
  }

  wanted(topic: string): TopicMetrics {
    return this.existing(topic)
  }

  private add(label: string): TopicMetrics {
    const found = this.byLabel.get(label) ?? new TopicMetrics(this.metrics, label, this.labels)
    this.byLabel.set(label, found)
    return found
  }
}

class CappedTopics implements TopicTable {
  private readonly metrics: MetricSet
  private readonly labels: SeriesLabels
  private readonly max: number
  private readonly byTopic = new Map<string, TopicMetrics>()
  /** Topics of `byTopic` that may not exist, the oldest first. */
  private readonly provisional = new Set<string>()
  private others: TopicMetrics | undefined

  constructor(metrics: MetricSet, max: number, labels: SeriesLabels) {
    this.metrics = metrics
    this.max = max
    this.labels = labels
  }

  existing(topic: string): TopicMetrics {
    const known = this.byTopic.get(topic)
    if (known === undefined) return this.makeRoom() ? this.add(topic, false) : this.other
    if (known.isProvisional) {
      known.isProvisional = false
      this.provisional.delete(topic)
    }
    return known
  }

  wanted(topic: string): TopicMetrics {
    return this.byTopic.get(topic) ?? (this.byTopic.size < this.max ? this.add(topic, true) : this.other)
  }

  private get other(): TopicMetrics {
    this.others ??= new TopicMetrics(this.metrics, OTHER, this.labels)
    return this.others
  }

  private add(topic: string, isProvisional: boolean): TopicMetrics {
    const added = new TopicMetrics(this.metrics, topic, this.labels)
    added.isProvisional = isProvisional
    this.byTopic.set(topic, added)
    if (isProvisional) this.provisional.add(topic)
    return added
  }

  /** @returns whether there is room for one more */
  private makeRoom(): boolean {
    if (this.byTopic.size < this.max) return true
    const [oldest] = this.provisional
    if (oldest === undefined) return false
    this.byTopic.get(oldest)?.remove()
    this.byTopic.delete(oldest)
    this.provisional.delete(oldest)
    return true
  }
}
