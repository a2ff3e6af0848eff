import { quoted } from '../../util/printable.js'

/** `text`: Prometheus's text format 0.0.4. `openmetrics`: OpenMetrics 1.0, which ends with `# EOF`. */
export type ExpositionFormat = 'text' | 'openmetrics'

export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
  /** ms since the epoch; undefined: the sample carries no time */
  readonly timestampMs: number | undefined
}

/** The text is no exposition of metrics. */
export class ExpositionError extends Error {
  override name = 'ExpositionError'
}

/** Longer than any line of a service in its senses. characters */
const MAX_LINE = 1024 * 1024
/** How much of a wrong line an error quotes. characters */
const QUOTED = 40

const END = /$/y
const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y
const QUOTED_TEXT = /"((?:[^"\\]|\\.)*)"/y
const VALUE = /(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?|nan)(?![^ \t])/iy
const MILLISECONDS = /-?\d{1,17}(?![^ \t])/y
const SECONDS = /-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![^ \t])/iy

/** In what the two formats differ. */
interface Grammar {
  /** Between the parts of a line. */
  readonly space: RegExp
  /** Around the parts of a set of labels. */
  readonly optionalSpace: RegExp
  readonly types: ReadonlySet<string>
}

const GRAMMARS: Readonly<Record<ExpositionFormat, Grammar>> = {
  text: {
    space: /[ \t]+/y,
    optionalSpace: /[ \t]*/y,
    types: new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']),
  },
  openmetrics: {
    space: / /y,
    optionalSpace: /(?:)/y,
    types: new Set([
      'counter',
      'gauge',
      'histogram',
      'gaugehistogram',
      'summary',
      'stateset',
      'info',
      'unknown',
    ]),
  },
}

/** The format of a text that nobody has named: OpenMetrics is recognized by its end. */
export const formatOf = (text: string): ExpositionFormat =>
  /(?:^|\n)# EOF\n?$/.test(text.slice(-8)) ? 'openmetrics' : 'text'

/**
 * The samples of an exposition, in their order. Names in quotes (UTF-8 names of Prometheus 3) are understood, exemplars are read and
 * left out.
 *
 * @see https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 * @throws {ExpositionError} at the first line that the format does not allow, with its number
 */
export function* parseExposition(text: string, format: ExpositionFormat = formatOf(text)): Generator<Sample> {
  const grammar = GRAMMARS[format]
  let number = 0
  let hasEnded = false
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const line = new Line(text.slice(at, end), ++number)
    at = end + 1
    if (line.length > MAX_LINE) throw line.error(`the line has ${line.length} characters`)
    if (hasEnded) throw line.error('nothing may follow "# EOF"')
    if (format === 'text') line.take(/[ \t]*/y)
    if (line.isAtEnd) {
      if (format === 'openmetrics') throw line.error('OpenMetrics has no empty lines')
      continue
    }
    if (line.isAt('#')) hasEnded = readComment(line, format, grammar)
    else yield readSample(line, format, grammar)
  }
  if (format === 'openmetrics' && !hasEnded)
    throw new ExpositionError(`line ${number + 1}: the text is cut off: "# EOF" is missing`)
}

/** One line, read from the left. */
class Line {
  private readonly text: string
  private readonly number: number
  private at = 0

  constructor(text: string, number: number) {
    this.text = text
    this.number = number
  }

  get length(): number {
    return this.text.length
  }

  get isAtEnd(): boolean {
    return this.at === this.text.length
  }

  isAt(character: string): boolean {
    return this.text[this.at] === character
  }

  /** What matches here, without going on where nothing does. @param pattern sticky */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match
  }

  /** @throws {ExpositionError} where something else stands */
  expect(pattern: RegExp, what: string): RegExpExecArray {
    const match = this.take(pattern)
    if (match === undefined) {
      const rest = this.text.slice(this.at, this.at + QUOTED)
      throw this.error(rest === '' ? `${what} is missing` : `${what} is expected, not ${quoted(rest)}`)
    }
    return match
  }

  error(says: string): ExpositionError {
    return new ExpositionError(`line ${this.number}: ${says}`)
  }
}

