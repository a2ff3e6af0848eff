import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  NotYet,
  nominalDelay,
  onSchedule,
  type RetryNotice,
  type ScheduleEnd,
} from '../../../src/metadata/retry/schedule.js'
import { connectionError, saslError } from '../scriptedCluster.js'

const retry = {
  retries: 3,
  minTimeoutMs: 50,
  maxTimeoutMs: 150,
  factor: 2,
  jitter: false,
  maxRetryTimeMs: 30_000,
}

class Spent extends Error {
  readonly end: ScheduleEnd
  constructor(end: ScheduleEnd) {
    super('spent')
    this.end = end
  }
}

describe('onSchedule', () => {
  let notices: Omit<RetryNotice, 'topic'>[]
  let ending: AbortController

  beforeEach(() => {
    vi.useFakeTimers()
    notices = []
    ending = new AbortController()
  })
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  const start = <T>(attempt: (attempt: number) => Promise<T>, options: Partial<typeof retry> = {}) => {
    const outcome: { value?: T; error?: unknown } = {}
    const done = onSchedule(attempt, {
      retry: { ...retry, ...options },
      signal: ending.signal,
      onRetry: notice => notices.push(notice),
      exhausted: end => new Spent(end),
    }).then(
      value => Object.assign(outcome, { value }),
      error => Object.assign(outcome, { error }),
    )
    return { outcome, done }
  }

  it('goes on after NotYet and after failures of the transport, and tells each retry its wait', async () => {
    const answer = new Error('unknown')
    const failure = connectionError()
    const { outcome, done } = start(async attempt => {
      if (attempt === 1) throw new NotYet(answer)
      if (attempt === 2) throw failure
      return attempt
    })
    await vi.runAllTimersAsync()
    await done
    expect(outcome.value).toBe(3)
    expect(notices).toEqual([
      { attempt: 1, delayMs: 50, error: answer },
      { attempt: 2, delayMs: 100, error: failure },
    ])
  })

  it('ends with the last reason when the attempts are used up, without announcing another', async () => {
    const reasons = [1, 2, 3, 4].map(each => new Error(`answer ${each}`))
    const { outcome, done } = start(async attempt => {
      throw new NotYet(reasons[attempt - 1]!)
    })
    await vi.runAllTimersAsync()
    await done
    expect(outcome.error).toBeInstanceOf(Spent)
    expect((outcome.error as Spent).end).toMatchObject({ attempts: 4, cause: reasons[3] })
    expect(notices.map(each => [each.attempt, each.delayMs])).toEqual([
      [1, 50],
      [2, 100],
      [3, 150],
    ])
  })

  it('ends when the time is used up, however many attempts are left', async () => {
    const { outcome, done } = start(
      async () => {
        throw new NotYet(new Error('unknown'))
      },
      { retries: 1000, maxRetryTimeMs: 400 },
    )
    await vi.runAllTimersAsync()
    await done
    expect((outcome.error as Spent).end.attempts).toBeGreaterThan(2)
    expect((outcome.error as Spent).end.attempts).toBeLessThan(10)
  })

  it.each([
    ['a TypeError', new TypeError('x is not a function')],
    ['a TypeError that reads like a network error', new TypeError('fetch failed')],
    ['refused credentials', saslError()],
    ['any other error', new RangeError('out of range')],
  ])('ends at once, with the error itself, on %s', async (_, error) => {
    let attempts = 0
    const { outcome, done } = start(async () => {
      attempts++
      throw error
    })
    await done
    expect(outcome.error).toBe(error)
    expect(attempts).toBe(1)
    expect(notices).toEqual([])
  })

  it('ends in its wait when the signal aborts, without another attempt', async () => {
    let attempts = 0
    const { outcome, done } = start(async () => {
      attempts++
      throw new NotYet(new Error('unknown'))
    })
    await vi.advanceTimersByTimeAsync(10)
    const reason = new Error('nobody waits')
    ending.abort(reason)
    await done
    expect(outcome.error).toBe(reason)
    expect(attempts).toBe(1)
  })

  it('announces no retry when an attempt fails after the signal aborted', async () => {
    const reason = new Error('nobody waits')
    const { outcome, done } = start(async () => {
      ending.abort(reason)
      throw new NotYet(new Error('unknown'))
    })
    await done
    expect(outcome.error).toBe(reason)
    expect(notices).toEqual([])
  })

  it('lengthens each wait by up to its double with jitter, below the maximum', async () => {
    const starts: number[] = []
    const { done } = start(
      async () => {
        starts.push(performance.now())
        throw new NotYet(new Error('unknown'))
      },
      { jitter: true, retries: 40 },
    )
    await vi.runAllTimersAsync()
    await done
    const waits = starts.slice(1).map((each, index) => each - starts[index]!)
    waits.forEach((wait, index) => {
      expect(wait).toBeGreaterThanOrEqual(nominalDelay(retry, index + 1))
      expect(wait).toBeLessThanOrEqual(Math.min(retry.maxTimeoutMs, 2 * nominalDelay(retry, index + 1)))
    })
  })
})
