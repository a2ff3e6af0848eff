import { describe, expect, it } from 'vitest'
import { figure, markdown } from '../../bench/harness/format.js'
import { interleave } from '../../bench/harness/interleave.js'
import { barPlot } from '../../bench/harness/plot.js'
import { type Claim, claimsTable } from '../../bench/harness/report.js'
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
  it('draws bars in proportion, the longest first, and escapes labels', () => {
    const bars = [
      { label: 'peer <1>', value: 50, ours: false },
      { label: 'ours', value: 100, ours: true },
    ]
    const svg = barPlot({ title: 'a & b', unit: 'records/s', bars })
    const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(m => [
      m[1],
      Number(m[2]),
    ])
    expect(widths.map(([kind]) => kind)).toEqual(['ours', 'peer'])
    expect(Number(widths[0]![1]) / Number(widths[1]![1])).toBeCloseTo(2, 1)
    expect(svg).toContain('peer &lt;1&gt;')
    expect(svg).toContain('a &amp; b')
  })
})
