import { formatCount, formatDuration, plural } from '../src/cli/terminal/format.js'
import { PLAIN } from '../src/cli/terminal/style.js'
import { tableLines } from '../src/cli/terminal/table.js'
import type { Deliveries, TopicProgress } from './deliveries.js'
import type { Figures } from './figures.js'
import type { Found } from './readBack.js'

/**
 * A table of the topics, the largest first, with their sums.
 *
 * @param partitions of the topics that exist
 */
export function topicTable(
  topics: readonly TopicProgress[],
  partitions: ReadonlyMap<string, number>,
  figures: Figures,
): string[] {
  const retriesOf = (topic: string) => figures.metadataRetries.get(topic) ?? 0
  const total = (of: (each: TopicProgress) => number) =>
    formatCount(topics.reduce((sum, each) => sum + of(each), 0))
  const table = {
    columns: [
      { title: 'topic', align: 'left' },
      { title: 'records', align: 'right' },
      { title: 'partitions', align: 'right' },
      { title: 'appeared after', align: 'right' },
      { title: 'metadata retries', align: 'right' },
    ],
    rows: topics.map(each => [
      each.topic,
      formatCount(each.delivered.length),
      formatCount(partitions.get(each.topic) ?? 0),
      appearance(each, figures),
      formatCount(retriesOf(each.topic)),
    ]),
    footer: [
      '',
      total(each => each.delivered.length),
      total(each => partitions.get(each.topic) ?? 0),
      '',
      total(each => retriesOf(each.topic)),
    ],
  } as const
  return tableLines(table, PLAIN)
}

/** When the topic could be written to first. */
export function appearance({ topic, appearedAfterMs }: TopicProgress, { metadataRetries }: Figures): string {
  if (appearedAfterMs === undefined) return 'never'
  return metadataRetries.get(topic) ? formatDuration(appearedAfterMs) : 'was there'
}

/** What is wrong with the log: a record that was acknowledged and is not there, or is there more than once. */
export function discrepancies(topics: readonly TopicProgress[], found: Found): string[] {
  return topics.flatMap(({ topic, delivered }) => {
    const counts = found.get(topic)
    const missing = delivered.filter(key => !counts?.has(key))
    const doubled = [...(counts ?? [])].filter(([, count]) => count > 1)
    return [
      ...(missing.length > 0
        ? [`${topic}: ${plural(missing.length, 'record')} missing, such as ${missing[0]}`]
        : []),
      ...(doubled.length > 0
        ? [`${topic}: ${plural(doubled.length, 'record')} more than once, such as ${doubled[0]![0]}`]
        : []),
    ]
  })
}

/** One line for each topic that failed, with its first error. */
export const failureLines = (topics: readonly TopicProgress[]): string[] =>
  topics.flatMap(({ topic, failed, firstError }) =>
    firstError ? [`${topic}: ${plural(failed, 'record')} not delivered: ${firstError.message}`] : [],
  )

export function lastLine(deliveries: Deliveries, figures: Figures, elapsedMs: number): string {
  const { deliveredCount, failedCount, topics } = deliveries
  const written = topics.filter(each => each.delivered.length > 0).length
  const metadataRetries = [...figures.metadataRetries.values()].reduce((sum, each) => sum + each, 0)
  return [
    `${plural(deliveredCount, 'record')} delivered to ${plural(written, 'topic')} in ${formatDuration(elapsedMs)}`,
    ...(failedCount > 0 ? [`${formatCount(failedCount)} failed`] : []),
    plural(metadataRetries, 'metadata retry', 'metadata retries'),
    plural(figures.recordRetries, 'record retry', 'record retries'),
  ].join(', ')
}