/** @returns whether this was the end of an OpenMetrics text */
function readComment(line: Line, format: ExpositionFormat, grammar: Grammar): boolean {
  const keyword = line.take(/#[ \t]*(HELP|TYPE|UNIT|EOF)(?![^ \t])/y)?.[1]
  const isUnknown = keyword === undefined || (format === 'text' && (keyword === 'UNIT' || keyword === 'EOF'))
  if (isUnknown) {
    if (format === 'openmetrics') throw line.error('OpenMetrics has no such comments')
    return false
  }
  if (keyword === 'EOF') {
    line.expect(END, 'the end of the line')
    return true
  }
  line.expect(grammar.space, 'a space')
  if (line.isAt('"')) line.expect(QUOTED_TEXT, 'a name in quotes')
  else line.expect(METRIC_NAME, 'the name of a metric')
  if (keyword !== 'TYPE') return false
  line.expect(grammar.space, 'a space')
  const type = line.expect(/[a-z]+/y, 'a type')[0]
  if (!grammar.types.has(type)) throw line.error(`there is no type ${quoted(type)}`)
  line.take(grammar.optionalSpace)
  line.expect(END, 'the end of the line')
  return false
}

function readSample(line: Line, format: ExpositionFormat, grammar: Grammar): Sample {
  const written = line.isAt('{') ? undefined : line.expect(METRIC_NAME, 'the name of a metric')[0]
  line.take(grammar.optionalSpace)
  const hasLabels = line.isAt('{')
  const { name = written, labels } = hasLabels
    ? readLabels(line, grammar, written === undefined)
    : { labels: new Map<string, string>() }
  if (name === undefined) throw line.error('the name of a metric is missing')
  // In the text format, the space behind the name may have been that before the value.
  if (hasLabels || format === 'openmetrics') line.take(grammar.space)
  const value = numberOf(line.expect(VALUE, 'a number')[0])
  const timestampMs = readTimestamp(line, format, grammar)
  if (format === 'openmetrics' && line.take(/ # /y) !== undefined) {
    readLabels(line, grammar, false)
    line.expect(/ /y, 'a space')
    line.expect(VALUE, 'the number of an exemplar')
    readTimestamp(line, format, grammar)
  }
  if (format === 'text') line.take(grammar.optionalSpace)
  line.expect(END, 'the end of the line')
  return { name, labels, value, timestampMs }
}

function readTimestamp(line: Line, format: ExpositionFormat, grammar: Grammar): number | undefined {
  const isText = format === 'text'
  if (isText) line.take(grammar.space)
  else if (line.take(/ (?!#)/y) === undefined) return undefined
  if (isText && line.isAtEnd) return undefined
  const stamp = Number(line.expect(isText ? MILLISECONDS : SECONDS, 'a time')[0])
  return isText ? stamp : stamp * 1000
}

interface LabelSet {
  /** Where the name of the metric stands among the labels, in quotes. */
  readonly name?: string
  readonly labels: ReadonlyMap<string, string>
}

function readLabels(line: Line, { optionalSpace }: Grammar, hasName: boolean): LabelSet {
  const labels = new Map<string, string>()
  let name: string | undefined
  line.expect(/\{/y, '"{"')
  line.take(optionalSpace)
  while (line.take(/\}/y) === undefined) {
    const isQuoted = line.isAt('"')
    const label = isQuoted
      ? unescaped(line.expect(QUOTED_TEXT, 'a name in quotes')[1]!)
      : line.expect(LABEL_NAME, 'the name of a label')[0]
    line.take(optionalSpace)
    if (hasName && isQuoted && name === undefined && !line.isAt('=')) {
      name = label
    } else {
      line.expect(/=/y, '"="')
      line.take(optionalSpace)
      if (labels.has(label)) throw line.error(`the label ${quoted(label)} stands twice`)
      labels.set(label, unescaped(line.expect(QUOTED_TEXT, 'a value in quotes')[1]!))
    }
    line.take(optionalSpace)
    if (line.take(/,/y) === undefined && !line.isAt('}')) line.expect(/\}/y, '"," or "}"')
    line.take(optionalSpace)
  }
  return name === undefined ? { labels } : { name, labels }
}

/** As Prometheus does, a backslash before anything else stands for itself. */
const unescaped = (text: string): string =>
  text.includes('\\')
    ? text.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character))
    : text

function numberOf(text: string): number {
  const lower = text.toLowerCase()
  if (lower === 'nan') return Number.NaN
  if (lower.includes('inf')) return lower.startsWith('-') ? -Infinity : Infinity
  return Number(lower)
}
