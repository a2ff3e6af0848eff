import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatcher } from '../../../src/topics/policy/glob.js'

describe('globMatcher', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'orders2', false],
    ['orders*', 'orders', true],
    ['*orders', 'my.orders', true],
    ['*', '', true],
    ['**', 'x', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*bc', 'abc', false],
    ['*a*', 'bab', true],
    ['a.*.b', 'a.b', false],
    ['a.*.b', 'a..b', true],
    ['a.b', 'axb', false],
    ['a+(b)[c]', 'a+(b)[c]', true],
  ])('%s on %s: %s', (pattern, name, matches) => {
    expect(globMatcher(pattern)(name)).toBe(matches)
  })

  it('matches as the regular expression of the same pattern does', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 }).map(all => all.join(''))
    const pattern = fc.array(fc.constantFrom('a', 'b', '.', '*'), { maxLength: 7 }).map(all => all.join(''))
    fc.assert(
      fc.property(pattern, text, (glob, name) => {
        const expected = new RegExp(`^${glob.replaceAll('.', '[.]').replaceAll('*', '.*')}$`)
        expect(globMatcher(glob)(name)).toBe(expected.test(name))
      }),
      { numRuns: 3000 },
    )
  })

  it('ends for 80 stars on a name of 249 characters, which a regular expression would not', () => {
    const matches = globMatcher(`tenant${'.*'.repeat(80)}.dlq`)
    expect(matches(`tenant${'.'.repeat(243)}`)).toBe(false)
    expect(matches(`tenant${'.'.repeat(239)}.dlq`)).toBe(true)
  })
})
