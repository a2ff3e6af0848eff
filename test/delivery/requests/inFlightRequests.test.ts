import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { InFlightRequest } from '../../../src/delivery/requests/inFlightRequest.js'
import { InFlightRequests } from '../../../src/delivery/requests/inFlightRequests.js'

const STALL_MS = 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const watched = () => {
  const told: string[] = []
  const requests = new InFlightRequests(0, STALL_MS, {
    suspect: silentMs => told.push(`silent for ${silentMs} ms`),
    giveUp: error => told.push(error.message),
    isAlive: async () => true,
    successorOf: () => undefined,
  })
  return { requests, told }
}

const request = (timeoutMs = 30_000): InFlightRequest =>
  ({ inFlightBatches: [], sentAt: performance.now(), timeoutMs }) as unknown as InFlightRequest

test('a thousand requests that are answered cost one timer per look, and none once nothing is asked', () => {
  const { requests, told } = watched()
  const made = vi.spyOn(globalThis, 'setTimeout')
  for (let i = 0; i < 1000; i++) {
    const one = request()
    requests.add(one)
    vi.advanceTimersByTime(1)
    requests.answered(one, performance.now())
  }
  expect(made.mock.calls.length).toBeLessThanOrEqual(2)
  vi.advanceTimersByTime(STALL_MS)
  expect(vi.getTimerCount()).toBe(0)
  expect(told).toEqual([])
})

test('a request behind answered ones is found silent in its own time', () => {
  const { requests, told } = watched()
  const first = request()
  requests.add(first)
  vi.advanceTimersByTime(900)
  requests.answered(first, performance.now())
  requests.add(request())
  vi.advanceTimersByTime(STALL_MS - 1)
  expect(told).toEqual([])
  vi.advanceTimersByTime(1)
  expect(told).toEqual(['silent for 1000 ms'])
  requests.close()
})

test.each([0, 10_000])(
  'a request with less time than the one before is given up in its own (throttled for %i ms)',
  throttledMs => {
    const { requests, told } = watched()
    const first = request()
    requests.add(first)
    requests.throttled(throttledMs, performance.now())
    vi.advanceTimersByTime(STALL_MS + throttledMs - 100)
    requests.answered(first, performance.now())
    requests.add(request(50))
    vi.advanceTimersByTime(49)
    expect(told).toEqual([])
    vi.advanceTimersByTime(1)
    expect(told).toEqual(['broker 0 did not answer a Produce request within 50 ms'])
    requests.close()
  },
)
