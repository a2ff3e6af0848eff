import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  plural,
  printable,
} from '../../../src/cli/terminal/format.js'
import { isLive, PLAIN, styleFor } from '../../../src/cli/terminal/style.js'
import { fitTable, tableLines } from '../../../src/cli/terminal/table.js'

describe('formats', () => {
  it('groups digits and counts in words', () => {
    expect(formatCount(1234567.4)).toBe('1,234,567')
    expect(plural(1, 'topic')).toBe('1 topic')
    expect(plural(1200, 'retry', 'retries')).toBe('1,200 retries')
  })

  it.each([
    [0, '0 ms'],
    [412.4, '412 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1340, '1.3 s'],
    [59_949, '59.9 s'],
    [59_951, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ])('tells %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('escapes what could move the cursor, hide or turn text around, and cuts what is long', () => {
    expect(printable('a\u001b[31mb\u202ec\r')).toBe('a\\u001b[31mb\\u202ec\\u000d')
    expect(printable('x'.repeat(20), 10)).toBe(`${'x'.repeat(9)}…`)
  })
})

describe('styleFor', () => {
  const painted = (isTTY: boolean, env: NodeJS.ProcessEnv) => styleFor({ isTTY }, env).bold('x') !== 'x'

  it('paints on a terminal only, unless the environment says otherwise', () => {
    expect(painted(true, {})).toBe(true)
    expect(painted(false, {})).toBe(false)
    expect(painted(true, { NO_COLOR: '1' })).toBe(false)
    expect(painted(true, { TERM: 'dumb' })).toBe(false)
    expect(painted(false, { FORCE_COLOR: '1' })).toBe(true)
    expect(painted(true, { FORCE_COLOR: '0' })).toBe(false)
    expect(painted(true, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
  })

  it('redraws on a capable terminal only', () => {
    expect(isLive({ isTTY: true }, {})).toBe(true)
    expect(isLive({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
    expect(isLive({}, {})).toBe(false)
  })
})

describe('tableLines', () => {
  const table = {
    columns: [
      { title: 'topic', align: 'left' },
      { title: 'records', align: 'right' },
    ],
    rows: [
      ['a', '1'],
      ['long.name', '12,345'],
    ],
    footer: ['', '12,346'],
  } as const

  it('aligns columns to their widest cell', () => {
    expect(tableLines(table, styleFor({}, {}))).toEqual([
      '  topic      records',
      '  a                1',
      '  long.name   12,345',
      '              12,346',
    ])
  })

  it('paints after it has aligned', () => {
    const [title, , row] = tableLines(table, styleFor({}, { FORCE_COLOR: '1' }))
    expect(title).toBe('  \u001b[2mtopic      records\u001b[22m')
    expect(row).toBe('  long.name   12,345')
  })
})

describe('fitTable', () => {
  const table = {
    columns: [
      { title: 'topic', align: 'left' },
      { title: 'sent', align: 'right' },
      { title: 'p50', align: 'right', dropped: 2 },
      { title: 'p99', align: 'right', dropped: 1 },
    ],
    rows: [['a.long.name.of.a.topic', '1', '2 ms', '3 ms']],
  } as const
  const fitted = (width: number) => tableLines(fitTable(table, width), PLAIN)

  it('leaves out columns by their number, then cuts the first', () => {
    expect(fitted(80)[0]).toMatch(/topic +sent +p50 +p99/)
    expect(fitted(40)[0]).toMatch(/topic +sent +p99$/)
    expect(fitted(34)[0]).toMatch(/topic +sent$/)
    expect(fitted(24)).toEqual(['  topic             sent', '  a.long.name.of.…     1'])
    expect(fitted(4)[1]).toBe('  a.long.…     1')
  })

  it('counts the columns that characters take', () => {
    const wide = {
      columns: table.columns.slice(0, 2),
      rows: [
        ['注文', '1'],
        ['ab', '2'],
      ],
    }
    expect(tableLines(fitTable(wide, 80), PLAIN)).toEqual(['  topic  sent', '  注文      1', '  ab        2'])
  })
})

describe('what top tells', () => {
  it.each([
    [0, '0'],
    [0.01, '<0.1'],
    [0.42, '0.4'],
    [9.96, '10'],
    [12345.6, '12,346'],
  ])('%d per second is %s', (rate, text) => expect(formatRate(rate)).toBe(text))

  it.each([
    [0, '0 bytes'],
    [1023, '1,023 bytes'],
    [26_633_830, '25.4 MiB'],
    [2 ** 60, '1048576.0 TiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
})
