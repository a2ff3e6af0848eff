import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RunningClock } from '../../../src/metadata/retry/runningClock.js'

let clock: RunningClock
let stoodStillMs: number

beforeEach(() => {
  vi.useFakeTimers()
  stoodStillMs = 0
  // A frozen process: time passes, and no timer fires.
  const { now } = performance
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + stoodStillMs)
  clock = new RunningClock()
  clock.start()
})
afterEach(() => {
  clock.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.restoreAllMocks()
  vi.useRealTimers()
})

it('goes as fast as time while the process works', () => {
  const before = clock.now
  vi.advanceTimersByTime(12_345)
  expect(clock.now - before).toBeCloseTo(12_345, 3)
})

it('leaves out what the process stood still, whoever looks first', () => {
  const before = clock.now
  vi.advanceTimersByTime(1000)
  stoodStillMs += 60_000
  expect(clock.now - before).toBeLessThanOrEqual(1200)
  vi.advanceTimersByTime(1000)
  stoodStillMs += 60_000
  vi.advanceTimersByTime(1000)
  const elapsed = clock.now - before
  expect(elapsed).toBeGreaterThanOrEqual(3000)
  expect(elapsed).toBeLessThanOrEqual(3200)
})

it('counts short delays: they are not a stall', () => {
  const before = clock.now
  for (let count = 0; count < 20; count++) {
    vi.advanceTimersByTime(100)
    stoodStillMs += 50
  }
  expect(clock.now - before).toBeCloseTo(3000, 3)
})

it('never goes back', () => {
  let last = clock.now
  for (let count = 0; count < 50; count++) {
    stoodStillMs += count * 17
    vi.advanceTimersByTime(count % 3)
    const { now } = clock
    expect(now).toBeGreaterThanOrEqual(last)
    last = now
  }
})
