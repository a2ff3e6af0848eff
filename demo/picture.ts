import { escaped, htmlPage } from '../src/cli/plot/page.js'
import { timeAxis } from '../src/cli/plot/timeAxis.js'
import { formatCount, plural } from '../src/cli/terminal/format.js'
import type { Deliveries, TopicProgress } from './deliveries.js'
import type { Figures } from './figures.js'
import { appearance } from './summary.js'

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
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(share => share * fullMs)
  const axis = timeAxis({ left: LEFT, width: CHART, top: 0, bottom }, ticks, fullMs)
  const body = `<h1>${escaped(summary)}</h1>
<p>On ${escaped(where)}. <span class="key wait"></span>until the topic could be written to <span class="key send"></span>until its last record was acknowledged <span class="key failed"></span>failed</p>
<svg viewBox="0 0 ${WIDTH} ${bottom + 26}" role="img" aria-label="When each topic was there, and when its records had arrived">
${axis}
${rows}
</svg>`
  return htmlPage({ title: summary, style: STYLE, body })
}

const STYLE = `body { max-width: ${WIDTH + 40}px } .wait { fill: var(--wait) } .send { fill: var(--send) } .failed { fill: var(--bad) }
.key.wait { background: var(--wait) } .key.send { background: var(--send) } .key.failed { background: var(--bad) }
`

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
