import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../src/protocol/records/crc32c.js'
import {
  compressionOf,
  decodeBatch,
  hasValidCrc,
  readBatchHeader,
  recordsFill,
  splitBatches,
} from '../../../src/protocol/records/decode.js'
import { UnreadableCompressionError } from '../../../src/protocol/records/decompress/decompress.js'
import { MalformedMessageError } from '../../../src/protocol/wire/malformed.js'
import { batch } from '../../testing/support/batches.js'
import { runs, seed } from '../support/runs.js'

/** Field by field as KIP-98 lays it out; the checksum was computed bit by bit by another implementation. */
const GOLDEN = Buffer.from(
  [
    '0000000000000000 0000003e ffffffff 02 85d4936f',
    '0000 00000000 00000000000003e8 00000000000003e8',
    'ffffffffffffffff ffff ffffffff 00000001',
    '18 00 00 00 026b 0276 02 0268 0278',
  ]
    .join('')
    .replaceAll(' ', ''),
  'hex',
)

/** The batch with another codec in its attributes and its checksum made right. */
const withCodec = (bytes: Buffer, codec: number): Buffer => {
  const changed = Buffer.from(bytes)
  changed.writeInt16BE(codec, 21)
  changed.writeUInt32BE(crc32c(changed, 21), 17)
  return changed
}

describe('decodeBatch', () => {
  test('reads known bytes', () => {
    const { header, records } = decodeBatch(GOLDEN)
    expect(header).toMatchObject({ baseOffset: 0n, producerId: -1n, baseSequence: -1, recordCount: 1 })
    expect(records).toEqual([
      {
        offset: 0n,
        timestamp: 1000n,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: [{ key: 'h', value: Buffer.from('x') }],
      },
    ])
  })

  test.each([undefined, true] as const)('reads values, nulls, timestamps and offsets (gzip: %s)', gzip => {
    const bytes = batch({
      values: ['a', null, Buffer.alloc(300, 7)],
      keys: [null, 'k', ''],
      timestamps: [1000, 990, 2000],
      ...(gzip && { gzip }),
    })
    bytes.writeBigInt64BE(40n, 0)
    const { header, records } = decodeBatch(bytes)
    expect(compressionOf(header)).toBe(gzip ? 1 : 0)
    expect(records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      [40n, 1000n],
      [41n, 990n],
      [42n, 2000n],
    ])
    expect(records.map(({ key }) => key?.toString())).toEqual([undefined, 'k', ''])
    expect(records.map(({ value }) => value?.length)).toEqual([1, undefined, 300])
  })

  test.each([
    ['a wrong checksum', (bytes: Buffer) => bytes.fill(0, 60, 61)],
    ['a byte too much', (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
    ['a byte too few', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['gzip that is none', (bytes: Buffer) => withCodec(bytes, 1)],
    [
      'gzip of too few records',
      (bytes: Buffer) => withCodec(replaceRecords(bytes, gzipSync(bytes.subarray(61, 62))), 1),
    ],
  ])('refuses %s', (_name, spoil) => {
    expect(() => decodeBatch(spoil(Buffer.from(GOLDEN)))).toThrow(MalformedMessageError)
  })

  test('says when it has no decoder', () => {
    expect(() => decodeBatch(withCodec(GOLDEN, 7))).toThrow(UnreadableCompressionError)
  })

  test('of any bytes whose checksum is right throws nothing but its own errors', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ min: -1, max: 6 }),
        fc.integer({ min: 0, max: 1 }),
        (body, count, codec) => {
          const bytes = replaceRecords(GOLDEN, Buffer.from(body))
          bytes.writeInt32BE(count, 57)
          try {
            decodeBatch(withCodec(bytes, codec))
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessageError)
          }
        },
      ),
      { numRuns: runs(2000), seed },
    )
  })

  test('allocates nothing for impossible counts', () => {
    const bytes = Buffer.from(GOLDEN)
    bytes.writeInt32BE(0x7fffffff, 57)
    expect(() => decodeBatch(withCodec(bytes, 0))).toThrow('a count of 2147483647')
  })
})

/** The header of a batch over other records, with the right length. */
function replaceRecords(bytes: Buffer, records: Buffer): Buffer {
  const changed = Buffer.concat([bytes.subarray(0, 61), records])
  changed.writeInt32BE(changed.length - 12, 8)
  return withCodec(changed, changed.readInt16BE(21))
}

test('readBatchHeader wants magic 2 and a whole header', () => {
  const old = Buffer.from(GOLDEN)
  old.writeInt8(1, 16)
  expect(() => readBatchHeader(old)).toThrow('magic 1')
  expect(() => readBatchHeader(GOLDEN.subarray(0, 60))).toThrow(MalformedMessageError)
})

test('hasValidCrc sees every changed byte behind the checksum', () => {
  for (let at = 21; at < GOLDEN.length; at++) {
    const changed = Buffer.from(GOLDEN)
    changed[at]! ^= 1
    expect(hasValidCrc(changed)).toBe(false)
  }
  expect(hasValidCrc(GOLDEN)).toBe(true)
})

test('splitBatches leaves a truncated last batch out, and refuses lengths no batch has', () => {
  const two = Buffer.concat([GOLDEN, GOLDEN])
  expect(splitBatches(two)).toEqual([GOLDEN, GOLDEN])
  expect(splitBatches(two.subarray(0, -1))).toEqual([GOLDEN])
  expect(splitBatches(two.subarray(0, GOLDEN.length + 11))).toEqual([GOLDEN])
  expect(splitBatches(Buffer.alloc(0))).toEqual([])
  expect(() => splitBatches(Buffer.alloc(12))).toThrow(MalformedMessageError)
  const negative = Buffer.from(GOLDEN)
  negative.writeInt32BE(-100, 8)
  expect(() => splitBatches(negative)).toThrow(MalformedMessageError)
})

test('recordsFill agrees with the decoder on how many records a batch has', () => {
  const record = fc.option(fc.string({ maxLength: 200 }), { nil: null })
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), values => {
      const bytes = batch({ values })
      expect(decodeBatch(bytes).records.map(({ value }) => value?.toString() ?? null)).toEqual(values)
      expect(recordsFill(bytes, values.length)).toBe(true)
      expect(recordsFill(bytes, values.length + 1)).toBe(false)
      expect(recordsFill(bytes, values.length - 1)).toBe(false)
      expect(recordsFill(bytes.subarray(0, -1), values.length)).toBe(false)
    }),
    { numRuns: runs(200), seed },
  )
})
