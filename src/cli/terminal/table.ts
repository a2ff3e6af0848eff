import type { Style } from './style.js'

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

export interface TableText {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** A last row under the others, such as their sums. */
  readonly footer?: readonly string[]
}

const GAP = '  '

/** Lines of a table without rules or borders: dim titles, aligned columns, a bold footer. Each is indented by two spaces. */
export function tableLines(table: TableText, style: Style): string[] {
  const { columns, rows, footer } = table
  const everyRow = footer ? [...rows, footer] : rows
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...everyRow.map(row => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? ''
        const width = widths[index] ?? 0
        return column.align === 'left' ? cell.padEnd(width) : cell.padStart(width)
      })
      .join(GAP)
      .trimEnd()
  return [
    `${GAP}${style.dim(line(columns.map(column => column.title)))}`,
    ...rows.map(row => `${GAP}${line(row)}`),
    ...(footer ? [`${GAP}${style.bold(line(footer))}`] : []),
  ]
}
