import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Outstanding } from '../../bench/work/outstanding.js'

describe('the window of outstanding records', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is kept full and never exceeded, then drained', async () => {
    const window = new Outstanding(10, 2)
    let open = 0
    let most = 0
    window.call = () => {
      open += 2
      most = Math.max(most, open)
    }
    const answerOne = (): void => {
      open -= 2
      window.onDelivered(2)
    }
    const done = window.fillFor(1)
    expect(open).toBe(10)
    for (let i = 0; i < 100; i++) answerOne()
    expect(open).toBe(10)
    await vi.advanceTimersByTimeAsync(1000)
    while (open > 0) answerOne()
    await done
    expect({ most, delivered: window.delivered, failed: window.failed }).toEqual({
      most: 10,
      delivered: 210,
      failed: 0,
    })
  })

  it('does not recurse into a client that delivers inside the call', async () => {
    const window = new Outstanding(1, 1)
    let calls = 0
    window.call = () => {
      // A recursion of this depth would overflow the stack.
      if (++calls < 100_000) window.onDelivered(1)
    }
    const done = window.fillFor(1)
    expect(calls).toBe(100_000)
    await vi.advanceTimersByTimeAsync(1000)
    window.onDelivered(1)
    await done
    expect(window.delivered).toBe(100_000)
  })

  it('gives up on a client whose every record fails', async () => {
    const window = new Outstanding(3, 1)
    window.call = () => queueMicrotask(() => window.onFailed(1, new Error('no codec')))
    const done = window.fillFor(1)
    const outcome = expect(done).rejects.toThrow('no codec')
    await vi.advanceTimersByTimeAsync(10)
    await outcome
  })

  it('reports records that never end', async () => {
    const window = new Outstanding(5, 1)
    const done = window.fillFor(1)
    const outcome = expect(done).rejects.toThrow('5 records without an end')
    await vi.advanceTimersByTimeAsync(61_001)
    await outcome
  })
})
