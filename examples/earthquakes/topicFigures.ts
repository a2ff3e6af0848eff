import type { Registry } from 'prom-client'

/** What the producer's metrics say of one topic. */
export interface TopicFigures {
  /** From the first record for it until it could be written to; ms. */
  readonly waitedMs: number
  /** How often it was asked for again. */
  readonly metadataRetries: number
}

export interface Figures {
  readonly topics: ReadonlyMap<string, TopicFigures>
  /** Records that went out more than once, counted each time. */
  readonly recordRetries: number
}

const PREFIX = 'kafka_resilient_producer_'

/** Reads a registry the producer was given with `topicLabel: 'all'`. */
export async function readFigures(registry: Registry): Promise<Figures> {
  const [waits, metadataRetries, recordRetries] = await Promise.all([
    sumByTopic(registry, 'topic_wait_seconds', 'topic_wait_seconds_sum'),
    sumByTopic(registry, 'metadata_retries_total'),
    sumByTopic(registry, 'record_retries_total'),
  ])
  const topics = new Map<string, TopicFigures>()
  for (const [topic, seconds] of waits) {
    topics.set(topic, { waitedMs: seconds * 1000, metadataRetries: metadataRetries.get(topic) ?? 0 })
  }
  return { topics, recordRetries: [...recordRetries.values()].reduce((sum, each) => sum + each, 0) }
}

async function sumByTopic(registry: Registry, metric: string, series = metric): Promise<Map<string, number>> {
  const sums = new Map<string, number>()
  const values = (await registry.getSingleMetric(`${PREFIX}${metric}`)?.get())?.values ?? []
  for (const each of values as readonly {
    value: number
    labels: { topic?: string }
    metricName?: string
  }[]) {
    // A histogram's values are its buckets, its sum and its count.
    if (each.metricName !== undefined && each.metricName !== `${PREFIX}${series}`) continue
    const topic = each.labels.topic ?? ''
    sums.set(topic, (sums.get(topic) ?? 0) + each.value)
  }
  return sums
}
