import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RecordClock } from '../../../src/delivery/intake/recordClock.js'

const START = 1_700_000_000_000

let time: number
let readings: number
beforeEach(() => {
  time = START
  readings = 0
  vi.spyOn(Date, 'now').mockImplementation(() => {
    readings++
    return time
  })
})
afterEach(() => vi.restoreAllMocks())

const calls = (clock: RecordClock, count: number): number[] =>
  Array.from({ length: count }, () => clock.now())

describe('the time of records', () => {
  test('is read for each call that comes by itself', () => {
    const clock = new RecordClock()
    for (let i = 0; i < 100; i++) {
      time += 2
      expect(clock.now()).toBe(time)
    }
  })

  test('is read for the first calls that come at once, and then for one in eight', () => {
    const clock = new RecordClock()
    calls(clock, 1000)
    expect(readings).toBeLessThan(150)
    expect(readings).toBeGreaterThan(100)
  })

  test('is at most seven calls old when they slow down within a turn', () => {
    const clock = new RecordClock()
    calls(clock, 1000)
    const stale = Array.from({ length: 100 }, () => {
      time += 50
      return time - clock.now()
    })
    expect(stale.filter(ms => ms > 0).length).toBeLessThanOrEqual(7)
    expect(stale.slice(8)).toEqual(Array(92).fill(0))
  })

  test('is read anew in the next turn', async () => {
    const clock = new RecordClock()
    for (let turn = 0; turn < 5; turn++) {
      calls(clock, 1001)
      await nextTurn()
      time += 60_000
      expect(clock.now()).toBe(time)
    }
  })

  test('goes back where the system clock does', () => {
    const clock = new RecordClock()
    clock.now()
    time -= 3_600_000
    expect(calls(clock, 30)).toEqual(Array(30).fill(time))
  })
})
