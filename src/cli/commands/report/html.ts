import { htmlTable, TABLE_STYLE } from '../../plot/htmlTable.js'
import { hasSomething, LINE_CHART_STYLE, type LineChart, lineChart } from '../../plot/lineChart.js'
import { escaped, htmlPage } from '../../plot/page.js'
import { secondsText, sectionsOf } from '../../scrapes/sections.js'
import { formatCount, formatDuration, plural, printable } from '../../terminal/format.js'
import { CHARTS } from './charts.js'
import type { Recording } from './recording.js'

const STYLE = `body { max-width: 88rem }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1.8rem }
.sums { display: flex; flex-wrap: wrap; gap: .8rem 2rem; margin: 1rem 0 2rem } .sums div { min-width: 6.5rem } dt { color: var(--faint); font-size: .85rem } dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums } dd.bad { color: var(--bad) }
h2 { font-size: 1.1rem; margin-top: 2.2rem } li { overflow-wrap: anywhere }
`

/** Of a table: who has more topics looks for one that is busy or failing, and those come first. */
const MOST_ROWS = 200

/** The report as one HTML page. @param names of the services or files */
export function reportPage(recording: Recording, names: readonly string[]): string {
  const { moments, durationMs, readCount } = recording
  const from = moments[0]!.atMs
  const charts = chartsOf(recording)
  const empty = charts.filter(each => !hasSomething(each))
  const title = `Producers of ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
  const span = `${clock(from)} to ${clock(from + durationMs)} (${formatDuration(durationMs)}), ${plural(readCount, 'scrape')}`
  const body = [
    `<h1>${escaped(printable(title, 500))}</h1>`,
    `<p>${escaped(span)}</p>`,
    sums(recording),
    problems(recording),
    `<div class="charts">${charts.filter(hasSomething).map(lineChart).join('\n')}</div>`,
    ...(empty.length > 0
      ? [`<p>Nothing to show of: ${escaped(empty.map(each => each.title).join(', '))}.</p>`]
      : []),
    '<h2>In numbers</h2>',
    '<p>Counted from the first scrape to the last; per second on average; what waits and is connected as of the last.</p>',
    ...sectionsOf(recording.whole).map(each => htmlTable(each, MOST_ROWS)),
  ]
  return htmlPage({
    title: printable(title, 500),
    style: STYLE + LINE_CHART_STYLE + TABLE_STYLE,
    body: body.join('\n'),
  })
}

function chartsOf({ moments }: Recording): LineChart[] {
  const from = moments[0]!.atMs
  return CHARTS.map((spec, at) => {
    const readings = moments.map(each => each.readings?.[at])
    const names = new Set(readings.flatMap(each => [...(each?.keys() ?? [])]))
    return {
      ...spec,
      times: moments.map(({ atMs }) => atMs - from),
      lines: [...names].map(name => ({ name, values: readings.map(each => each?.get(name)) })),
      marks: moments.filter(each => each.restarted).map(({ atMs }) => atMs - from),
    }
  })
}

function sums(recording: Recording): string {
  const { whole } = recording
  const failed = whole.total('recordsFailed')
  const oldest = CHARTS.findIndex(each => each.title === 'Oldest record')
  const oldestOfAll = recording.moments.reduce(
    (most, { readings }) =>
      Math.max(most, ...[...(readings?.[oldest]?.values() ?? [])].map(each => each ?? 0)),
    0,
  )
  const [p50, p99] = whole.quantiles('deliverySeconds', [0.5, 0.99]).map(secondsText)
  const tile = (name: string, value: string, isBad = false) =>
    `<div><dt>${name}</dt><dd${isBad ? ' class="bad"' : ''}>${escaped(value)}</dd></div>`
  return `<dl class="sums">${[
    tile('records acknowledged', formatCount(whole.total('recordsSent'))),
    tile('failed', formatCount(failed), failed > 0),
    tile('retried', formatCount(whole.total('recordRetries'))),
    tile('delivery, p50', p50!),
    tile('delivery, p99', p99!),
    tile('oldest record', oldestOfAll > 0 ? secondsText(oldestOfAll) : 'none'),
    tile('restarts', formatCount(recording.moments.filter(each => each.restarted).length)),
  ].join('')}</dl>`
}

function problems({ problems: told, problemCount }: Recording): string {
  if (problemCount === 0) return ''
  const lines = told.map(
    ({ atMs, name, says }) => `<li>${escaped(printable(`${clock(atMs)} ${name}: ${says}`, 500))}</li>`,
  )
  const more = problemCount - told.length
  return `<h2>${escaped(plural(problemCount, 'scrape'))} failed</h2><ul>${lines.join('')}${more > 0 ? `<li>and ${formatCount(more)} more</li>` : ''}</ul>`
}

const clock = (atMs: number): string =>
  new Date(atMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC')
