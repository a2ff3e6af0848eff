import { readFileSync, writeFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { DEFAULT_TOPIC_METRICS, TOPIC_METRICS } from '../../src/metrics/definitions.js'
import { createPrometheusObserver } from '../../src/metrics/prometheus/prometheusObserver.js'

const PAGE = new URL('../../docs/recipes/metrics-cost.md', import.meta.url)
const [START, END] = ['<!-- series: generated -->\n', '<!-- /series -->']

/** How many series each metric has for one topic. */
const seriesPerTopic = async (): Promise<ReadonlyMap<string, number>> => {
  const registry = new Registry()
  createPrometheusObserver({ registry, topicLabel: 'all', topicMetrics: 'all' }).recordsSent('orders', 1)
  const lines = (await registry.metrics()).split('\n').filter(line => line.includes('topic="orders"'))
  const count = (name: string): number =>
    lines.filter(line => new RegExp(`^kafka_resilient_producer_${name}(_bucket|_sum|_count)?\\{`).test(line))
      .length
  return new Map(TOPIC_METRICS.map(name => [name, count(name)]))
}

/** `UPDATE_README=1 npx vitest run test/docs` writes it anew. */
test('the table of series per topic is what a scrape shows', async () => {
  const series = await seriesPerTopic()
  const totalOf = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + series.get(name)!, 0)
  const table = [
    '| metric | series per topic | by default |',
    '|---|---|---|',
    ...[...series].map(
      ([name, count]) => `| \`${name}\` | ${count} | ${DEFAULT_TOPIC_METRICS.includes(name) ? 'yes' : ''} |`,
    ),
    `| those by default | ${totalOf(DEFAULT_TOPIC_METRICS)} | |`,
    `| all of them | ${totalOf(TOPIC_METRICS)} | |\n`,
  ].join('\n')
  const text = readFileSync(PAGE, 'utf8')
  const from = text.indexOf(START) + START.length
  const to = text.indexOf(END)
  if (process.env.UPDATE_README) writeFileSync(PAGE, text.slice(0, from) + table + text.slice(to))
  else expect(text.slice(from, to)).toBe(table)
})

test('without topicMetrics, a topic has the series of the default ones', async () => {
  const registry = new Registry()
  createPrometheusObserver({ registry, topicLabel: 'all' }).recordsSent('orders', 1)
  const lines = (await registry.metrics()).split('\n').filter(line => line.includes('topic="orders"'))
  const names = new Set(
    lines.map(line => /^kafka_resilient_producer_(.+?)(_bucket|_sum|_count)?\{/.exec(line)![1]),
  )
  expect([...names].sort()).toEqual([...DEFAULT_TOPIC_METRICS].sort())
  // What the table says; 105 are too many.
  expect(lines.length).toBeLessThanOrEqual(60)
})
