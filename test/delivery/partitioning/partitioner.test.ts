import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur2, murmur2OfText } from '../../../src/delivery/partitioning/murmur2.js'
import { StickyPartitioner } from '../../../src/delivery/partitioning/partitioner.js'
import type { TopicView } from '../../../src/metadata/cache/view.js'
import { runs, seed } from '../../protocol/support/runs.js'

const kafkajsMurmur2: (key: Buffer | string) => number = createRequire(import.meta.url)(
  'kafkajs/src/producer/partitioners/default/murmur2.js',
)

const view = (leaders: readonly number[]): TopicView => ({
  name: 't',
  topicId: '0'.repeat(32),
  partitions: leaders.map((leader, index) => ({ index, leader, leaderEpoch: 0 })),
  available: leaders.flatMap((leader, index) => (leader >= 0 ? [index] : [])),
  usedAt: 0,
  fetchedAt: 0,
})

describe('murmur2', () => {
  /** org.apache.kafka.common.utils.UtilsTest.testMurmur2 */
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %j is that of the Java client', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
    expect(murmur2OfText(text)).toBe(hash)
  })

  test('is that of kafkajs for any bytes and any text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), bytes => {
        expect(murmur2(bytes) | 0).toBe(kafkajsMurmur2(Buffer.from(bytes)) | 0)
      }),
      { seed, numRuns: runs(300) },
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 300 })),
        text => {
          expect(murmur2OfText(text)).toBe(murmur2(Buffer.from(text)))
        },
      ),
      { seed, numRuns: runs(300) },
    )
  })
})

describe('the sticky partitioner', () => {
  const keyless = { value: 'v' }
  const prompt = { isPrompt: () => true, loadOf: () => 0, leftOut: () => {} }

  test('takes the partition that the message names, 0 too', () => {
    const partitioner = new StickyPartitioner(0.5)
    for (const partition of [0, 1, 7])
      expect(partitioner.choose(view([1, 1, 1]), { ...keyless, partition, key: 'k' }, prompt)).toBe(partition)
  })

  test('hashes keys over all partitions, those without a leader too', () => {
    const partitioner = new StickyPartitioner(0.5)
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (key, count) => {
        const expected = (murmur2(Buffer.from(key)) & 0x7fffffff) % count
        const leaders = Array.from({ length: count }, (_, i) => (i % 2 ? 1 : -1))
        expect(partitioner.choose(view(leaders), { key, value: 'v' }, prompt)).toBe(expected)
        expect(partitioner.choose(view(leaders), { key: Buffer.from(key), value: 'v' }, prompt)).toBe(
          expected,
        )
      }),
      { seed, numRuns: runs(200) },
    )
  })

  test('stays on a partition until its batch closes', () => {
    const partitioner = new StickyPartitioner(0.5)
    const topic = view([1, 1, 1, 1])
    const first = partitioner.choose(topic, keyless, prompt)
    for (let i = 0; i < 50; i++) expect(partitioner.choose(topic, keyless, prompt)).toBe(first)
    partitioner.left((first + 1) % 4, 1)
    expect(partitioner.choose(topic, keyless, prompt)).toBe(first)
    partitioner.left(first, 1)
    expect(partitioner.choose(topic, keyless, prompt)).not.toBe(first)
  })

  test('spreads over all partitions, wherever it starts', () => {
    for (const random of [0, 0.3, 0.999999]) {
      const partitioner = new StickyPartitioner(random)
      const topic = view([1, 1, 1])
      const seen = new Set<number>()
      for (let i = 0; i < 3; i++) {
        const partition = partitioner.choose(topic, keyless, prompt)
        seen.add(partition)
        partitioner.left(partition, 1)
      }
      expect(seen.size).toBe(3)
    }
  })

  test('avoids partitions without a leader, and leaves one that loses its leader', () => {
    const partitioner = new StickyPartitioner(0.5)
    for (let i = 0; i < 10; i++) {
      const partition = partitioner.choose(view([-1, 2, -1]), keyless, prompt)
      expect(partition).toBe(1)
      partitioner.left(partition, 1)
    }
    expect(partitioner.choose(view([-1, 2, -1]), keyless, prompt)).toBe(1)
    expect(partitioner.choose(view([3, -1, -1]), keyless, prompt)).toBe(0)
    // With no leader at all it stays where it is: any may be the first to have one again.
    expect(partitioner.choose(view([-1, -1, -1]), keyless, prompt)).toBe(0)
  })

  test('leaves a partition that a topic made again has not', () => {
    const partitioner = new StickyPartitioner(0.5)
    const wide = view([1, 1, 1, 1, 1, 1, 1, 1])
    while (partitioner.choose(wide, keyless, prompt) < 4)
      partitioner.left(partitioner.choose(wide, keyless, prompt), 1)
    expect(partitioner.choose(view([1]), keyless, prompt)).toBe(0)
  })
})
