import { escaped } from '../src/cli/plot/page.js'
import { roundTicks } from '../src/cli/plot/ticks.js'

export interface Line {
  readonly label: string
  /** Time in s, and the value; NaN: there is none at that time. */
  readonly points: readonly (readonly [number, number])[]
}

/** Something that happened at a time, drawn as an upright line with its number. */
export interface Mark {
  readonly at: number
  readonly number: number
}

export interface LinePlot {
  readonly title: string
  /** Grafana's name of the unit: cps, s, short or percentunit. */
  readonly unit: string
  readonly lines: readonly Line[]
  readonly marks: readonly Mark[]
  /** s, where the axis of time begins and ends. */
  readonly from: number
  readonly to: number
}

const WIDTH = 420
const LEFT = 54
const RIGHT = 12
const TOP = 48
const CHART = 120
const LEGEND_ROW = 16
/** More cannot be told apart. */
const MAX_LINES = 6

const UNITS: Readonly<Record<string, (value: number) => string>> = {
  cps: value => `${digits(value)}/s`,
  s: value => (value < 1 && value > 0 ? `${digits(value * 1000)} ms` : `${digits(value)} s`),
  percentunit: value => `${digits(value * 100)} %`,
  short: value => digits(value),
}
const AXES: Readonly<Record<string, string>> = {
  cps: 'per second',
  s: 'seconds',
  percentunit: '%',
  short: '',
}

const digits = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))

const pixels = (value: number): string => String(Number(value.toFixed(1)))

const mostOf = ({ points }: Line): number =>
  points.reduce((most, [, value]) => (value > most ? value : most), Number.NEGATIVE_INFINITY)

/** The largest first. Those that stay at 0 beside others that do not are counted, not drawn. */
const shownOf = (lines: readonly Line[]): readonly Line[] => {
  const ranked = lines.filter(line => mostOf(line) >= 0).sort((a, b) => mostOf(b) - mostOf(a))
  const moving = ranked.filter(line => mostOf(line) > 0)
  return (moving.length > 0 ? moving : ranked).slice(0, MAX_LINES)
}

const restOf = (lines: readonly Line[], shown: readonly Line[]): string | undefined => {
  if (shown.length === 0) return 'no value in this time'
  const rest = lines.filter(line => !shown.includes(line))
  if (rest.length === 0) return undefined
  return `and ${rest.length} more ${rest.some(line => mostOf(line) > 0) ? 'with lower values' : 'at 0'}`
}

/** A path with gaps where there is no value; a level is drawn once, not point by point. */
const pathOf = ({ points }: Line, x: (at: number) => number, y: (value: number) => number): string => {
  const path: string[] = []
  points.forEach(([at, value], index) => {
    if (!Number.isFinite(value)) return
    const before = points[index - 1]?.[1]
    const isFirst = before === undefined || !Number.isFinite(before)
    if (!isFirst && before === value && points[index + 1]?.[1] === value) return
    path.push(`${isFirst ? 'M' : 'L'}${pixels(x(at))} ${pixels(y(value))}`)
  })
  // A point without neighbours is seen as a dot.
  return path.length === 1 ? `${path[0]}h.1` : path.join('')
}

/** Lines over time as one SVG that is read on light and on dark pages: title, axes with units, legend. */
export const linePlot = ({ title, unit, lines, marks, from, to }: LinePlot): string => {
  const format = UNITS[unit] ?? digits
  const shown = shownOf(lines)
  const rest = restOf(lines, shown)
  const ticks = roundTicks(Math.max(0, ...shown.map(mostOf)), 4)
  const bottom = TOP + CHART
  const x = (at: number): number => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - RIGHT)
  const y = (value: number): number => bottom - (value / ticks.at(-1)!) * CHART
  const everyS = [5, 10, 20, 30, 60, 120].find(each => (to - from) / each <= 7) ?? 300
  const times = Array.from({ length: Math.floor((to - from) / everyS) + 1 }, (_, at) => at * everyS)
  const legend = [
    ...shown.map(
      ({ label }, at) =>
        `<path class="l c${at}" d="M${LEFT} ${bottom + 44 + at * LEGEND_ROW}h16"/><text x="${LEFT + 24}" y="${bottom + 44 + at * LEGEND_ROW}">${escaped(label)}</text>`,
    ),
    ...(rest === undefined
      ? []
      : [`<text x="${LEFT + 24}" y="${bottom + 44 + shown.length * LEGEND_ROW}">${rest}</text>`]),
  ]
  const height = bottom + 44 + legend.length * LEGEND_ROW
  const axis = AXES[unit]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
text{font:11px system-ui,sans-serif;dominant-baseline:central;fill:#57606a}
.t{font-weight:600;font-size:14px;fill:#24292f}
.g{stroke:#d8dee4;fill:none}.m{stroke:#8c959f;stroke-dasharray:3 3}.l{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#cc79a7}.c4{stroke:#b58900}.c5{stroke:#7a5cb8}
@media (prefers-color-scheme:dark){text{fill:#9198a1}.t{fill:#f0f6fc}.g{stroke:#30363d}.m{stroke:#6e7681}.c0{stroke:#4aa8e8}.c1{stroke:#f08a4b}.c2{stroke:#2fc79b}.c3{stroke:#e39cc5}.c4{stroke:#e6c229}.c5{stroke:#b39ae8}}
</style>
<text class="t" x="8" y="14">${escaped(title)}${axis ? ` (${axis})` : ''}</text>
<path class="g" d="${ticks.map(tick => `M${LEFT} ${pixels(y(tick))}H${WIDTH - RIGHT}`).join('')}"/>
${ticks.map(tick => `<text x="${LEFT - 6}" y="${pixels(y(tick))}" text-anchor="end">${escaped(format(tick))}</text>`).join('')}
${times.map(at => `<text x="${pixels(x(from + at))}" y="${bottom + 14}" text-anchor="middle">${at} s</text>`).join('')}
${marks.map(({ at, number }) => `<path class="m" d="M${pixels(x(at))} ${TOP - 8}V${bottom}"/><text x="${pixels(x(at))}" y="${TOP - 14}" text-anchor="middle">${number}</text>`).join('')}
${shown.map((line, at) => `<path class="l c${at}" d="${pathOf(line, x, y)}"/>`).join('\n')}
${legend.join('\n')}
</svg>
`
}
