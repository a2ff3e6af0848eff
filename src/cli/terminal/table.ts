import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import type { Style } from './style.js'

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
  /** Where there is little room: columns of a higher number are left out before those of a lower. Default: never left out */
  readonly dropped?: number
}

export interface TableText {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** A last row under the others, such as their sums. */
  readonly footer?: readonly string[]
}

const GAP = '  '
/** The first column is not cut to less. characters */
const LEAST_NAME = 8

/** Lines of a table without rules or borders: dim titles, aligned columns, a bold footer. Each is indented by two spaces. */
export function tableLines(table: TableText, style: Style): string[] {
  const { columns, rows, footer } = table
  const widths = widthsOf(table)
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? ''
        const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(cell)))
        return column.align === 'left' ? cell + space : space + cell
      })
      .join(GAP)
      .trimEnd()
  return [
    `${GAP}${style.dim(line(columns.map(column => column.title)))}`,
    ...rows.map(row => `${GAP}${line(row)}`),
    ...(footer ? [`${GAP}${style.bold(line(footer))}`] : []),
  ]
}

/** The table with as many of its columns as `width` characters have room for, and the first column cut to what is left. */
export function fitTable(table: TableText, width: number): TableText {
  const { columns } = table
  const excess = lengthOf(table) - width
  if (excess <= 0) return table
  const least = Math.max(...columns.map(each => each.dropped ?? 0))
  if (least > 0) {
    const at = columns.findLastIndex(each => each.dropped === least)
    return fitTable(without(table, at), width)
  }
  const name = Math.max(LEAST_NAME, widthsOf(table)[0]! - excess)
  const cut = ([first = '', ...others]: readonly string[]) => [cliTruncate(first, name), ...others]
  return {
    columns,
    rows: table.rows.map(cut),
    ...(table.footer ? { footer: cut(table.footer) } : {}),
  }
}

const without = ({ columns, rows, footer }: TableText, at: number): TableText => ({
  columns: columns.toSpliced(at, 1),
  rows: rows.map(row => row.toSpliced(at, 1)),
  ...(footer ? { footer: footer.toSpliced(at, 1) } : {}),
})

const lengthOf = (table: TableText): number =>
  widthsOf(table).reduce((sum, each) => sum + GAP.length + each, 0)

function widthsOf({ columns, rows, footer }: TableText): number[] {
  const everyRow = footer ? [...rows, footer] : rows
  return columns.map((column, index) =>
    everyRow.reduce(
      (widest, row) => Math.max(widest, stringWidth(row[index] ?? '')),
      stringWidth(column.title),
    ),
  )
}
