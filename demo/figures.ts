import type { Registry } from 'prom-client'

/** What the producer's metrics say of a run. */
export interface Figures {
  /** Topics that came to be because of the run. */
  readonly created: readonly string[]
  /** How often each topic was asked for again, before it was there. */
  readonly metadataRetries: ReadonlyMap<string, number>
  /** Records that went out more than once, counted each time. */
  readonly recordRetries: number
}

/** The metrics that the figures are read from: each needs the label `topic`, which not all have by default. */
export const FIGURES = ['topics_created_total', 'metadata_retries_total', 'record_retries_total'] as const

/** Reads a registry that the producer was given with `topicLabel: 'all'` and `topicMetrics: FIGURES`. */
export async function readFigures(registry: Registry): Promise<Figures> {
  const [created, metadataRetries, recordRetries] = await Promise.all(
    FIGURES.map(name => sumByTopic(registry, name)),
  )
  return {
    created: [...created!].filter(([, count]) => count > 0).map(([topic]) => topic),
    metadataRetries: metadataRetries!,
    recordRetries: [...recordRetries!.values()].reduce((sum, each) => sum + each, 0),
  }
}

async function sumByTopic(registry: Registry, name: string): Promise<Map<string, number>> {
  const metric = await registry.getSingleMetric(`kafka_resilient_producer_${name}`)?.get()
  const sums = new Map<string, number>()
  for (const { labels, value } of metric?.values ?? []) {
    const topic = String(labels.topic ?? '')
    sums.set(topic, (sums.get(topic) ?? 0) + value)
  }
  sums.delete('')
  return sums
}
