const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export const formatCount = (value: number): string => count.format(value)

/** `1 topic`, `12 topics`. */
export const plural = (value: number, singular: string, several = `${singular}s`): string =>
  `${formatCount(value)} ${value === 1 ? singular : several}`

/** `412 ms`, `1.3 s`. */
export const formatDuration = (ms: number): string =>
  ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of block characters. @param share of the whole width, 0 to 1 */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8)
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(width)
}

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

/** Lines of a table: titles, rows, and a last row under them such as their sums. Each is indented by two spaces. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  footer: readonly string[] | undefined,
): string[] {
  const lines = [columns.map(each => each.title), ...rows, ...(footer ? [footer] : [])]
  const widths = columns.map((_, at) => Math.max(...lines.map(cells => cells[at]?.length ?? 0)))
  return lines.map(cells =>
    `  ${columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? ''
        return align === 'left' ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)
      })
      .join('  ')}`.trimEnd(),
  )
}
