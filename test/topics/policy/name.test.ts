import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { topicNameProblem } from '../../../src/topics/policy/name.js'

describe("a topic's name", () => {
  it.each(['a', 'orders', 'a.b', 'a_b', 'A-1', '...', 'x'.repeat(249)])('may be %j', name => {
    expect(topicNameProblem(name)).toBeUndefined()
  })

  it.each(['', '.', '..', 'a b', 'a/b', 'ä', 'a\n', 'a:b', 'x'.repeat(250)])('may not be %j', name => {
    expect(topicNameProblem(name)).toEqual(expect.any(String))
  })

  it('is made of the legal characters only', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 10, unit: 'binary' }), name => {
        const legal = [...name].every(each => /[a-zA-Z0-9._-]/.test(each)) && name !== '.' && name !== '..'
        expect(topicNameProblem(name) === undefined).toBe(legal)
      }),
    )
  })
})
