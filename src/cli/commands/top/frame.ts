import { Figures } from '../../scrapes/figures.js'
import {
  bufferShare,
  bufferText,
  nameText,
  rateText,
  type Section,
  secondsText,
  sectionsOf,
  waitingText,
} from '../../scrapes/sections.js'
import type { Watch } from '../../scrapes/watch.js'
import { bar, formatCount, formatDuration, plural, printable } from '../../terminal/format.js'
import { fitToWidth } from '../../terminal/progress.js'
import type { Style } from '../../terminal/style.js'
import { fitTable, tableLines } from '../../terminal/table.js'

export interface Frame {
  readonly watches: readonly Watch[]
  /** ms, monotonic */
  readonly now: number
  readonly columns: number
  /** How many lines there is room for; undefined: as many as there are. */
  readonly rows: number | undefined
}

/** For how long a restart is told. ms */
const RESTART_SHOWN_MS = 60_000
const BAR_WIDTH = 16
/** Rows of a table, where nothing else limits them. */
const MOST_ROWS = 50

/** Everything that is known at this moment, as lines of a terminal. */
export function frameLines({ watches, now, columns, rows = Infinity }: Frame, style: Style): string[] {
  const figures = new Figures(watches.flatMap(each => each.entries ?? []))
  const isKnown = watches.some(each => each.entries !== undefined)
  const head = [
    ...watches.flatMap(each => statusLines(each, now, style)),
    ...(isKnown ? ['', ...summaryLines(figures, style)] : []),
  ]
  const sections = isKnown
    ? sectionsOf(figures).map(each => ({ ...each, ...fitTable(each, columns - 1) }))
    : []
  const counts = shareOut(
    sections.map(each => Math.min(each.rows.length, MOST_ROWS)),
    rows - head.length,
  )
  const lines = [...head, ...sections.flatMap((each, at) => sectionLines(each, counts[at]!, style))]
  return lines.slice(0, rows).map(line => fitToWidth(line, columns))
}

function statusLines(watch: Watch, now: number, style: Style): string[] {
  const { target, problem, since, restartedAt } = watch
  const name = style.bold(printable(target.name, 200))
  if (since === undefined) return [`${name}  ${style.dim('asking ...')}`]
  if (problem !== undefined) {
    const [what = '', ...remedy] = printable(problem, 300).split(': ')
    return [
      `${name}  ${style.red(`not readable since ${formatDuration(now - since)}`)}`,
      `  ${what}`,
      ...(remedy.length > 0 ? [`  -> ${remedy.join(': ')}`] : []),
    ]
  }
  const notes = [
    ...clientNotes(watch),
    ...(restartedAt !== undefined && now - restartedAt < RESTART_SHOWN_MS && !watch.isSeveral
      ? [style.yellow(`restarted ${formatDuration(now - restartedAt)} ago`)]
      : []),
  ]
  return [
    `${name}  ${[style.green('up'), ...notes].join(' · ')}`,
    ...(watch.isSeveral
      ? [
          style.yellow('  counters go back again and again: rates are wrong'),
          '  -> give the URL of each process, not that of a load balancer or of node:cluster',
        ]
      : []),
  ]
}

/** Who is behind a service: the only client, and what version it runs. */
function clientNotes({ entries = [] }: Watch): string[] {
  const valuesOf = (label: string) => [
    ...new Set(entries.map(({ labels }) => labels.get(label)).filter(each => each !== undefined)),
  ]
  const clients = valuesOf('client_id')
  const [build] = entries.filter(({ metric }) => metric === 'build_info')
  return [
    ...(clients.length === 1 ? [`client_id ${nameText(clients[0]!)}`] : []),
    ...(build === undefined
      ? []
      : [
          `version ${nameText(build.labels.get('version') ?? '?')}, Node.js ${nameText(build.labels.get('node') ?? '?')}`,
        ]),
  ]
}

function summaryLines(figures: Figures, style: Style): string[] {
  const failing = (figures.rate('recordsFailed') ?? 0) > 0
  const waiting = waitingText(figures)
  const oldest = figures.level('oldestRecordSeconds') ?? 0
  const [p50, p99] = figures.quantiles('deliverySeconds', [0.5, 0.99]).map(secondsText)
  const failed = `failed ${rateText(figures.rate('recordsFailed'))}`
  const share = bufferShare(figures)
  const drawn = share < 0.01 ? '' : `${bar(share, BAR_WIDTH)} `
  const gauge = share >= 0.8 ? style.yellow(drawn) : drawn
  const ended = figures.rates('transactionsEnded', 'outcome')
  const transactions = [...ended].filter(
    ([outcome]) => (figures.totals('transactionsEnded', 'outcome').get(outcome) ?? 0) > 0,
  )
  return [
    `records/s    acknowledged ${rateText(figures.rate('recordsSent'))} · ${failing ? style.red(failed) : failed} · retried ${rateText(figures.rate('recordRetries'))}`,
    `since start  acknowledged ${formatCount(figures.total('recordsSent'))} · failed ${formatCount(figures.total('recordsFailed'))} · retried ${formatCount(figures.total('recordRetries'))}`,
    `delivery     p50 ${p50} · p99 ${p99} · oldest record ${oldest > 0 ? secondsText(oldest) : 'none'}`,
    `waiting      ${waiting === undefined ? 'nothing' : style.yellow(waiting)}`,
    `buffer       ${gauge}${bufferText(figures)} · ${plural(figures.level('bufferedRecords') ?? 0, 'record')} · ${plural(figures.level('requestsInFlight') ?? 0, 'request')} in flight`,
    ...(transactions.length > 0
      ? [
          `transactions ${transactions.map(([outcome, rate]) => `${nameText(outcome)} ${rateText(rate)}/s`).join(' · ')}`,
        ]
      : []),
  ]
}

function sectionLines(section: Section, count: number, style: Style): string[] {
  if (count === 0) return []
  const hidden = section.rows.length - count
  const shown = hidden > 0 ? section.rows.slice(0, Math.max(1, count - 1)) : section.rows
  const more = section.rows.length - shown.length
  return [
    '',
    ...tableLines({ ...section, rows: shown }, style).map(line => line.slice(2)),
    ...(more > 0 && count > 1 ? [style.dim(`... ${formatCount(more)} more`)] : []),
  ]
}

/** Lines of a section beside its rows: an empty one and its titles. */
const OVERHEAD = 2

/**
 * How many rows each section may have, so that all have a part of the lines: the longest give way, and then the last ones.
 *
 * @param rows that each would have
 * @param lines that there are for all; Infinity: as many as they like
 */
export function shareOut(rows: readonly number[], lines: number): number[] {
  const given = [...rows]
  const used = () => given.reduce((sum, each) => sum + (each > 0 ? each + OVERHEAD : 0), 0)
  while (used() > lines) {
    const longest = Math.max(...given)
    if (longest > 1) given[given.lastIndexOf(longest)] = longest - 1
    else given[given.lastIndexOf(1)] = 0
  }
  return given
}
