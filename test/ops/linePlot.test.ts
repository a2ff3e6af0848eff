import { describe, expect, test } from 'vitest'
import { type LinePlot, linePlot } from '../../ops/linePlot.js'

const plot = (over: Partial<LinePlot> = {}): LinePlot => ({
  title: 'Records <sent>',
  unit: 'cps',
  lines: [],
  marks: [],
  from: 100,
  to: 140,
  ...over,
})
const line = (label: string, ...points: [number, number][]) => ({ label, points })
const pathsIn = (svg: string): string[] =>
  [...svg.matchAll(/<path class="l c\d" d="(M[^"]*)"\/>\n/g)].map(([, path]) => path!)

describe('a panel as a picture', () => {
  test('has a title, units on both axes, and a legend, all of them escaped', () => {
    const svg = linePlot(plot({ lines: [line('a & b', [100, 0], [120, 2000])] }))
    for (const text of ['Records &lt;sent&gt; (per second)', '>2,000/s<', '>20 s<', '>a &amp; b<'])
      expect(svg).toContain(text)
  })

  test('draws in proportion, from the left end to the right one and from 0 up', () => {
    const [path] = pathsIn(linePlot(plot({ lines: [line('a', [100, 0], [120, 5], [140, 10])] })))
    const points = path!
      .slice(1)
      .split('L')
      .map(point => point.split(' ').map(Number))
    expect(points).toEqual([
      [54, 168],
      [231, 108],
      [408, 48],
    ])
  })

  test('has a gap where there is no value, and a dot for a value alone', () => {
    const points: [number, number][] = [
      [100, 1],
      [110, 1],
      [120, Number.NaN],
      [130, 1],
    ]
    const [path] = pathsIn(linePlot(plot({ lines: [line('p99', ...points)] })))
    expect(path!.match(/M/g)).toHaveLength(2)
    const [dot] = pathsIn(linePlot(plot({ lines: [line('p99', [130, 1])] })))
    expect(dot).toContain('h.1')
  })

  test('draws what moves, the largest first, and counts the rest', () => {
    const lines = [
      line('zero', [100, 0]),
      ...Array.from({ length: 8 }, (_, i) => line(`s${i}`, [100, i + 1])),
    ]
    const svg = linePlot(plot({ lines }))
    expect(svg.indexOf('>s7<')).toBeLessThan(svg.indexOf('>s6<'))
    expect(svg).toContain('and 3 more with lower values')
    const zeros = [line('zero', [100, 0]), line('one', [100, 1])]
    expect(linePlot(plot({ lines: zeros }))).toContain('and 1 more at 0')
    expect(linePlot(plot({ lines: zeros.slice(0, 1) }))).toContain('>zero<')
    expect(linePlot(plot({ lines: [line('p99', [100, Number.NaN])] }))).toContain('no value in this time')
  })
})
