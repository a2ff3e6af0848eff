import { createRequire } from 'node:module'
import fc from 'fast-check'
import type { Message } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../src/protocol/records/crc32c.js'
import { decodeBatch, readBatchHeader } from '../../../src/protocol/records/decode.js'
import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  CHECKSUM_START,
  recordBodyBytes,
  writeBatchHeader,
  writeChecksum,
  writeRecord,
} from '../../../src/protocol/records/encode.js'
import { RecordMeasure, uvarintBytes } from '../../../src/protocol/records/measure.js'
import { copyRecords } from '../../../src/protocol/records/rewrite.js'
import { runs, seed } from '../support/runs.js'

const require = createRequire(import.meta.url)
const KafkajsDecoder: new (bytes: Buffer) => unknown = require('kafkajs/src/protocol/decoder.js')
const decodeWithKafkajs: (decoder: unknown) => Promise<{
  records: { offset: string; timestamp: string; key: Buffer | null; value: Buffer | null; headers: object }[]
  producerId: string
  producerEpoch: number
  firstSequence: number
  firstTimestamp: string
  maxTimestamp: string
}> = require('kafkajs/src/protocol/recordBatch/v0/decoder.js')

interface Timed {
  readonly message: Message
  readonly timestamp: number
}

const encodeBody = (records: readonly Timed[], base = records[0]?.timestamp ?? 0): Buffer => {
  const measure = new RecordMeasure()
  const parts = records.map(({ message, timestamp }, index) => {
    measure.of(message)
    const delta = timestamp - base
    const bytes = recordBodyBytes(measure, delta, index)
    const buffer = Buffer.alloc(uvarintBytes(bytes * 2) + bytes, 0xaa)
    // The room that was asked for is filled to the byte.
    const end = writeRecord(buffer, 0, bytes, delta, index, message, measure)
    if (end !== buffer.length) throw new Error(`a record of ${buffer.length} bytes ends at ${end}`)
    return buffer
  })
  return Buffer.concat(parts)
}

const encodeBatch = (records: readonly Timed[], rest: Partial<BatchHeader> = {}): Buffer => {
  const body = encodeBody(records)
  const header = Buffer.alloc(BATCH_HEADER_BYTES, 0xaa)
  writeBatchHeader(header, 0, body.length, {
    attributes: 0,
    recordCount: records.length,
    baseTimestamp: records[0]?.timestamp ?? 0,
    maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
    producerId: -1n,
    producerEpoch: -1,
    baseSequence: -1,
    ...rest,
  })
  writeChecksum(header, 0, crc32c(body, 0, body.length, crc32c(header, CHECKSUM_START, BATCH_HEADER_BYTES)))
  return Buffer.concat([header, body])
}

/** Bytes as text that a mismatch shows well, and that compares fast. */
const shown = (value: Buffer | string | null | undefined): string | null =>
  value === null || value === undefined ? null : Buffer.from(value as Buffer).toString('hex')

const flatHeaders = (headers: Message['headers']) =>
  Object.entries(headers ?? {}).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map(each => ({ key, value: shown(each) })),
  )

/** Around the borders of the encoder: empty, the size up to which bytes are copied by a loop, one and more bytes of length. */
const sizes = [0, 1, 63, 64, 65, 127, 128, 8191, 8192]
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map(each => Buffer.from(each)),
  fc.constantFrom(...sizes).map(size => Buffer.alloc(size, 0x5a)),
)
/** One to four bytes each in UTF-8. */
const unit = fc.constantFrom('a', '~', 'é', '漢', '💚')
const text = fc.oneof(
  fc.string({ unit, maxLength: 80 }),
  fc.constantFrom(...sizes.flatMap(size => ['x'.repeat(size), 'é'.repeat(size), '💚'.repeat(size)])),
)
const data = fc.oneof(bytes, text, fc.constant(null))
const headerValue = fc.oneof(bytes, text)
const headers = fc.dictionary(
  fc.oneof(fc.string({ unit, maxLength: 20 }), fc.constantFrom('', 'traceparent', 'ключ')),
  fc.oneof(headerValue, fc.array(headerValue, { maxLength: 4 }), fc.constant(undefined)),
  { maxKeys: 6 },
)
const message: fc.Arbitrary<Message> = fc.record(
  { key: fc.option(data, { nil: undefined as never }), value: data, headers },
  { requiredKeys: ['value'] },
)
const LIMIT = 2 ** 50
const base = fc.constantFrom(0, 1, 1_700_000_000_000, -1, -62_135_596_800_000, 2 ** 52, -(2 ** 52))
const delta = fc.oneof(
  fc.constantFrom(0, 1, -1, 63, -64, 64, -65, 2 ** 31, -(2 ** 31), 2 ** 35, LIMIT, -LIMIT),
  fc.integer({ min: -LIMIT, max: LIMIT }),
)
const records = fc
  .tuple(base, fc.array(fc.tuple(message, delta), { minLength: 1, maxLength: 8 }))
  .map(([at, list]): Timed[] =>
    list.map(([each, offset], index) => ({ message: each, timestamp: index === 0 ? at : at + offset })),
  )

