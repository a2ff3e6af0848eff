import { figure, type Table } from './format.js'
import type { Claim, PlotBar } from './report.js'
import type { Result } from './results.js'

/** The documents' parts that are made of bench/results; the names of the questions give the order. */

type Results = ReadonlyMap<string, Result>
export type Named = { readonly name: string }

const cellOf = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
const row = (cells: readonly string[]): string => `| ${cells.map(cellOf).join(' | ')} |`

/** Not padded, as a table of the terminal is: nobody reads a page's source, and spaces make it twice as large. */
const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(row)].join('\n')

const ordered = (questions: readonly Named[], results: Results): [string, Result][] =>
  questions.flatMap(({ name }) => {
    const result = results.get(name)
    return result === undefined ? [] : [[name, result] as [string, Result]]
  })

const OURS_TO = 'ours to '
const isRatio = ({ what, unit, better, measured }: Claim): boolean =>
  what.startsWith(OURS_TO) && better === 'higher' && unit === 'x' && Number.isFinite(measured?.median)

const oursIn = ({ report }: Result): string => {
  const [plot] = report.plots
  const own = plot?.bars.find(({ ours }) => ours)
  return plot === undefined || own === undefined ? '' : `${figure(own.measured.median)} ${plot.unit}`
}

/** One line per question that compares clients: ratios are medians of those within a round, against a peer's fastest row. */
export const summaryTable = (questions: readonly Named[], results: Results): string =>
  table(
    ['question', 'this', 'as a multiple of'],
    ordered(questions, results).flatMap(([, result]) => {
      const ratios = result.report.claims.filter(isRatio)
      if (ratios.length === 0) return []
      const peers = ratios.map(
        ({ what, measured }) => `${what.slice(OURS_TO.length)}: ${figure(measured!.median)}x`,
      )
      return [[result.asks, oursIn(result), peers.join('; ')]]
    }),
  )

const details = ({ title, columns, rows }: Table): string => `**${title}**\n\n${table(columns, rows)}`

const measuredOn = ({ date, build }: Result): string =>
  `Measured on ${date}${build === undefined ? '' : `, build ${build}`}`

const sectionOf = ([name, result]: [string, Result]): string => {
  const { report, asks } = result
  return [
    `### ${asks}`,
    ...(report.plots.length > 0 ? [`![${asks}](benchmarks/${name}.svg)`] : []),
    `${measuredOn(result)}: ${report.conditions.join('; ')}.`.replaceAll('<', '&lt;'),
    ...(report.tables.length > 0
      ? [
          '<details><summary>The figures: medians, the least and the most in brackets</summary>',
          ...report.tables.map(details),
          '</details>',
        ]
      : []),
    ...(report.skipped.length > 0
      ? [
          `Not compared here, or failed: ${report.skipped.map(line => line.replaceAll('<', '&lt;')).join('; ')}.`,
        ]
      : []),
  ].join('\n\n')
}

/** A section per question that was measured: its picture, its conditions, its tables. */
export const sections = (questions: readonly Named[], results: Results): string =>
  ordered(questions, results).map(sectionOf).join('\n\n')

const lasted = ({ measured: { median }, note }: PlotBar): string => {
  const seconds = Number.isFinite(median)
    ? `${median < 10 ? Number(median.toPrecision(2)) : Math.round(median)} s`
    : '-'
  return note === undefined
    ? seconds
    : note.endsWith('written')
      ? `**${note}**, ${seconds}`
      : `${seconds}, ${note}`
}

const HEADLINES: readonly [string, RegExp][] = [
  ['50 topics', /^50 new topics, one send/],
  ['300 topics', /^300 new topics, one send/],
  ['1,000 topics', /^1,000 new topics, one send/],
  ['20 missing, auto-creation off', /^20 missing topics/],
]

/** The README's table: seconds until the last of one send() to each of so many topics has ended. */
export const newTopicsTable = (results: Results): string => {
  const result = results.get('new-topics')
  if (result === undefined) throw new Error('bench/results/new-topics.json is missing')
  const { plots } = result.report
  const columns = HEADLINES.map(([title, pattern]) => {
    const plot = plots.find(each => pattern.test(each.title))
    if (plot === undefined) throw new Error(`new-topics.json has no plot of ${title}`)
    return { title, bars: plot.bars }
  })
  const clients = columns[0]!.bars.map(({ label }) => label)
  return table(
    ['client', ...columns.map(({ title }) => title)],
    clients.map(client => [
      client === 'ours' ? 'this' : client,
      ...columns.map(({ bars }) => {
        const bar = bars.find(({ label }) => label === client)
        return bar === undefined ? '-' : lasted(bar)
      }),
    ]),
  )
}

/** What the README's table was measured on, in a line above it. */
export const newTopicsConditions = (results: Results): string => {
  const result = results.get('new-topics')!
  return `${measuredOn(result)}: ${result.report.conditions.join('; ')}.`
}
