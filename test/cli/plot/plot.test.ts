import { describe, expect, it } from 'vitest'
import { hasSomething, type LineChart, lineChart } from '../../../src/cli/plot/lineChart.js'
import { roundTicks, timeTicks } from '../../../src/cli/plot/ticks.js'

describe('ticks', () => {
  it.each([
    [0, 0, [0, 1]],
    [Number.NaN, 0, [0, 1]],
    [1, 0, [0, 0.25, 0.5, 0.75, 1]],
    [1114, 0, [0, 500, 1000, 1500]],
    [2, 1, [0, 1, 2]],
    [0.02, 1, [0, 1]],
  ])('of values up to %d are round', (most, leastStep, ticks) =>
    expect(roundTicks(most, 4, leastStep)).toEqual(ticks),
  )

  it.each([
    [18_000, [0, 5_000, 10_000, 15_000]],
    [3_600_000, [0, 900_000, 1_800_000, 2_700_000, 3_600_000]],
    [500, [0]],
  ])('of %d ms are times of a clock', (longMs, ticks) => expect(timeTicks(longMs, 5)).toEqual(ticks))

  it('are few, however long the time', () => expect(timeTicks(400 * 86_400_000, 5).length).toBeLessThan(8))
})

describe('a chart', () => {
  const chart = (lines: LineChart['lines']): LineChart => ({
    title: 'A <chart>',
    note: 'n',
    times: [0, 1000, 2000, 3000],
    lines,
    marks: [1000],
    format: String,
  })

  it('leaves a gap where nothing is known, and draws a value alone as a dot', () => {
    const html = lineChart(chart([{ name: 'x', values: [1, 2, undefined, 4] }]))
    expect(html.match(/ d="([^"]+)"/)![1]).toMatch(/^M[\d. ]+L[\d. ]+$/)
    expect(html.match(/<circle/g)).toHaveLength(1)
    expect(html).toContain('x: 4, at most 4')
  })

  it('has eight lines, the highest, and says how many it leaves out; what is 0 all the time is no line', () => {
    const lines = Array.from({ length: 12 }, (_, at) => ({ name: `l${at}.`, values: [at, at, at, at] }))
    const html = lineChart(chart(lines))
    expect(html.match(/<path/g)).toHaveLength(8)
    expect(html).toContain('l11.:')
    expect(html).not.toContain('l3.:')
    expect(html).toContain('and 3 more')
    expect(hasSomething(chart([{ name: 'x', values: [0, undefined, 0, 0] }]))).toBe(false)
  })

  it('escapes names and titles', () => {
    const html = lineChart(chart([{ name: `"><img src=x onerror='1'>`, values: [1, 1, 1, 1] }]))
    expect(html).not.toMatch(/<img|<chart/)
    expect(html).toContain('&quot;&gt;&lt;img src=x onerror=&#39;1&#39;&gt;')
  })
})
