import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BufferBudget } from '../../../src/delivery/buffer/bufferBudget.js'
import { LineHeap, type SpaceLine } from '../../../src/delivery/buffer/lineHeap.js'
import { Destination, ShareGroup } from '../../../src/delivery/buffer/shares.js'

const LIMIT = 12_000
const RECORD = 100

/** Takes records of one size until its share is full. */
const fill = (budget: BufferBudget, destination: Destination): number => {
  while (budget.mayHold(destination, RECORD)) budget.take(destination, RECORD)
  return destination.heldBytes / LIMIT
}

/** Destinations that take turns until none of them may take more. */
const fillTogether = (budget: BufferBudget, destinations: readonly Destination[]): number[] => {
  for (let isTaking = true; isTaking; ) {
    isTaking = false
    for (const each of destinations) {
      if (!budget.mayHold(each, RECORD)) continue
      budget.take(each, RECORD)
      isTaking = true
    }
  }
  return destinations.map(({ heldBytes }) => heldBytes / LIMIT)
}

test('one look says whether a destination is filled to the mark, or has no room for one more record', () => {
  const amount = fc.integer({ min: 0, max: LIMIT })
  const mark = fc.constantFrom(0.5, 0.8, 1)
  fc.assert(
    fc.property(
      fc.boolean(),
      amount,
      amount,
      amount,
      mark,
      amount,
      (isStuck, own, others, rest, at, bytes) => {
        fc.pre(own + others + rest <= LIMIT)
        const budget = new BufferBudget(LIMIT)
        const group = new ShareGroup(isStuck)
        const destination = new Destination(group)
        budget.take(destination, own)
        budget.take(new Destination(group), others)
        budget.take(new Destination(new ShareGroup(false)), rest)
        const isFilled = budget.isFilled(destination, at) || !budget.mayHold(destination, bytes)
        expect(budget.isFilledBy(destination, at, bytes)).toBe(isFilled)
      },
    ),
  )
})

