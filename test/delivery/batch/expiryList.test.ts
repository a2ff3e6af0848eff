import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Expiring, ExpiryList } from '../../../src/delivery/batch/expiryList.js'
import { runs, seed } from '../../protocol/support/runs.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

class Item extends Expiring {
  private readonly onExpire: (item: Item) => void

  constructor(deadline: number, onExpire: (item: Item) => void) {
    super()
    this.deadline = deadline
    this.onExpire = onExpire
  }

  override expire(): number {
    this.onExpire(this)
    return 1
  }
}

describe('deadlines', () => {
  test('expire in their order, each once, none before its time, and leave no timer', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), inMs: fc.integer({ min: 0, max: 1000 }) }),
      fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 400 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const deadlines = new ExpiryList()
        const waiting: Item[] = []
        const expired: Item[] = []
        const onExpire = (item: Item) => {
          expect(performance.now()).toBeGreaterThanOrEqual(item.deadline)
          expired.push(item)
          waiting.splice(waiting.indexOf(item), 1)
        }
        for (const each of steps) {
          if (each.kind === 'add') {
            const item = new Item(performance.now() + each.inMs, onExpire)
            waiting.push(item)
            deadlines.add(item)
          } else if (each.kind === 'remove' && waiting.length > 0) {
            const [item] = waiting.splice(each.at % waiting.length, 1)
            deadlines.remove(item!)
            deadlines.remove(item!)
          } else if (each.kind === 'pass') {
            vi.advanceTimersByTime(each.ms)
          }
          expect(vi.getTimerCount()).toBe(waiting.length > 0 ? 1 : 0)
          // A timer comes a millisecond late at most.
          for (const item of waiting) expect(item.deadline).toBeGreaterThan(performance.now() - 2)
        }
        vi.advanceTimersByTime(2000)
        expect(waiting).toEqual([])
        const times = expired.map(({ deadline }) => deadline)
        expect(new Set(expired).size).toBe(expired.length)
        times.forEach((time, i) => {
          if (i > 0) expect(time).toBeGreaterThan(times[i - 1]! - 2)
        })
        expect(vi.getTimerCount()).toBe(0)
      }),
      { seed, numRuns: runs(100) },
    )
  })

  test('may be added and removed by one that expires', () => {
    const deadlines = new ExpiryList()
    const expired: string[] = []
    const later = new Item(performance.now() + 20, () => expired.push('later'))
    const neighbour = new Item(performance.now() + 10, () => expired.push('neighbour'))
    deadlines.add(
      new Item(performance.now() + 10, () => {
        expired.push('first')
        deadlines.remove(neighbour)
        deadlines.add(later)
      }),
    )
    deadlines.add(neighbour)
    vi.advanceTimersByTime(15)
    expect(expired).toEqual(['first'])
    vi.advanceTimersByTime(10)
    expect(expired).toEqual(['first', 'later'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('beyond the longest timer of Node are waited for all the same', () => {
    const deadlines = new ExpiryList()
    const expired: string[] = []
    const years = 2 ** 33
    deadlines.add(new Item(performance.now() + years, () => expired.push('in years')))
    vi.advanceTimersByTime(2 ** 31)
    expect(expired).toEqual([])
    vi.advanceTimersByTime(years)
    expect(expired).toEqual(['in years'])
  })
})
