import { escaped } from './page.js'
import { roundTicks, timeTicks } from './ticks.js'
import { timeAxis } from './timeAxis.js'

export interface Line {
  readonly name: string
  /** One per time of the chart; undefined: not known then. */
  readonly values: readonly (number | undefined)[]
}

export interface LineChart {
  readonly title: string
  readonly note: string
  /** Ascending from 0. ms */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  /** Times that are marked, such as restarts. ms */
  readonly marks: readonly number[]
  readonly format: (value: number) => string
  /** Between two lines of the scale. Default: any; 1 for what is counted */
  readonly leastStep?: number
}

const WIDTH = 420
const LEFT = 70
const RIGHT = 34
const TOP = 10
const BOTTOM = 158
const HEIGHT = 182
const PLOT = { left: LEFT, width: WIDTH - LEFT - RIGHT, top: TOP, bottom: BOTTOM }
/** More cannot be told apart. */
const MAX_LINES = 8

/** Its colours are of the Okabe-Ito palette, which colour-blind readers can tell apart; the second half is dashed too. */
export const LINE_CHART_STYLE = `:root { --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #b58900; --c5: #56b4e9; --c6: #7a5cb8; --c7: #777 }
@media (prefers-color-scheme: dark) { :root { --c0: #4aa8e8; --c1: #f08a4b; --c2: #2fc79b; --c3: #e39cc5; --c4: #e6c229; --c5: #8fd0f5; --c6: #b39ae8; --c7: #aaa } }
figure { margin: 0 } figure .axis { font-size: 13px } figcaption { margin-bottom: .3rem } figcaption b { display: block } figcaption span, .legend { color: var(--faint); font-size: .85rem }
.legend { list-style: none; margin: .2rem 0 0; padding: 0 } .legend li { overflow-wrap: anywhere }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke } .mark { stroke: var(--bad); stroke-dasharray: 2 3 }
${Array.from({ length: MAX_LINES }, (_, at) => `.line.c${at} { stroke: var(--c${at})${at < MAX_LINES / 2 ? '' : '; stroke-dasharray: 6 3'} } .key.c${at} { background: var(--c${at}) } .dot.c${at} { fill: var(--c${at}) }`).join('\n')}
`

/** Whether there is anything to see: a value that is not 0. */
export const hasSomething = ({ lines }: LineChart): boolean =>
  lines.some(({ values }) => values.some(value => value !== undefined && value !== 0))

/** A chart over time as an HTML figure: what it shows, lines, and a legend with each line's last and largest value. */
export function lineChart(chart: LineChart): string {
  const { title, note, times, marks, format } = chart
  const ranked = chart.lines
    .map(line => ({ ...line, most: largest(line.values) }))
    .filter(({ most }) => most > 0)
    .sort((a, b) => b.most - a.most)
  const lines = ranked.slice(0, MAX_LINES)
  const longMs = Math.max(1, times.at(-1) ?? 0)
  const ticks = roundTicks(lines[0]?.most ?? 0, 4, chart.leastStep)
  const top = ticks.at(-1)!
  const x = (ms: number) => (LEFT + (ms / longMs) * PLOT.width).toFixed(1)
  const y = (value: number) => (BOTTOM - (value / top) * (BOTTOM - TOP)).toFixed(1)
  const levels = ticks.map(
    tick =>
      `<line class="tick" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/><text class="axis" x="${LEFT - 6}" y="${y(tick)}" dy="4" text-anchor="end">${escaped(format(tick))}</text>`,
  )
  const restarts = marks.map(
    ms =>
      `<line class="mark" x1="${x(ms)}" x2="${x(ms)}" y1="${TOP}" y2="${BOTTOM}"><title>restarted</title></line>`,
  )
  const drawn = lines.map(({ name, values }, at) => drawLine(name, values, times, `c${at}`, x, y))
  const legend = lines.map(({ name, values, most }, at) => {
    const last = values.at(-1)
    return `<li><span class="key c${at}"></span>${escaped(name)}: ${last === undefined ? 'not known at the end' : escaped(format(last))}, at most ${escaped(format(most))}</li>`
  })
  const hidden = ranked.length - lines.length
  return `<figure>
<figcaption><b>${escaped(title)}</b><span>${escaped(note)}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(`${title}: ${lines.map(each => `${each.name} at most ${format(each.most)}`).join(', ')}`)}">
${timeAxis(PLOT, timeTicks(longMs, 5), longMs)}
${[...levels, ...restarts, ...drawn].join('\n')}
</svg>
<ul class="legend">${legend.join('')}${hidden > 0 ? `<li>and ${hidden} more with lower values</li>` : ''}</ul>
</figure>`
}

/** A path with a gap where nothing is known; a value alone between two gaps is a dot. */
function drawLine(
  name: string,
  values: readonly (number | undefined)[],
  times: readonly number[],
  colour: string,
  x: (ms: number) => string,
  y: (value: number) => string,
): string {
  const path: string[] = []
  const dots: string[] = []
  values.forEach((value, at) => {
    if (value === undefined) return
    const [fromX, fromY] = [x(times[at]!), y(value)]
    const begins = values[at - 1] === undefined
    if (begins && values[at + 1] === undefined)
      dots.push(`<circle class="dot ${colour}" cx="${fromX}" cy="${fromY}" r="2.5"/>`)
    else path.push(`${begins ? 'M' : 'L'}${fromX} ${fromY}`)
  })
  const line =
    path.length === 0
      ? ''
      : `<path class="line ${colour}" d="${path.join('')}"><title>${escaped(name)}</title></path>`
  return line + dots.join('')
}

const largest = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((most, each) => Math.max(most, each ?? 0), 0)
