import { figure } from './format.js'
import type { Plot, PlotBar } from './report.js'

const WIDTH = 840
const BAR = 18
const STEP = 26
const HEADING = 34
const GAP = 14
const FOOTER = 24
/** Of a character of 13 px, on average, in the fonts of the usual systems. px */
const CHARACTER = 6.9
const LEAST_CHART = 220

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, each => ENTITIES[each]!)
const pixels = (value: number): string => String(Number(value.toFixed(1)))
const widthOf = (text: string): number => text.length * CHARACTER

const isMeasured = ({ measured }: PlotBar): boolean => Number.isFinite(measured.median)
const shownValue = (bar: PlotBar): string =>
  isMeasured(bar) ? [figure(bar.measured.median), ...(bar.note ? [bar.note] : [])].join(', ') : 'no figure'

/** The best first; what was not measured last. */
const ranked = ({ better, bars }: Plot): PlotBar[] =>
  [...bars].sort((a, b) => {
    if (!isMeasured(a) || !isMeasured(b)) return Number(isMeasured(b)) - Number(isMeasured(a))
    return (a.measured.median - b.measured.median) * (better === 'lower' ? 1 : -1)
  })

interface Columns {
  /** px, where the bars begin */
  readonly left: number
  /** px, how long the longest bar may be */
  readonly chart: number
}

const columnsOf = (plots: readonly Plot[]): Columns => {
  const bars = plots.flatMap(plot => plot.bars)
  const left = Math.ceil(Math.max(0, ...bars.map(({ label }) => widthOf(label)))) + 16
  const values = Math.ceil(Math.max(0, ...bars.map(bar => widthOf(shownValue(bar))))) + 16
  return { left, chart: Math.max(LEAST_CHART, WIDTH - left - values) }
}

const whisker = ({ measured: { min, max } }: PlotBar, x: (value: number) => number, y: number): string => {
  if (!(max > min)) return ''
  const [from, to, middle] = [pixels(x(min)), pixels(x(max)), y + BAR / 2]
  return `<path class="range" d="M${from} ${middle - 4}v8M${from} ${middle}H${to}M${to} ${middle - 4}v8"/>`
}

const section = (plot: Plot, top: number, { left, chart }: Columns): string => {
  const bars = ranked(plot)
  const most = Math.max(...bars.filter(isMeasured).map(({ measured }) => measured.max), Number.MIN_VALUE)
  const x = (value: number): number => left + (value / most) * chart
  const direction = plot.better === 'higher' ? 'longer is better' : 'shorter is better'
  const rows = bars.map((bar, at) => {
    const y = top + HEADING + at * STEP
    const middle = y + BAR / 2
    const end = isMeasured(bar) ? x(Math.max(bar.measured.median, bar.measured.max)) : left
    return [
      `<text x="${left - 8}" y="${middle}" text-anchor="end">${escaped(bar.label)}</text>`,
      isMeasured(bar)
        ? `<rect class="${bar.ours ? 'ours' : 'peer'}" x="${left}" y="${y}" width="${pixels(Math.max(1, x(bar.measured.median) - left))}" height="${BAR}" rx="2"/>`
        : '',
      isMeasured(bar) ? whisker(bar, x, y) : '',
      `<text class="value" x="${pixels(end + 8)}" y="${middle}">${escaped(shownValue(bar))}</text>`,
    ].join('')
  })
  return [
    `<text class="title" x="8" y="${top + 14}">${escaped(plot.title)} (${escaped(plot.unit)}; ${direction})</text>`,
    ...rows,
  ].join('\n')
}

/**
 * Horizontal bars of medians with whiskers from the least to the most of the rounds, as one SVG that is read on light and on dark
 * pages; the plots stand below each other, each with a scale of its own that begins at 0.
 */
export const barPlots = (title: string, plots: readonly Plot[]): string => {
  const columns = columnsOf(plots)
  const width = Math.max(WIDTH, columns.left + columns.chart)
  let height = 0
  const sections = plots.map(plot => {
    const drawn = section(plot, height, columns)
    height += HEADING + plot.bars.length * STEP + GAP
    return drawn
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + FOOTER}" width="${width}" height="${height + FOOTER}" role="img" aria-label="${escaped(title)}">
<style>
text{font:13px system-ui,sans-serif;dominant-baseline:central;fill:#57606a}
.title{font-weight:600;font-size:14px;fill:#24292f}
.value{font-variant-numeric:tabular-nums}
.ours{fill:#1f7a4d}.peer{fill:#afb8c1}.range{fill:none;stroke:#24292f;stroke-width:1.2}
@media (prefers-color-scheme:dark){text{fill:#9198a1}.title{fill:#f0f6fc}.ours{fill:#2f9e6e}.peer{fill:#545d68}.range{stroke:#f0f6fc}}
</style>
${sections.join('\n')}
<text x="8" y="${height + 8}">Bar: median of the rounds. Whisker: the least and the most of them.</text>
</svg>
`
}
