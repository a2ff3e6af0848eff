import { figure } from './format.js'
import type { PlotBar } from './report.js'

export interface Plot {
  readonly title: string
  readonly unit: string
  readonly bars: readonly PlotBar[]
}

const WIDTH = 840
const LABEL_WIDTH = 380
const VALUE_WIDTH = 110
const BAR_HEIGHT = 20
const STEP = 28
const TOP = 48

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A horizontal bar plot that is read on light and on dark pages; the longest bar first. */
export const barPlot = ({ title, unit, bars }: Plot): string => {
  const sorted = [...bars].sort((a, b) => b.value - a.value)
  const longest = Math.max(...sorted.map(({ value }) => value), Number.MIN_VALUE)
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
  const height = TOP + sorted.length * STEP + 8
  const rows = sorted.map(({ label, value, ours }, at) => {
    const y = TOP + at * STEP
    const middle = y + BAR_HEIGHT / 2
    const width = Math.max(1, (value / longest) * room)
    const kind = ours ? 'ours' : 'peer'
    return [
      `  <text class="label" x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `  <rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
      `  <text class="value" x="${(LABEL_WIDTH + width + 8).toFixed(1)}" y="${middle}">${figure(value)}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
  <style>
    text { font: 13px system-ui, sans-serif; dominant-baseline: central; fill: #57606a }
    .title { font-weight: 600; font-size: 15px; fill: #24292f }
    .value { font-variant-numeric: tabular-nums }
    .ours { fill: #1f7a4d }
    .peer { fill: #afb8c1 }
    @media (prefers-color-scheme: dark) {
      text { fill: #9198a1 }
      .title { fill: #f0f6fc }
      .ours { fill: #3fb37f }
      .peer { fill: #545d68 }
    }
  </style>
  <text class="title" x="${LABEL_WIDTH}" y="20">${escaped(title)} (${escaped(unit)})</text>
${rows.join('\n')}
</svg>
`
}
