import { describe, expect, it } from 'vitest'
import { loadEarthquakes } from '../../examples/earthquakes/events.js'
import { discrepancies, lastLine, topicTable } from '../../examples/earthquakes/report.js'
import { styleFor } from '../../src/cli/terminal/style.js'

const delivered = new Map([
  ['q.a', ['1']],
  ['q.b', ['2', '3']],
])
const figures = {
  topics: new Map([
    ['q.a', { waitedMs: 1500, metadataRetries: 4 }],
    ['q.b', { waitedMs: 3, metadataRetries: 0 }],
  ]),
  recordRetries: 1,
}
const counts = (entries: Record<string, Record<string, number>>) =>
  new Map(Object.entries(entries).map(([topic, keys]) => [topic, new Map(Object.entries(keys))]))

describe('the earthquakes', () => {
  it('are 1,707 of 12 networks, each with an id of its own', async () => {
    const events = await loadEarthquakes()
    expect(events).toHaveLength(1707)
    expect(new Set(events.map(event => event.network)).size).toBe(12)
    expect(new Set(events.map(event => event.id)).size).toBe(1707)
    expect(JSON.parse(events[0]!.json)).toMatchObject({ type: 'Feature', id: events[0]!.id })
  })
})

describe('the report', () => {
  it('lists the topics, the largest first, and their sums', () => {
    const partitions = new Map([
      ['q.a', 1],
      ['q.b', 3],
    ])
    expect(topicTable(delivered, partitions, figures, styleFor({}, {}))).toEqual([
      '  topic  records  partitions  appeared after  metadata retries',
      '  q.b          2           3       was there                 0',
      '  q.a          1           1           1.5 s                 4',
      '               3           4                                 4',
    ])
  })

  it('shows which topic never appeared', () => {
    const failed = new Map([...delivered, ['q.c', []]])
    const lines = topicTable(
      failed,
      new Map([
        ['q.a', 1],
        ['q.b', 3],
      ]),
      figures,
      styleFor({}, {}),
    )
    expect(lines[3]).toBe('  q.c          0           0           never                 0')
  })

  it('ends with one line', () => {
    const totals = { delivered: 3, failed: 0, topics: 2, elapsedMs: 1234, figures }
    expect(lastLine(totals)).toBe(
      '3 records delivered to 2 topics in 1.2 s, 4 metadata retries, 1 record retry',
    )
    expect(lastLine({ ...totals, failed: 5 })).toContain(', 5 failed, ')
  })

  it('finds nothing wrong when every record is there once', () => {
    expect(discrepancies(delivered, counts({ 'q.a': { 1: 1 }, 'q.b': { 2: 1, 3: 1 } }))).toEqual([])
  })

  it('flags a planted loss and a planted double', () => {
    expect(discrepancies(delivered, counts({ 'q.a': { 1: 2 }, 'q.b': { 3: 1 } }))).toEqual([
      'q.a: 1 record more than once, such as 1',
      'q.b: 1 record missing, such as 2',
    ])
    expect(discrepancies(delivered, new Map())).toHaveLength(2)
  })

  it('flags a record that failed for the producer as no discrepancy, but its double as one', () => {
    const nothingDelivered = new Map([['q.a', []]])
    expect(discrepancies(nothingDelivered, counts({ 'q.a': { 1: 1 } }))).toEqual([])
    expect(discrepancies(nothingDelivered, counts({ 'q.a': { 1: 2 } }))).toHaveLength(1)
  })
})
