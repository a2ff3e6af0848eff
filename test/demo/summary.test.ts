import { describe, expect, it } from 'vitest'
import { loadEarthquakes } from '../../demo/dataset.js'
import { Deliveries } from '../../demo/deliveries.js'
import { lineOf, tableOf } from '../../demo/screen.js'
import { discrepancies, failureLines, lastLine, topicTable } from '../../demo/summary.js'

const FIGURES = {
  created: ['q.a', 'q.b'],
  metadataRetries: new Map([
    ['q.a', 4],
    ['q.b', 0],
  ]),
  recordRetries: 1,
}
const counts = (entries: Record<string, Record<string, number>>) =>
  new Map(Object.entries(entries).map(([topic, keys]) => [topic, new Map(Object.entries(keys))]))

/** `q.b` has two records and `q.a` one; all are delivered. */
const delivered = (...more: string[]) => {
  const deliveries = new Deliveries(['q.b', 'q.b', 'q.a', ...more])
  deliveries.begin()
  deliveries.succeeded('q.a', '1')
  deliveries.succeeded('q.b', '2')
  deliveries.succeeded('q.b', '3')
  return deliveries
}

describe('the earthquakes', () => {
  it('are 1,707 of 12 networks, each with an id of its own', async () => {
    const earthquakes = await loadEarthquakes()
    expect(earthquakes).toHaveLength(1707)
    expect(new Set(earthquakes.map(each => each.network)).size).toBe(12)
    expect(new Set(earthquakes.map(each => each.id)).size).toBe(1707)
    expect(JSON.parse(earthquakes[0]!.json)).toMatchObject({ type: 'Feature', id: earthquakes[0]!.id })
  })
})

describe('while it runs', () => {
  it('a row for each topic says what it waits for, with a bar', () => {
    const deliveries = new Deliveries(['q.b', 'q.b', 'q.a'])
    expect(lineOf(deliveries)).toMatch(/^connecting · /)
    deliveries.begin()
    deliveries.succeeded('q.b', '1')
    const [first, second, totals] = tableOf(deliveries)
    expect(first).toMatch(/^ {2}q\.b {2}1 of 2 {2}.{24} there after \d+ ms$/u)
    expect(second).toMatch(/^ {2}q\.a {2}0 of 1 {2}.{24} waiting for \d+ ms$/u)
    expect(totals).toMatch(/^ {2}1 of 3 records delivered · \d+ ms · waiting for q\.a$/)
    deliveries.failed('q.a', new Error('no'))
    expect(tableOf(deliveries)[1]).toMatch(/1 record failed$/)
  })
})

describe('the summary', () => {
  const PARTITIONS = new Map([
    ['q.a', 1],
    ['q.b', 3],
  ])

  it('lists the topics, the largest first, and their sums', () => {
    const lines = topicTable(delivered().topics, PARTITIONS, FIGURES)
    expect(lines[0]).toBe('  topic  records  partitions  appeared after  metadata retries')
    expect(lines[1]).toBe('  q.b          2           3       was there                 0')
    expect(lines[2]).toMatch(/^ {2}q\.a {10}1 {11}1 +\d+ ms {17}4$/)
    expect(lines[3]).toBe('               3           4                                 4')
  })

  it('shows which topic never appeared, and why', () => {
    const deliveries = delivered('q.c')
    deliveries.failed('q.c', new Error('nobody creates it'))
    expect(topicTable(deliveries.topics, PARTITIONS, FIGURES)).toContain(
      '  q.c          0           0           never                 0',
    )
    expect(failureLines(deliveries.topics)).toEqual(['q.c: 1 record not delivered: nobody creates it'])
    expect(lastLine(deliveries, FIGURES, 1234)).toBe(
      '3 records delivered to 2 topics in 1.2 s, 1 failed, 4 metadata retries, 1 record retry',
    )
  })

  it('finds nothing wrong when every record is there once', () => {
    expect(discrepancies(delivered().topics, counts({ 'q.a': { 1: 1 }, 'q.b': { 2: 1, 3: 1 } }))).toEqual([])
  })

  it('flags a planted loss and a planted double', () => {
    const { topics } = delivered()
    expect(discrepancies(topics, counts({ 'q.a': { 1: 2 }, 'q.b': { 3: 1 } }))).toEqual([
      'q.b: 1 record missing, such as 2',
      'q.a: 1 record more than once, such as 1',
    ])
    expect(discrepancies(topics, new Map())).toHaveLength(2)
  })
})
