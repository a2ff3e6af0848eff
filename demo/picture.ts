import type { Deliveries, TopicProgress } from './deliveries.js'
import type { Figures } from './figures.js'
import { appearance } from './summary.js'
import { formatCount, formatDuration, plural } from './text.js'

const ROW = 30
const LEFT = 190
const CHART = 520
const RIGHT = 190
const WIDTH = LEFT + CHART + RIGHT

/** A picture of a run as one HTML file that needs nothing else: no script, no font, no request. */
export function pictureOf(deliveries: Deliveries, figures: Figures, summary: string, where: string): string {
  const { topics } = deliveries
  const fullMs = Math.max(1, ...topics.map(each => each.endedAfterMs ?? each.appearedAfterMs ?? 0))
  const bottom = topics.length * ROW
  const rows = topics.map((each, at) => rowOf(each, at * ROW, fullMs, figures)).join('\n')
  const ticks = [0, 0.25, 0.5, 0.75, 1]
    .map(share => {
      const x = LEFT + share * CHART
      return `<line class="tick" x1="${x}" x2="${x}" y1="0" y2="${bottom}"/><text class="axis" x="${x}" y="${bottom + 18}" text-anchor="middle">${escaped(formatDuration(share * fullMs))}</text>`
    })
    .join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(summary)}</title>
<style>
:root { color-scheme: light dark; --ink: #1d2733; --faint: #8a94a0; --line: #dfe4ea; --wait: #f2b84b; --send: #2f7ed8; --bad: #c73a3a; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --faint: #93a0ad; --line: #333d48; --paper: #14191f } }
body { margin: 2rem auto; max-width: ${WIDTH + 40}px; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.35rem } p { color: var(--faint) } svg { width: 100%; height: auto }
text { fill: var(--ink); font-size: 13px } .axis { fill: var(--faint); font-size: 11px } .tick { stroke: var(--line) }
.wait { fill: var(--wait) } .send { fill: var(--send) } .failed { fill: var(--bad) }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 1em } .key.wait { background: var(--wait); margin-left: 0 } .key.send { background: var(--send) } .key.failed { background: var(--bad) }
</style>
</head>
<body>
<h1>${escaped(summary)}</h1>
<p>On ${escaped(where)}. <span class="key wait"></span>until the topic could be written to<span class="key send"></span>until its last record was acknowledged<span class="key failed"></span>failed</p>
<svg viewBox="0 0 ${WIDTH} ${bottom + 26}" role="img" aria-label="When each topic was there, and when its records had arrived">
${ticks}
${rows}
</svg>
</body>
</html>
`
}

function rowOf(progress: TopicProgress, y: number, fullMs: number, figures: Figures): string {
  const { topic, appearedAfterMs, endedAfterMs, delivered, failed } = progress
  const x = (ms: number) => LEFT + (ms / fullMs) * CHART
  const there = appearedAfterMs ?? endedAfterMs ?? fullMs
  const ended = endedAfterMs ?? there
  const box = (kind: string, from: number, to: number) =>
    // Hundreds of records arrive within a millisecond: what happened stays visible.
    `<rect class="${kind}" x="${x(from).toFixed(1)}" y="${y + 7}" width="${Math.max(2, x(to) - x(from)).toFixed(1)}" height="${ROW - 14}" rx="2"/>`
  const says = [
    failed > 0 ? `${formatCount(failed)} failed` : plural(delivered.length, 'record'),
    appearance(progress, figures),
  ].join(' · ')
  return [
    `<text x="${LEFT - 10}" y="${y + 19}" text-anchor="end">${escaped(topic)}</text>`,
    box(appearedAfterMs === undefined ? 'failed' : 'wait', 0, there),
    ...(appearedAfterMs === undefined ? [] : [box('send', there, ended)]),
    `<text x="${LEFT + CHART + 10}" y="${y + 19}">${escaped(says)}</text>`,
  ].join('')
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
])

const escaped = (text: string): string => text.replace(/[&<>"]/g, each => ENTITIES.get(each)!)
