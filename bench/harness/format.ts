import type { Spread } from './stats.js'

/** Three significant digits, thousands apart: 1,234,567 and 0.0123. */
export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return '-'
  if (Math.abs(value) >= 1000) return Number(value.toPrecision(3)).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

export const figureWithRange = ({ median, min, max }: Spread, unit = ''): string =>
  Number.isFinite(median) ? `${figure(median)}${unit} (${figure(min)} - ${figure(max)})` : '-'

export const times = (ratio: Spread): string => figureWithRange(ratio, 'x')

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A GitHub table whose source is aligned too: it is read in the terminal as often as on a page. */
export const markdown = ({ title, columns, rows }: Table): string => {
  const escaped = [columns, ...rows].map(row => row.map(cell => cell.replaceAll('|', '\\|')))
  const widths = columns.map((_, at) => Math.max(3, ...escaped.map(row => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`
  const [head, ...body] = escaped
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  return [`**${title}**`, '', line(head!), rule, ...body.map(line)].join('\n')
}
