import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { KAFKAJS, OURS_METRICS } from '../../bench/harness/contender.js'
import { figure, markdown } from '../../bench/harness/format.js'
import { interleave } from '../../bench/harness/interleave.js'
import { newTopicsPlots, newTopicsTables, type Sample, SIZES } from '../../bench/harness/newTopicsReport.js'
import { newTopicsTable, sections, summaryTable } from '../../bench/harness/page.js'
import { barPlots } from '../../bench/harness/plot.js'
import { type Claim, claimsTable, type Report } from '../../bench/harness/report.js'
import { readResults, writeResult } from '../../bench/harness/results.js'
import { pairedRatios, quantile, spread } from '../../bench/harness/stats.js'

describe('the figures of the benchmarks', () => {
  it('interpolates quantiles', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
    expect(quantile([10, 20], 0.99)).toBeCloseTo(19.9)
    expect(quantile([], 0.5)).toBeNaN()
  })

  it('compares only what was measured in the same round', () => {
    expect(pairedRatios([10, undefined, 30, 40], [5, 5, undefined, 0])).toEqual([2])
  })

  it('shows three digits', () => {
    expect([1_234_567, 1000, 12.345, 0.012345, 0, Number.NaN].map(figure)).toEqual([
      ...['1,230,000', '1,000', '12.3', '0.0123', '0', '-'],
    ])
  })

  it('writes a table that is aligned and whose cells cannot break it', () => {
    const lines = markdown({
      title: 'T',
      columns: ['client', 'n'],
      rows: [
        ['a|b', '1'],
        ['longer name', '22'],
      ],
    })
    const table = lines.split('\n').slice(2)
    expect(new Set(table.map(line => line.length)).size).toBe(1)
    expect(table[2]).toContain('a\\|b')
  })
})

describe('rounds', () => {
  const items = ['a', 'b', 'c'].map(id => ({ id, label: id, tuning: 'defaults' }))

  it('lets another one begin each round and everyone run once in it', async () => {
    const order: string[] = []
    await interleave(items, 3, async ({ id }, round) => order.push(`${round}${id}`))
    expect(order).toEqual(['1b', '1c', '1a', '2c', '2a', '2b', '3a', '3b', '3c'])
  })

  it('leaves a gap where a run failed and says which', async () => {
    const { samples, failures } = await interleave(items, 2, async ({ id }, round) => {
      if (id === 'b' && round === 1) throw new Error('no broker')
      return round
    })
    expect(samples.get('a')).toEqual([1, 2])
    expect(samples.get('b')).toEqual([undefined, 2])
    expect(failures).toEqual(['b (defaults), round 1: no broker'])
  })
})

describe('claims', () => {
  const claim: Claim = { what: 'w', measured: undefined, unit: 'x', better: 'higher', bar: 2, goal: 4 }
  const verdict = (over: Partial<Claim>): string | undefined =>
    claimsTable([{ ...claim, ...over }]).rows[0]?.at(-1)
  const at = (value: number) => ({ measured: spread([value]) })

  it('are judged by the median, in the direction that is better', () => {
    expect([1.9, 2, 4].map(value => verdict(at(value)))).toEqual(['MISSED', 'bar met', 'goal met'])
    const lower = { better: 'lower', bar: 20, goal: 5 } as const
    expect([21, 20, 5].map(value => verdict({ ...lower, ...at(value) }))).toEqual([
      'MISSED',
      'bar met',
      'goal met',
    ])
    expect(verdict({ measured: spread([1, 5, 1]) })).toBe('MISSED')
  })

  it('are not met by what was not measured', () => {
    expect(verdict({})).toBe('not measured')
    expect(verdict({ measured: spread([]) })).toBe('not measured')
  })
})