describe('shares of the buffer', () => {
  test('one destination holds half, and there is room for the next', () => {
    const budget = new BufferBudget(LIMIT)
    expect(fill(budget, new Destination(new ShareGroup(false)))).toBeCloseTo(1 / 2, 1)
    expect(fill(budget, new Destination(new ShareGroup(false)))).toBeCloseTo(1 / 4, 1)
    expect(budget.mayHold(new Destination(new ShareGroup(false)), RECORD)).toBe(true)
  })

  test('two that take turns hold a third each', () => {
    const budget = new BufferBudget(LIMIT)
    const two = [0, 1].map(() => new Destination(new ShareGroup(false)))
    for (const share of fillTogether(budget, two)) expect(share).toBeCloseTo(1 / 3, 1)
  })

  test('the partitions of one broker hold half together', () => {
    const budget = new BufferBudget(LIMIT)
    const broker = new ShareGroup(false)
    fillTogether(
      budget,
      Array.from({ length: 8 }, () => new Destination(broker)),
    )
    expect(broker.heldBytes / LIMIT).toBeCloseTo(1 / 2, 1)
  })

  test('missing topics hold half together at most, however many there are, and one a quarter', () => {
    const budget = new BufferBudget(LIMIT)
    expect(fill(budget, new Destination(budget.immobile))).toBeCloseTo(1 / 4, 1)
    for (let i = 0; i < 500; i++) fill(budget, new Destination(budget.immobile))
    expect(budget.stuckBytes).toBeLessThanOrEqual(LIMIT / 2)
    expect(budget.mayHold(new Destination(new ShareGroup(false)), RECORD)).toBe(true)
  })

  test('a broker that falls silent keeps out no first record of a missing topic, and no healthy broker', () => {
    const budget = new BufferBudget(LIMIT)
    const broker = new ShareGroup(false)
    const full = new Destination(broker)
    fill(budget, full)
    budget.setStuck(broker, true)
    expect(budget.mayHold(full, RECORD)).toBe(false)
    const missing = Array.from({ length: 100 }, () => new Destination(budget.immobile))
    fillTogether(budget, missing)
    expect(missing.filter(({ heldBytes }) => heldBytes > 0).length).toBeGreaterThan(10)
    expect(budget.usedBytes).toBeLessThanOrEqual(LIMIT * 0.8)
    expect(fill(budget, new Destination(new ShareGroup(false)))).toBeGreaterThan(0.05)
  })

  test('a record as large as the buffer is let in where that is empty', () => {
    const budget = new BufferBudget(LIMIT)
    expect(budget.mayHold(new Destination(new ShareGroup(false)), LIMIT)).toBe(true)
    expect(budget.mayHold(new Destination(budget.immobile), LIMIT)).toBe(true)
    expect(budget.mayHold(new Destination(new ShareGroup(false)), LIMIT + 1)).toBe(false)
  })

  test('counters follow what is held through moves and troubles', () => {
    const step = fc.record({
      kind: fc.constantFrom('take', 'take', 'take', 'give', 'move', 'stuck'),
      at: fc.nat(5),
      to: fc.nat(3),
      bytes: fc.integer({ min: 1, max: 3000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const budget = new BufferBudget(LIMIT)
        const groups = [budget.immobile, ...[1, 2, 3].map(() => new ShareGroup(false))]
        const destinations = Array.from({ length: 6 }, (_, i) => new Destination(groups[i % 4]!))
        for (const { kind, at, to, bytes } of steps) {
          const destination = destinations[at]!
          if (kind === 'take' && budget.mayHold(destination, bytes)) budget.take(destination, bytes)
          if (kind === 'give') budget.give(destination, Math.min(bytes, destination.heldBytes), 0)
          if (kind === 'move') budget.move(destination, groups[to]!)
          if (kind === 'stuck' && to > 0) budget.setStuck(groups[to]!, bytes % 2 === 0)
          const sum = (of: readonly { heldBytes: number }[]) =>
            of.reduce((all, { heldBytes }) => all + heldBytes, 0)
          expect(sum(destinations)).toBe(budget.usedBytes)
          expect(sum(groups)).toBe(budget.usedBytes)
          expect(sum(groups.filter(({ isStuck }) => isStuck))).toBe(budget.stuckBytes)
          for (const group of groups) {
            expect(sum(destinations.filter(each => each.group === group))).toBe(group.heldBytes)
          }
          expect(budget.usedBytes).toBeLessThanOrEqual(LIMIT)
        }
      }),
    )
  })
})

describe('waiting queues of a broker', () => {
  const lineOf = (heldBytes: number): SpaceLine =>
    ({ destination: { heldBytes }, heapIndex: -1, servedAt: 0 }) as unknown as SpaceLine
  const hold = (line: SpaceLine, heldBytes: number): void => {
    line.destination.heldBytes = heldBytes
  }

  test('come in the order of what their destinations hold', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ bytes: fc.nat(20), change: fc.nat(20), at: fc.nat() })), entries => {
        const heap = new LineHeap()
        const lines = entries.map(({ bytes }) => lineOf(bytes))
        for (const line of lines) heap.add(line)
        for (const { change, at } of entries) {
          const line = lines[at % lines.length]!
          hold(line, change)
          heap.update(line)
        }
        const seen: number[] = []
        for (let line = heap.first; line !== undefined; line = heap.first) {
          seen.push(line.destination.heldBytes)
          heap.remove(line)
          expect(line.heapIndex).toBe(-1)
        }
        expect(seen).toEqual([...seen].sort((a, b) => a - b))
        expect(seen).toHaveLength(lines.length)
      }),
    )
  })

  test('take turns where they hold the same', () => {
    const heap = new LineHeap()
    const lines = [0, 1, 2].map(() => lineOf(0))
    for (const line of lines) heap.add(line)
    const order = Array.from({ length: 7 }, () => {
      const line = heap.first!
      heap.served(line)
      return lines.indexOf(line)
    })
    expect(order).toEqual([0, 1, 2, 0, 1, 2, 0])
  })
})
