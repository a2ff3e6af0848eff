import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DueTimer } from '../../../src/metadata/retry/dueTimer.js'

let timer: DueTimer<string>
let told: { readonly at: number; readonly items: readonly string[] }[]

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  told = []
  timer = new DueTimer(10, items => told.push({ at: performance.now(), items }))
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

it('tells together what is due in one beat, with one timer', () => {
  const start = performance.now()
  for (const item of ['a', 'b', 'c']) timer.add(item, 25)
  timer.add('later', 45)
  timer.add('sooner', 5)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(100)
  expect(told.map(({ items }) => items)).toEqual([['sooner'], ['a', 'b', 'c'], ['later']])
  for (const [index, delayMs] of [5, 25, 45].entries()) {
    const late = told[index]!.at - start - delayMs
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThanOrEqual(11)
  }
})

it('does not tell what was removed, and leaves no timer for it', () => {
  timer.add('a', 20)
  timer.add('b', 20)
  timer.remove('a')
  timer.remove('a')
  vi.advanceTimersByTime(50)
  expect(told.map(({ items }) => items)).toEqual([['b']])
  timer.add('c', 20)
  timer.remove('c')
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(50)
  expect(told).toHaveLength(1)
})

it('moves what is added again', () => {
  timer.add('a', 20)
  timer.add('a', 60)
  vi.advanceTimersByTime(40)
  expect(told).toEqual([])
  vi.advanceTimersByTime(40)
  expect(told).toHaveLength(1)
})

it('takes what is added while it tells', () => {
  const rounds: string[] = []
  const again = new DueTimer<string>(10, ([item]) => {
    rounds.push(item!)
    if (rounds.length < 3) again.add(item!, 0)
  })
  again.add('a', 0)
  vi.advanceTimersByTime(100)
  expect(rounds).toEqual(['a', 'a', 'a'])
})