describe('the plot', () => {
  const bar = (label: string, values: readonly number[], ours = false) => ({
    label,
    measured: spread(values),
    ours,
  })
  const bars = [bar('peer <1>', [40, 50, 80]), bar('none', []), bar('ours', [100], true)]
  const plot = { title: 'a & b', unit: 'records/s', better: 'higher', bars } as const
  const widthsIn = (svg: string) =>
    [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(
      ([, kind, width]) => [kind!, Number(width)] as const,
    )

  it('draws medians in proportion, the best first, and escapes labels', () => {
    const svg = barPlots('title', [plot])
    const [first, second, ...rest] = widthsIn(svg)
    expect([first![0], second![0], rest.length]).toEqual(['ours', 'peer', 0])
    expect(first![1] / second![1]).toBeCloseTo(2, 1)
    expect(svg).toContain('peer &lt;1&gt;')
    expect(svg).toContain('a &amp; b (records/s; longer is better)')
    expect(svg).toContain('>no figure<')
  })

  it('draws whiskers from the least to the most, where there is more than one figure', () => {
    const whiskers = [...barPlots('title', [plot]).matchAll(/M([\d.]+) [\d.]+H([\d.]+)/g)]
    expect(whiskers).toHaveLength(1)
    const [, from, to] = whiskers[0]!.map(Number)
    const longest = Math.max(...widthsIn(barPlots('title', [plot])).map(([, width]) => width))
    expect((to! - from!) / longest).toBeCloseTo(0.4, 1)
  })

  it('has the shortest first where shorter is better, and a scale for each plot', () => {
    const seconds = {
      ...plot,
      better: 'lower',
      unit: 's',
      bars: [bar('slow', [3]), bar('fast', [1])],
    } as const
    const svg = barPlots('title', [plot, seconds])
    expect(svg.indexOf('>fast<')).toBeLessThan(svg.indexOf('>slow<'))
    expect(Math.max(...widthsIn(svg).map(([, width]) => width))).toBe(widthsIn(svg).at(-1)![1])
  })
})

describe('results', () => {
  const report = (over: Partial<Report> = {}): Report => ({
    question: 'keyed',
    conditions: ['2 cores'],
    tables: [{ title: 't', columns: ['client'], rows: [['ours'], ['ours, the build before']] }],
    claims: [
      { ...{ unit: 'x', better: 'higher', bar: 1, goal: 1 }, what: 'ours to kafkajs', measured: spread([2]) },
      {
        ...{ unit: 'x', better: 'higher', bar: 1, goal: 1 },
        what: 'ours to the build before',
        measured: spread([1]),
      },
    ],
    skipped: ['ours, the build before: no earlier build given', 'kafka-ts 1.5: not <installed>'],
    plots: [
      {
        ...{ title: 'p', unit: 'records/s', better: 'higher' },
        bars: [
          { label: 'ours', measured: spread([5]), ours: true },
          { label: 'ours, the build before', measured: spread([]), ours: true },
        ],
      },
    ],
    ...over,
  })
  const folder = mkdtempSync(join(tmpdir(), 'bench-results-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are kept by question: a run of one leaves the others', async () => {
    await writeResult('Keyed?', report(), folder)
    await writeResult('Arrays?', report({ question: 'arrays' }), folder)
    await writeResult('Keyed, again?', report(), folder)
    const results = readResults(folder)
    expect([...results].map(([name, { asks }]) => [name, asks]).sort()).toEqual([
      ['arrays', 'Arrays?'],
      ['keyed', 'Keyed, again?'],
    ])
    expect(results.get('keyed')).toMatchObject({ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) })
  })

  it('are told without the build before, and whatever they hold breaks no table', () => {
    const results = readResults(folder)
    const questions = [{ name: 'keyed' }, { name: 'arrays' }, { name: 'never measured' }]
    const page = `${summaryTable(questions, results)}\n${sections(questions, results)}`
    expect(page).not.toContain('build before')
    expect(page).toContain('| Keyed, again? | 5 records/s | kafkajs: 2x |')
    expect(page).toContain('not &lt;installed>')
    expect(page.indexOf('### Keyed, again?')).toBeLessThan(page.indexOf('### Arrays?'))
    expect(page).not.toContain('never measured')
  })
})

describe('new topics', () => {
  const sample = (delivered: number, seconds: number, errorsNameTopic = false): Sample => ({
    ...{ delivered, failed: 0, unended: 0, seconds, longestStallMs: 1, cpuMs: 1, error: undefined },
    ...{ errorsNameTopic, metadataRequests: undefined, onBroker: delivered },
  })
  const chosen = [OURS_METRICS, KAFKAJS]
  const measured = (ours: Sample[], kafkajs: Sample[]) => ({
    samples: new Map([
      [OURS_METRICS.id, ours],
      [KAFKAJS.id, kafkajs],
    ]),
    failures: [],
  })
  const all = {
    chosen,
    bursting: [OURS_METRICS],
    byCount: new Map(
      SIZES.map(count => [
        count,
        measured([sample(count, 0.25), sample(count, 0.35)], [sample(count - 13, 15.4)]),
      ]),
    ),
    alone: new Map(SIZES.map(count => [count, [0.2]])),
    existing: measured([sample(1000, 0.5)], []),
    bursts: new Map([
      [{ topics: 300, records: 2, cluster: 'kafka' } as const, measured([sample(600, 1)], [])],
    ]),
    missing: measured([sample(0, 0.031, true)], [sample(0, 14.2)]),
  }

  it('are a table in the README: what was not written stands out', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-results-'))
    const report: Report = {
      question: 'new-topics',
      ...{ conditions: ['2 cores'], tables: newTopicsTables(all), claims: [], skipped: [] },
      plots: newTopicsPlots(all),
    }
    await writeResult('New topics?', report, folder)
    const lines = newTopicsTable(readResults(folder)).split('\n').slice(2)
    rmSync(folder, { recursive: true })
    expect(lines).toEqual([
      '| this | 0.3 s | 0.3 s | 0.3 s | 0.031 s, each error names its topic |',
      '| kafkajs 2.2.4 | **37 of 50 written**, 15 s | **287 of 300 written**, 15 s | **987 of 1,000 written**, 15 s | 14 s |',
    ])
  })

  it('are drawn with all that was measured of them', () => {
    const svg = barPlots('New topics', newTopicsPlots(all))
    for (const text of [
      '50 new topics',
      '1,000 existing topics',
      '300 new topics, 2 send() each',
      'no figure',
    ])
      expect(svg).toContain(text)
  })
})
