import { formatCount, formatDuration, plural } from '../../src/cli/terminal/format.js'
import type { Style } from '../../src/cli/terminal/style.js'
import { tableLines } from '../../src/cli/terminal/table.js'
import type { Found } from './readBack.js'
import type { Figures } from './topicFigures.js'

/** What the brokers acknowledged, by topic. */
export type Delivered = ReadonlyMap<string, readonly string[]>

/**
 * A table of the topics, the largest first.
 *
 * @param partitions of the topics that exist
 */
export function topicTable(
  delivered: Delivered,
  partitions: ReadonlyMap<string, number>,
  figures: Figures,
  style: Style,
): string[] {
  const topics = [...delivered].sort(([, a], [, b]) => b.length - a.length)
  const retriesOf = (topic: string) => figures.topics.get(topic)?.metadataRetries ?? 0
  return tableLines(
    {
      columns: [
        { title: 'topic', align: 'left' },
        { title: 'records', align: 'right' },
        { title: 'partitions', align: 'right' },
        { title: 'appeared after', align: 'right' },
        { title: 'metadata retries', align: 'right' },
      ],
      rows: topics.map(([topic, keys]) => [
        topic,
        formatCount(keys.length),
        formatCount(partitions.get(topic) ?? 0),
        partitions.has(topic) ? appearance(topic, figures) : 'never',
        formatCount(retriesOf(topic)),
      ]),
      footer: [
        '',
        formatCount(sum(topics.map(([, keys]) => keys.length))),
        formatCount(sum(topics.map(([topic]) => partitions.get(topic) ?? 0))),
        '',
        formatCount(sum(topics.map(([topic]) => retriesOf(topic)))),
      ],
    },
    style,
  )
}

function appearance(topic: string, figures: Figures): string {
  const of = figures.topics.get(topic)
  if (!of) return ''
  return of.metadataRetries === 0 ? 'was there' : formatDuration(of.waitedMs)
}

/** What is wrong with the log: a record that was acknowledged and is not there, or is there more than once. */
export function discrepancies(delivered: Delivered, found: Found): string[] {
  return [...delivered].flatMap(([topic, keys]) => {
    const counts = found.get(topic)
    const missing = keys.filter(key => !counts?.has(key))
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

export interface Totals {
  readonly delivered: number
  readonly failed: number
  readonly topics: number
  readonly elapsedMs: number
  readonly figures: Figures
}

export function lastLine({ delivered, failed, topics, elapsedMs, figures }: Totals): string {
  const metadataRetries = sum([...figures.topics.values()].map(each => each.metadataRetries))
  return [
    `${plural(delivered, 'record')} delivered to ${plural(topics, 'topic')} in ${formatDuration(elapsedMs)}`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    plural(metadataRetries, 'metadata retry', 'metadata retries'),
    plural(figures.recordRetries, 'record retry', 'record retries'),
  ].join(', ')
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0)
