import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import {
  ExpositionError,
  type ExpositionFormat,
  formatOf,
  parseExposition,
} from '../../../src/cli/scrapes/exposition.js'
import { metered } from '../support/metrics.js'

const parsed = (text: string, format?: ExpositionFormat) =>
  [...parseExposition(text, format)].map(({ name, labels, value, timestampMs }) => ({
    name,
    labels: Object.fromEntries(labels),
    value,
    ...(timestampMs === undefined ? {} : { timestampMs }),
  }))
const one = (line: string) => parsed(`${line}\n`)[0]

describe('the text format', () => {
  it.each([
    ['a 1', { name: 'a', labels: {}, value: 1 }],
    ['a:b_c 1', { name: 'a:b_c', labels: {}, value: 1 }],
    ['  a\t1 ', { name: 'a', labels: {}, value: 1 }],
    ['a{} 1', { name: 'a', labels: {}, value: 1 }],
    ['a {x="1"} 1', { name: 'a', labels: { x: '1' }, value: 1 }],
    ['a{x="1"}1', { name: 'a', labels: { x: '1' }, value: 1 }],
    ['a{x="1",} 1', { name: 'a', labels: { x: '1' }, value: 1 }],
    ['a{ x = "1" ,\ty="2" } 1', { name: 'a', labels: { x: '1', y: '2' }, value: 1 }],
    [String.raw`a{x="q\"b\\n\ne\d"} 1`, { name: 'a', labels: { x: 'q"b\\n\ne\\d' }, value: 1 }],
    ['a{x="}, # {"} 1', { name: 'a', labels: { x: '}, # {' }, value: 1 }],
    ['{"my.metric","a b"="1"} 2', { name: 'my.metric', labels: { 'a b': '1' }, value: 2 }],
    ['a 1.5e3 -3982045', { name: 'a', labels: {}, value: 1500, timestampMs: -3982045 }],
    ['a .5', { name: 'a', labels: {}, value: 0.5 }],
    ['a +Inf', { name: 'a', labels: {}, value: Infinity }],
    ['a -inf', { name: 'a', labels: {}, value: -Infinity }],
    ['a NaN', { name: 'a', labels: {}, value: Number.NaN }],
    ['a{__proto__="x"} 1', { name: 'a', labels: Object.fromEntries([['__proto__', 'x']]), value: 1 }],
  ])('reads %j', (line, sample) => expect(one(line)).toEqual(sample))

  it('takes no notice of comments and empty lines', () => {
    const text = '# HELP a what\\n it is\n# TYPE a counter\n\n# a comment\n#\n# EOF\na 1\n'
    expect(parsed(text, 'text')).toEqual([{ name: 'a', labels: {}, value: 1 }])
    expect(parsed('', 'text')).toEqual([])
    expect(parsed('a 1', 'text')).toHaveLength(1)
  })

  it.each([
    ['<!doctype html>', /^line 1: the name of a metric is expected, not "<!doctype html>"$/],
    ['{"ok":true}', /^line 1: /],
    ['a', /a number is missing/],
    ['a b', /a number is expected, not "b"/],
    ['a 1x', /a number is expected/],
    ['a 0x10', /a number is expected/],
    ['a 1 2 3', /the end of the line is expected, not "3"/],
    ['a 1 1.5', /a time is expected/],
    ['a{x="1" 1', /"," or "}" is expected/],
    ['a{x="1"', /"," or "}" is missing/],
    ['a{x="1} 1', /a value in quotes is expected/],
    ['a{x=1} 1', /a value in quotes is expected/],
    ['a{x} 1', /"=" is expected/],
    ['a{"x"} 1', /"=" is expected/],
    ['a{1x="1"} 1', /the name of a label is expected/],
    ['a{,} 1', /the name of a label is expected/],
    ['a{x="1",x="2"} 1', /the label "x" stands twice/],
    ['{} 1', /the name of a metric is missing/],
    ['1a 1', /the name of a metric is expected/],
    ['# TYPE a thing', /there is no type "thing"/],
    ['# TYPE', /a space is missing/],
    ['a \u001b[2J', /not "\\u001b\[2J"/],
    ['a 1 # {x="1"} 1', /is expected/],
  ])('refuses %j', (line, says) => {
    expect(() => parsed(`${line}\n`)).toThrow(says)
    expect(() => parsed(`${line}\n`)).toThrow(ExpositionError)
    expect(() => parsed(`ok 1\n\n${line}\n`)).toThrow(/^line 3/)
  })

  it('refuses a line without an end', () => {
    expect(() => parsed(`a{x="${'y'.repeat(1024 * 1024)}"} 1\n`)).toThrow(/the line has 1048\d+ characters/)
  })
})

