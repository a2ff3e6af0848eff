import { expect, test } from 'vitest'
import { reuse, TakenMessage, takenMessage } from '../../../src/delivery/intake/takenMessage.js'

const taken = (value: string) => takenMessage(Buffer.from('key'), value, 1, { name: 'header' }, '7')

test('the object of an encoded message is used again, with nothing left of it', () => {
  const first = taken('first')
  reuse(first)
  expect(first).toMatchObject({ key: undefined, value: null, headers: undefined })
  const second = takenMessage(undefined, 'second', undefined, undefined, undefined)
  expect(second).toBe(first)
  expect(second).toEqual(new TakenMessage(undefined, 'second', undefined, undefined, undefined))
})

test('a call that is made while another is encoded has an object of its own', () => {
  reuse(taken('before'))
  const outer = taken('outer')
  const inner = taken('inner')
  expect(inner).not.toBe(outer)
  reuse(inner)
  expect(outer.value).toBe('outer')
  reuse(outer)
  expect([taken('next'), taken('last')].map(each => each.value)).toEqual(['next', 'last'])
})

test('a message of another kind is left as it is', () => {
  const view = { value: 'shown to a partitioner' }
  reuse(view)
  expect(view).toEqual({ value: 'shown to a partitioner' })
  expect(taken('own')).not.toBe(view)
})
