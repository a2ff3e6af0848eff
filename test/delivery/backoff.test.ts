import { expect, test } from 'vitest'
import { type Backoff, backoffMs } from '../../src/delivery/backoff.js'

const waits = (backoff: Backoff, random: number): number[] =>
  [1, 2, 3, 4, 5, 99].map(failures => Math.round(backoffMs(backoff, failures, random)))

test('doubles from the first wait to the longest', () => {
  expect(waits({ minMs: 100, maxMs: 1000, factor: 2 }, 0.5)).toEqual([100, 200, 400, 800, 1000, 1000])
})

test('is jittered by a fifth, or by the share that is given', () => {
  const backoff = { minMs: 100, maxMs: 100, factor: 1 }
  expect(waits(backoff, 0)[0]).toBe(80)
  expect(waits(backoff, 1)[0]).toBe(120)
  expect(waits({ ...backoff, jitter: 0.5 }, 0)[0]).toBe(50)
  expect(waits({ ...backoff, jitter: 0.5 }, 1)[0]).toBe(150)
  expect(waits({ ...backoff, jitter: 0 }, 0)[0]).toBe(100)
})