describe('OpenMetrics', () => {
  it('is recognized by its end, and reads exemplars and times in seconds', () => {
    const text = [
      '# TYPE a histogram',
      '# UNIT a seconds',
      'a_bucket{le="1.0"} 3 # {trace_id="x # y"} 0.5 1700000000.5',
      'a_bucket{le="+Inf"} 4 1700000000.25 # {} 2',
      '# EOF\n',
    ].join('\n')
    expect(formatOf(text)).toBe('openmetrics')
    expect(formatOf('a 1\n# EOF')).toBe('openmetrics')
    expect(formatOf('a 1\n')).toBe('text')
    expect(parsed(text)).toEqual([
      { name: 'a_bucket', labels: { le: '1.0' }, value: 3 },
      { name: 'a_bucket', labels: { le: '+Inf' }, value: 4, timestampMs: 1_700_000_000_250 },
    ])
  })

  it.each([
    ['a 1\n', /line 2: the text is cut off: "# EOF" is missing/],
    ['a 1\n# EOF\nb 1\n', /line 3: nothing may follow/],
    ['\n# EOF\n', /no empty lines/],
    ['# a comment\n# EOF\n', /no such comments/],
    ['a  1\n# EOF\n', /a number is expected/],
    ['a 1 \n# EOF\n', /a time is missing/],
    ['a{x="1", y="2"} 1\n# EOF\n', /the name of a label is expected/],
    ['a 1 # {x="1"}\n# EOF\n', /a space is missing/],
    ['# TYPE a untyped\n# EOF\n', /there is no type "untyped"/],
  ])('refuses %j', (text, says) => expect(() => parsed(text, 'openmetrics')).toThrow(says))
})

describe('what prom-client writes', () => {
  it.each([
    ['text', Registry.PROMETHEUS_CONTENT_TYPE],
    ['openmetrics', Registry.OPENMETRICS_CONTENT_TYPE],
  ] as const)('is read whole, as %s', async (format, contentType) => {
    const registry = new Registry()
    registry.setContentType(contentType as never)
    registry.setDefaultLabels({ app: 'a"b\\c\nd' })
    const { observer } = metered({}, registry)
    observer.recordsSent('orders', 5)
    observer.recordsFailed('orders', 2, 'RecordTooLargeError')
    const histogram = new Histogram({
      name: 'h',
      help: 'h',
      enableExemplars: format === 'openmetrics',
      registers: [registry],
    })
    if (format === 'openmetrics') histogram.observe({ value: 1, exemplarLabels: { traceID: 'x' } })
    const samples = parsed(await registry.metrics(), format)
    expect(formatOf(await registry.metrics())).toBe(format)
    const sent = samples.filter(({ name }) => name === 'kafka_resilient_producer_records_sent_total')
    expect(sent).toEqual([
      expect.objectContaining({
        labels: { app: 'a"b\\c\nd', client_id: 'shop', topic: 'orders' },
        value: 5,
      }),
    ])
    expect(samples.length).toBeGreaterThan(200)
  })
})

describe('whatever comes', () => {
  const METRIC = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,10}$/)
  const LABEL = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/)
  const TEXT = fc.string({ unit: 'binary', maxLength: 20 })
  const NUMBER = fc.double()
  const SAMPLE = fc.record({
    name: METRIC,
    labels: fc.dictionary(LABEL, TEXT, { maxKeys: 4, noNullPrototype: true }),
    value: NUMBER,
    timestampMs: fc.option(fc.integer(), { nil: undefined }),
  })
  const escapedText = (value: string) =>
    value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const numberText = (value: number) =>
    Object.is(value, -0)
      ? '-0'
      : String(value).replace(/^(-?)Infinity$/, (_, sign: string) => `${sign || '+'}Inf`)
  const line = ({ name, labels, value, timestampMs }: ReturnType<typeof parsed>[number]) =>
    `${name}{${Object.entries(labels)
      .map(([label, text]) => `${label}="${escapedText(text)}"`)
      .join(',')}} ${numberText(value)}${timestampMs === undefined ? '' : ` ${timestampMs}`}`

  it('what was written is what is read', () => {
    fc.assert(
      fc.property(fc.array(SAMPLE, { maxLength: 5 }), samples => {
        const text = samples.map(each => `${line(each as never)}\n`).join('')
        expect(parsed(text, 'text')).toEqual(
          samples.map(({ timestampMs, ...each }) => ({
            ...each,
            ...(timestampMs === undefined ? {} : { timestampMs }),
          })),
        )
      }),
    )
  })

  it('garbage ends in samples or in an ExpositionError, and what is cut off is never read as more', () => {
    const BITS = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '\n',
      '#',
      '1',
      'NaN',
      '# TYPE a ',
      '# EOF\n',
      'é',
      '\t',
    )
    const GARBAGE = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(BITS, { maxLength: 30 }).map(bits => bits.join('')),
    )
    const read = (text: string, format: ExpositionFormat) => {
      try {
        return parsed(text, format)
      } catch (error) {
        expect(error).toBeInstanceOf(ExpositionError)
        return undefined
      }
    }
    fc.assert(
      fc.property(GARBAGE, fc.constantFrom('text' as const, 'openmetrics' as const), (text, format) => {
        read(text, format)
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.array(SAMPLE, { minLength: 1, maxLength: 4 }), fc.nat(), (samples, cut) => {
        const text = `${samples.map(each => line(each as never)).join('\n')}\n# EOF\n`
        const part = text.slice(0, cut % (text.length - 1))
        expect(read(part, 'openmetrics')).toSatisfy(result => result === undefined || part.endsWith('# EOF'))
      }),
    )
  })

  it('long lines of quotes and backslashes take time in proportion', () => {
    // Backtracking would not end within the test's time.
    for (const evil of [
      `a{x="${'\\'.repeat(500_000)}`,
      `a{x="${'\\"'.repeat(250_000)}`,
      `a${' '.repeat(500_000)}x`,
    ])
      expect(() => parsed(`${evil}\n`)).toThrow(ExpositionError)
  })
})
