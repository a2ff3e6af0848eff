import { describe, expect, test } from 'vitest'
import { TurnWork } from '../../../src/delivery/turns.js'

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

describe('work on many records', () => {
  test('is done at once where it is little', () => {
    const turns = new TurnWork()
    let done = 0
    turns.once(10, () => done++)
    expect(done).toBe(1)
    expect(turns.isIdle).toBe(true)
  })

  test('is cut into turns of the event loop, and kept in order', async () => {
    const turns = new TurnWork()
    const order: string[] = []
    let now = 0
    const perTurn: number[] = []
    const step = (name: string, count: number) => {
      let left = count
      return () => {
        if (left === 0) return 0
        left--
        order.push(name)
        perTurn[now] = (perTurn[now] ?? 0) + 1
        return 1
      }
    }
    turns.run(step('a', 20_000))
    turns.run(step('b', 12_000))
    const idle = turns.whenIdle()
    now++
    while (!turns.isIdle) {
      await nextTurn()
      now++
    }
    await idle
    expect(order).toEqual([
      ...Array.from({ length: 20_000 }, () => 'a'),
      ...Array.from({ length: 12_000 }, () => 'b'),
    ])
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(8000)
  })

  test('that brings more work is followed by it', async () => {
    const turns = new TurnWork()
    const order: string[] = []
    turns.once(1, () => {
      order.push('first')
      turns.once(1, () => order.push('third'))
      order.push('second')
    })
    expect(order).toEqual(['first', 'second', 'third'])
  })

  test('that throws is not done again, and holds up no other', async () => {
    const turns = new TurnWork()
    let calls = 0
    expect(() =>
      turns.run(() => {
        calls++
        throw new Error('no')
      }),
    ).toThrow('no')
    let done = 0
    turns.once(1, () => done++)
    await nextTurn()
    expect([calls, done]).toEqual([1, 1])
  })
})
