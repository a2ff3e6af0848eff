import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AcknowledgedBatch } from '../../../src/delivery/owners/acknowledgedBatch.js'
import { runs, seed } from '../../protocol/support/runs.js'

const batchAt = (baseOffset: bigint) => new AcknowledgedBatch('t', 0, baseOffset, -1n, 0n)

describe('the metadata of a record', () => {
  test('is a plain object with the fields that kafkajs gives, in its order', () => {
    const metadata = new AcknowledgedBatch('t', 3, 41n, 1_700_000_000_000n, 7n).metadataAt(1)
    const literal = {
      topicName: 't',
      partition: 3,
      errorCode: 0,
      baseOffset: '42',
      logAppendTime: '1700000000000',
      logStartOffset: '7',
    }
    expect(metadata).toStrictEqual(literal)
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype)
    expect(JSON.stringify(metadata)).toBe(JSON.stringify(literal))
    expect(inspect(metadata)).toBe(inspect(literal))
    expect({ ...metadata }).toStrictEqual(literal)
    expect(structuredClone(metadata)).toStrictEqual(literal)
  })
})

describe('the offsets of a batch', () => {
  const base = fc.oneof(
    fc.bigInt({ min: 0n, max: 3000n }),
    fc.bigInt({ min: 0n, max: 2n ** 53n + 1000n }),
    fc.bigInt({ min: 2n ** 53n - 5000n, max: 2n ** 53n + 5000n }),
    fc.bigInt({ min: 0n, max: 2n ** 63n - 20_000n }),
  )

  test('are exact in any order, whatever their size', () => {
    fc.assert(
      fc.property(
        base,
        fc.array(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 50 }),
        (first, indexes) => {
          const batch = batchAt(first)
          for (const index of indexes) expect(batch.offsetAt(index)).toBe(String(first + BigInt(index)))
        },
      ),
      { seed, numRuns: runs(300) },
    )
  })

  test('go on over a thousand', () => {
    const batch = batchAt(998n)
    expect([0, 1, 2, 3, 1002].map(index => batch.offsetAt(index))).toEqual([
      '998',
      '999',
      '1000',
      '1001',
      '2000',
    ])
  })

  test('are "-1" where the broker only said that it has the batch', () => {
    expect(batchAt(-1n).offsetAt(7)).toBe('-1')
  })
})
