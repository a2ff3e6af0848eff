import { afterEach, describe, expect, test, vi } from 'vitest'
import { advanceSequence, PartitionSequences } from '../../../src/delivery/idempotence/sequences.js'
import { dropAfterApply } from '../../../src/testing/index.js'
import { TOPIC, World } from '../support/world.js'

const LAST = 2 ** 31 - 1
const identity = { producerId: 7n, epoch: 3 }

/** Sequences that have come near their end. */
const near = (next: number): PartitionSequences => {
  const sequences = new PartitionSequences()
  sequences.start(identity)
  // In steps of what a batch can have at most.
  for (let at = 0; at < next; ) {
    const step = Math.min(next - at, 2 ** 30 - 1)
    sequences.acknowledge(sequences.assign(step), step)
    at += step
  }
  return sequences
}

test('sequences wrap from 2147483647 to 0', () => {
  expect(advanceSequence(LAST, 1)).toBe(0)
  expect(advanceSequence(LAST - 1, 5)).toBe(3)
  const sequences = near(LAST)
  expect(sequences.assign(1)).toBe(LAST)
  expect(sequences.assign(2)).toBe(0)
  expect(sequences.assign(1)).toBe(2)
})

describe('what is expected next', () => {
  test('follows the acknowledgements, over the wrap too', () => {
    const sequences = near(LAST - 1)
    expect(sequences.assign(4)).toBe(LAST - 1)
    expect(sequences.isSettled).toBe(false)
    sequences.acknowledge(LAST - 1, 4)
    expect(sequences.expected).toBe(2)
    expect(sequences.isSettled).toBe(true)
  })

  test('is not set back by the late acknowledgement of an earlier batch', () => {
    const sequences = near(LAST)
    sequences.assign(1)
    sequences.assign(1)
    sequences.acknowledge(0, 1)
    sequences.acknowledge(LAST, 1)
    expect(sequences.expected).toBe(1)
    expect(sequences.isSettled).toBe(true)
  })
})

describe('a bump', () => {
  test('starts at 0 in the next epoch of the same id', () => {
    const sequences = near(50)
    sequences.assign(3)
    expect(sequences.bump()).toBe(true)
    expect(sequences.identity).toEqual({ producerId: 7n, epoch: 4 })
    expect([sequences.assign(1), sequences.expected]).toEqual([0, 0])
  })

  test('is refused when the epochs are used up: then there is no identity', () => {
    const sequences = new PartitionSequences()
    sequences.start({ producerId: 7n, epoch: 32766 })
    expect(sequences.bump()).toBe(true)
    expect(sequences.identity?.epoch).toBe(32767)
    expect(sequences.bump()).toBe(false)
    expect(sequences.identity).toBeUndefined()
  })
})

describe('a producer whose sequences wrap', () => {
  let world: World
  afterEach(async () => {
    vi.restoreAllMocks()
    await world.end()
  })

  test('goes on, through a lost answer too: the broker takes 0 behind 2147483647', async () => {
    world = await World.withClock()
    world.topic()
    const start = PartitionSequences.prototype.start
    vi.spyOn(PartitionSequences.prototype, 'start').mockImplementation(function (
      this: PartitionSequences,
      ...args
    ) {
      start.apply(this, args)
      // A broker without state takes any first sequence.
      Object.assign(this, { next: LAST - 5, acknowledgedNext: LAST - 5 })
    })
    const producer = await world.confirmed({ batchRecords: 2 })
    const values = Array.from({ length: 20 }, (_, i) => `${i}`)
    world.onRecord('5', dropAfterApply)
    await Promise.all(
      values.map(value => producer.send({ topic: TOPIC, messages: [{ value, partition: 0 }] })),
    )
    expect(world.stored()).toEqual(['first', ...values])
    const sequences = world.cluster.records(TOPIC, 0).map(({ sequence }) => sequence)
    expect(sequences.slice(0, 8)).toEqual([LAST - 5, LAST - 4, LAST - 3, LAST - 2, LAST - 1, LAST, 0, 1])
  })
})
