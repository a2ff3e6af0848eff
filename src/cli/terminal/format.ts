import { UNPRINTABLE } from '../../util/printable.js'

const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export const formatCount = (value: number): string => count.format(value)

/** `1 topic`, `12 topics`. */
export const plural = (value: number, singular: string, several = `${singular}s`): string =>
  `${formatCount(value)} ${value === 1 ? singular : several}`

/** A duration in ms as a person reads it: `412 ms`, `1.3 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * Text from outside (an error message, a field of an input line) made safe to print: control characters, which could
 * move a terminal's cursor or forge a line, are escaped, and what is longer than `maxLength` characters is cut.
 */
export function printable(text: string, maxLength = 500): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text
  return cut.replace(UNPRINTABLE, char =>
    char === '\n' || char === '\t' ? ' ' : `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}

/** A number of events per second: `0`, `0.4`, `12,345`. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0'
  if (perSecond < 0.05) return '<0.1'
  return perSecond < 9.95 ? perSecond.toFixed(1) : formatCount(perSecond)
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

/** `512 bytes`, `25.4 MiB`. */
export function formatBytes(bytes: number): string {
  const at = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  return at === 0 ? `${formatCount(bytes)} bytes` : `${(bytes / 1024 ** at).toFixed(1)} ${UNITS[at]}`
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of block characters. @param share of the whole width, 0 to 1 */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8)
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(width)
}
