import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Expiring, ExpiryList } from '../../../src/delivery/batch/expiryList.js'

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance', 'setImmediate', 'clearImmediate'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

let looks = 0

class Counted extends Expiring {
  private readonly at: number
  private readonly onEnd: () => void

  constructor(at: number, onEnd: () => void = () => {}) {
    super()
    this.at = at
    this.onEnd = onEnd
    Object.defineProperty(this, 'deadline', {
      get: () => {
        looks++
        return at
      },
      set: () => {},
    })
  }

  override expire(): number {
    void this.at
    this.onEnd()
    return 1
  }
}

test('deadlines of two lengths in one list cost no walk through the longer ones', () => {
  const list = new ExpiryList()
  const count = 5000
  for (let i = 0; i < count; i++) list.add(new Counted(120_000 + i))
  looks = 0
  const late = Array.from({ length: count }, (_, i) => new Counted(60_000 + i))
  for (const each of late) list.add(each)
  for (const each of late) list.remove(each)
  expect(looks / count).toBeLessThan(60)
})

test('thousands that are due at once end in several turns, in order', () => {
  const list = new ExpiryList()
  const ended: number[] = []
  for (let i = 0; i < 5000; i++) list.add(new Counted(1000, () => ended.push(i)))
  vi.advanceTimersByTime(1000)
  expect(ended.length).toBeLessThanOrEqual(5000)
  vi.runAllTimers()
  expect(ended).toEqual(Array.from({ length: 5000 }, (_, i) => i))
  expect(vi.getTimerCount()).toBe(0)
})