describe('an encoded batch', () => {
  test('is read back by our decoder as it was given', () => {
    fc.assert(
      fc.property(records, list => {
        const { header, records: read } = decodeBatch(encodeBatch(list))
        expect(header.recordCount).toBe(list.length)
        expect(header.lastOffsetDelta).toBe(list.length - 1)
        expect(header.baseTimestamp).toBe(BigInt(list[0]!.timestamp))
        expect(header.maxTimestamp).toBe(BigInt(Math.max(...list.map(({ timestamp }) => timestamp))))
        expect(
          read.map(each => ({
            ...each,
            key: shown(each.key),
            value: shown(each.value),
            headers: each.headers.map(header => ({ key: header.key, value: shown(header.value) })),
          })),
        ).toEqual(
          list.map(({ message: { key, value, headers: given }, timestamp }, index) => ({
            offset: BigInt(index),
            timestamp: BigInt(timestamp),
            key: shown(key),
            value: shown(value),
            headers: flatHeaders(given),
          })),
        )
      }),
      { seed, numRuns: runs(400) },
    )
  })

  test('is read by kafkajs as it was given', async () => {
    await fc.assert(
      fc.asyncProperty(records, async list => {
        const read = await decodeWithKafkajs(new KafkajsDecoder(encodeBatch(list)))
        // kafkajs makes an object of headers again, in which a name of one value is no array; null is its 'no value'.
        const merged = list.map(({ message: { headers: given } }) => {
          const result: Record<string, unknown> = {}
          for (const { key, value } of flatHeaders(given)) {
            const known = result[key]
            result[key] =
              known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value]
          }
          return result
        })
        const shownHeaders = (got: object) =>
          Object.fromEntries(
            Object.entries(got).map(([key, value]) => [
              key,
              Array.isArray(value) ? value.map(shown) : shown(value),
            ]),
          )
        expect(
          read.records.map(({ offset, timestamp, key, value, headers: got }) => ({
            offset,
            timestamp,
            key: shown(key),
            value: shown(value),
            got: shownHeaders(got),
          })),
        ).toEqual(
          list.map(({ message: { key, value }, timestamp }, index) => ({
            offset: String(index),
            timestamp: String(timestamp),
            key: shown(key),
            value: shown(value),
            got: merged[index],
          })),
        )
      }),
      { seed, numRuns: runs(200) },
    )
  })

  test('carries the largest ids, epochs and sequences', async () => {
    const identities = [
      { producerId: 0n, producerEpoch: 0, baseSequence: 0 },
      { producerId: 2n ** 63n - 1n, producerEpoch: 32767, baseSequence: 2147483647 },
      { producerId: -1n, producerEpoch: -1, baseSequence: -1 },
    ]
    for (const identity of identities) {
      const batch = encodeBatch([{ message: { value: 'v' }, timestamp: 5 }], identity)
      expect(readBatchHeader(batch)).toMatchObject(identity)
      expect(await decodeWithKafkajs(new KafkajsDecoder(batch))).toMatchObject({
        producerId: String(identity.producerId),
        producerEpoch: identity.producerEpoch,
        firstSequence: identity.baseSequence,
      })
    }
  })

  test('is this, to the byte', () => {
    const batch = encodeBatch(
      [
        {
          message: { key: 'k', value: 'v', headers: { h: ['1', Buffer.from([2])] } },
          timestamp: 1_700_000_000_000,
        },
        { message: { key: null, value: null }, timestamp: 1_700_000_000_001 },
        { message: { value: 'é' }, timestamp: 1_699_999_999_999 },
      ],
      { producerId: 4711n, producerEpoch: 3, baseSequence: 70000, attributes: 0x10 },
    )
    expect(
      batch
        .toString('hex')
        .replace(/(.{8})/g, '$1 ')
        .trim(),
    ).toBe(
      [
        // base offset, length, leader epoch, magic, checksum
        `0000000000000000 00000052 ffffffff 02 ${batch.subarray(17, 21).toString('hex')}`,
        // attributes, last offset delta, timestamps
        '0010 00000002 0000018bcfe56800 0000018bcfe56801',
        // producer id, epoch, sequence, count
        '0000000000001267 0003 00011170 00000003',
        // length 16, attributes, deltas, key, value, headers
        '20 00 00 00 02 6b 02 76 04 02 68 02 31 02 68 02 02',
        '0c 00 02 02 01 01 00',
        '10 00 01 04 01 04 c3a9 00',
      ]
        .join('')
        .replaceAll(' ', '')
        .replace(/(.{8})/g, '$1 ')
        .trim(),
    )
    // The checksum by the definition of CRC-32C, bit by bit.
    let crc = 0xffffffff
    for (const byte of batch.subarray(21)) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
    }
    expect(batch.readUInt32BE(17)).toBe((crc ^ 0xffffffff) >>> 0)
  })
})

