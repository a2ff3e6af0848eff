import { describe, expect, it } from 'vitest'
import { type Ask, Lane, type Pace } from '../../src/metadata/lane.js'

const newLane = () => new Lane(true, { minTimeoutMs: 50, maxTimeoutMs: 1000 })
const ask = (name: string, pace: Pace, signal?: AbortSignal): Ask => ({
  name,
  pace,
  trigger: 'topic',
  attempt: 1,
  avoidNode: undefined,
  signal,
  resolve: () => {},
  reject: () => {},
})

/** Asks again as soon as the lane allows it; returns when it did. */
const askAgain = (lane: Lane, name: string): number => {
  lane.ask(ask(name, 'again'))
  const at = lane.readyAt()
  lane.take(100, at)
  lane.ended([name])
  return at
}

const begin = (lane: Lane, name: string, at: number): void => {
  lane.wait(name)
  lane.ask(ask(name, 'first'))
  lane.take(100, at)
  lane.ended([name])
}

describe('the pace of a lane', () => {
  it('slows down the longer it waits without news, to the maximum', () => {
    const lane = newLane()
    begin(lane, 't', 0)
    const starts = [0]
    for (let count = 0; count < 20; count++) starts.push(askAgain(lane, 't'))
    const gaps = starts.slice(1).map((start, index) => start - starts[index]!)
    expect(gaps.slice(0, 4)).toEqual([50, 100, 100, 100])
    gaps.slice(4).forEach((gap, index) => {
      expect(gap).toBe(Math.min(1000, Math.max(100, starts[index + 4]! / 4)))
    })
    expect(gaps.at(-1)).toBe(1000)
  })

  it('is quick again for a new topic: another that never comes must not slow it down', () => {
    const lane = newLane()
    begin(lane, 'stuck', 0)
    let last = 0
    for (let count = 0; count < 20; count++) last = askAgain(lane, 'stuck')
    lane.wait('new')
    lane.ask(ask('new', 'first'))
    const first = lane.readyAt()
    expect(first - last).toBeLessThanOrEqual(100)
    lane.take(100, first)
    lane.ended(['stuck', 'new'])
    expect(askAgain(lane, 'new') - first).toBe(100)
  })

  it('holds nothing back for who has a reason to expect news', () => {
    const lane = newLane()
    begin(lane, 't', 0)
    lane.ask(ask('t', 'again'))
    expect(lane.readyAt()).toBe(50)
    lane.ask(ask('u', 'at-once'))
    expect(lane.readyAt()).toBe(Number.NEGATIVE_INFINITY)
  })

  it('has nothing to do once its asks are withdrawn', () => {
    const lane = newLane()
    const withdrawn = new AbortController()
    lane.wait('t')
    lane.ask(ask('t', 'first', withdrawn.signal))
    withdrawn.abort(new Error('enough'))
    expect(lane.readyAt()).toBe(Number.POSITIVE_INFINITY)
    expect(lane.take(100, 0)).toBeUndefined()
  })
})
