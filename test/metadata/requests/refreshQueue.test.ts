import { describe, expect, it } from 'vitest'
import {
  type Ask,
  type AskOwner,
  type Pace,
  RefreshQueue,
} from '../../../src/metadata/requests/refreshQueue.js'

const newQueue = () => new RefreshQueue(true, { minTimeoutMs: 50, maxTimeoutMs: 1000 })
const owner: AskOwner = { answered: () => {}, failed: () => {} }
const ask = (name: string, pace: Pace): Ask => ({
  name,
  pace,
  trigger: 'topic',
  attempt: 1,
  avoidNode: undefined,
  owner,
})

/** Asks again as soon as the queue allows it; returns when it did. */
const askAgain = (queue: RefreshQueue, name: string): number => {
  queue.ask(ask(name, 'again'))
  const at = queue.readyAt()
  queue.take(100, at)
  queue.ended([name])
  return at
}

const begin = (queue: RefreshQueue, name: string, at: number): void => {
  queue.wait(name)
  queue.ask(ask(name, 'first'))
  queue.take(100, at)
  queue.ended([name])
}

describe('the pace of a queue', () => {
  it('slows down the longer it waits without news, to the maximum', () => {
    const queue = newQueue()
    begin(queue, 't', 0)
    const starts = [0]
    for (let count = 0; count < 20; count++) starts.push(askAgain(queue, 't'))
    const gaps = starts.slice(1).map((start, index) => start - starts[index]!)
    expect(gaps.slice(0, 4)).toEqual([50, 100, 100, 100])
    gaps.slice(4).forEach((gap, index) => {
      expect(gap).toBe(Math.min(1000, Math.max(100, starts[index + 4]! / 4)))
    })
    expect(gaps.at(-1)).toBe(1000)
  })

  it('is quick again for a new topic: another that never comes must not slow it down', () => {
    const queue = newQueue()
    begin(queue, 'stuck', 0)
    let last = 0
    for (let count = 0; count < 20; count++) last = askAgain(queue, 'stuck')
    queue.wait('new')
    queue.ask(ask('new', 'first'))
    const first = queue.readyAt()
    expect(first - last).toBeLessThanOrEqual(100)
    queue.take(100, first)
    queue.ended(['stuck', 'new'])
    expect(askAgain(queue, 'new') - first).toBe(100)
  })

  it('holds nothing back for who has a reason to expect news', () => {
    const queue = newQueue()
    begin(queue, 't', 0)
    queue.ask(ask('t', 'again'))
    expect(queue.readyAt()).toBe(50)
    queue.ask(ask('u', 'at-once'))
    expect(queue.readyAt()).toBe(Number.NEGATIVE_INFINITY)
  })

  it('has nothing to do once its asks are withdrawn', () => {
    const queue = newQueue()
    const withdrawn = ask('t', 'first')
    queue.wait('t')
    queue.ask(withdrawn)
    queue.withdraw(withdrawn)
    expect(queue.readyAt()).toBe(Number.POSITIVE_INFINITY)
    expect(queue.take(100, 0)).toBeUndefined()
  })
})