describe('a measure', () => {
  test('is an upper bound of what a record takes in a batch of usual size', () => {
    fc.assert(
      fc.property(
        message,
        fc.nat(100_000),
        fc.integer({ min: -(2 ** 33), max: 2 ** 33 }),
        (each, index, ms) => {
          const measure = new RecordMeasure().of(each)
          const body = recordBodyBytes(measure, ms, index)
          expect(measure.recordBytes).toBeGreaterThanOrEqual(body + uvarintBytes(body * 2))
        },
      ),
      { seed, numRuns: runs(300) },
    )
  })

  test('forgets the message before', () => {
    const measure = new RecordMeasure()
    measure.of({ key: 'k', value: 'v', headers: { a: '1', b: ['2', '3'] } })
    const alone = new RecordMeasure().of({ value: 'x' }).recordBytes
    expect(measure.of({ value: 'x' }).recordBytes).toBe(alone)
    const buffer = Buffer.alloc(100)
    const end = writeRecord(buffer, 0, recordBodyBytes(measure, 0, 0), 0, 0, { value: 'x' }, measure)
    expect(end).toBe(recordBodyBytes(measure, 0, 0) + 1)
  })
})

describe('copied records', () => {
  test('are those that were to be kept, numbered anew, at their old timestamps', () => {
    fc.assert(
      fc.property(records, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (list, keep) => {
        const copied = copyRecords(encodeBody(list), list.length, index => keep[index]!)
        const kept = list.filter((_, index) => keep[index])
        expect(copied.equals(encodeBody(kept, list[0]!.timestamp))).toBe(true)
      }),
      { seed, numRuns: runs(300) },
    )
  })

  test('of thousands, whose numbers get shorter, and so their lengths', () => {
    // The value makes the record's length lose a byte when its number does.
    const list = Array.from({ length: 9000 }, (_, i) => ({
      message: { value: 'x'.repeat(56) },
      timestamp: i,
    }))
    for (const first of [0, 1, 63, 64, 65, 8000, 8990, 8999]) {
      const copied = copyRecords(encodeBody(list), list.length, index => index >= first)
      expect(copied.equals(encodeBody(list.slice(first), 0))).toBe(true)
    }
  })

  test('of a body that ends early are a typed error', () => {
    const body = encodeBody([{ message: { value: 'v' }, timestamp: 0 }])
    expect(() => copyRecords(body, 2, () => true)).toThrow(/varint/)
  })
})
