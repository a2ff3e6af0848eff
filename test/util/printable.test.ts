import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BrokerVerdictError, place } from '../../src/errors/bases.js'
import { printable, quoted } from '../../src/util/printable.js'

describe('text from outside', () => {
  test.each([
    ['a\\u000ab', 'a\nb'],
    ['\\u001b[2J', '\u001b[2J'],
    ['a\\u2028b', 'a\u2028b'],
    ['a\\u202eb', 'a\u202eb'],
    ['a\\ud800b', 'a\ud800b'],
    ['a\\u{e0001}b', 'a\u{e0001}b'],
    ['größer 😀 "x"', 'größer 😀 "x"'],
  ])('is shown as %s', (shown, text) => {
    expect(printable(text)).toBe(shown)
  })

  test('is one line of bounded length, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), text => {
        for (const shown of [printable(text), quoted(text)]) {
          expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u)
          expect(shown.length).toBeLessThan(2050 * 9)
        }
      }),
      { seed: 20_261_121, numRuns: 50 },
    )
  })

  test('says how much of it was cut', () => {
    expect(printable('x'.repeat(2001))).toBe(`${'x'.repeat(2000)}... (2001 characters)`)
    expect(place('t'.repeat(100_000))).toBe(`topic "${'t'.repeat(300)}... (100000 characters)"`)
  })
})

test('a broker’s own words forge no line of an error’s message', () => {
  const error = new BrokerVerdictError('no\n2026-01-01 ERROR all is lost', { type: 'UNKNOWN', code: -1 })
  expect(error.message).toBe('no\\u000a2026-01-01 ERROR all is lost')
})
