import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../../src/protocol/records/crc32c.js'
import {
  BATCH_HEADER_BYTES,
  decodeBatch,
  isWellFormed,
  readBatchHeader,
  recordsFill,
  splitBatches,
} from '../../../src/protocol/records/decode.js'
import {
  decompress,
  UnreadableCompressionError,
} from '../../../src/protocol/records/decompress/decompress.js'
import { MalformedMessageError } from '../../../src/protocol/wire/malformed.js'
import { batch } from '../../testing/support/batches.js'
import { runs, seed } from '../support/runs.js'
import { CAPTURED } from './captured.js'

const [COUNT_AT, ATTRIBUTES_AT, LENGTH_AT, CRC_AT, CRC_START] = [57, 21, 8, 17, 21]
const [NONE, GZIP, SNAPPY, LZ4] = [0, 1, 2, 3]

/** The most bytes that one byte of input can make; zstd has no such bound and is left out. */
const LARGEST_RATIO: Readonly<Record<number, number>> = { [NONE]: 1, [GZIP]: 1032, [SNAPPY]: 64, [LZ4]: 255 }

const sound: Buffer[] = [
  ...Object.values(CAPTURED).map(base64 => Buffer.from(base64, 'base64')),
  batch({ values: ['a', null, 'x'.repeat(200)], keys: ['k', null, ''], producerId: 9 }),
  batch({ values: ['a', 'b'], gzip: true }),
  batch({ body: gzipSync(Buffer.alloc(5000)), attributes: GZIP }),
]

const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)))
const changes = fc.array(change, { minLength: 1, maxLength: 5 })

const changed = (bytes: Buffer, at: readonly (readonly [number, number])[]): Buffer => {
  const copy = Buffer.from(bytes)
  for (const [place, value] of at) if (copy.length > 0) copy[place % copy.length] = value
  return copy
}

/** Length and checksum made right again: what follows them is what is tried. */
const sealed = (bytes: Buffer): Buffer => {
  bytes.writeInt32BE(bytes.length - 12, LENGTH_AT)
  bytes.writeUInt32BE(crc32c(bytes, CRC_START, bytes.length), CRC_AT)
  return bytes
}

/** Gives what the function gives; undefined where it threw one of the two errors that it may throw. */
const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedMessageError || error instanceof UnreadableCompressionError)
      return undefined
    throw error
  }
}

test('a batch with bytes changed and its checksum made right is read, or the typed error', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...sound),
      changes,
      fc.option(fc.constantFrom(-1, 0, 2, 1_000_000, 0x7fffffff), { nil: undefined }),
      (whole, at, count) => {
        const bytes = changed(whole, at)
        bytes.writeInt8(2, 16)
        if (count !== undefined) bytes.writeInt32BE(count, COUNT_AT)
        const decoded = attempt(() => decodeBatch(sealed(bytes)))
        if (!decoded) return
        const codec = bytes[ATTRIBUTES_AT + 1]! & 7
        const ratio = LARGEST_RATIO[codec] ?? Number.MAX_VALUE
        // A record takes at least seven bytes: a count alone makes none.
        expect(decoded.records.length * 7).toBeLessThanOrEqual((bytes.length - BATCH_HEADER_BYTES) * ratio)
      },
    ),
    { seed, numRuns: runs(3000) },
  )
})

test('a batch cut anywhere is refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...sound), fc.nat(), (whole, at) => {
      const cut = whole.subarray(0, at % whole.length)
      expect(attempt(() => decodeBatch(cut))).toBeUndefined()
    }),
    { seed, numRuns: runs(500) },
  )
})

test('any body under any codec gives bytes in proportion, or the typed error', () => {
  const magic = fc.constantFrom('', '1f8b08', '82534e415050590000000001', '04224d186040', '28b52ffd')
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      magic,
      fc.uint8Array({ maxLength: 120 }),
      (codec, start, rest) => {
        const input = Buffer.concat([Buffer.from(start, 'hex'), rest])
        const output = attempt(() => decompress(codec, input))
        expect(output?.length ?? 0).toBeLessThanOrEqual(
          input.length * (LARGEST_RATIO[codec] ?? Number.MAX_VALUE),
        )
      },
    ),
    { seed, numRuns: runs(3000) },
  )
})

test('any bytes as a field of records are cut into batches within them, or the typed error', () => {
  const field = fc
    .tuple(fc.array(fc.constantFrom(...sound), { maxLength: 3 }), changes, fc.nat(40))
    .map(([batches, at, less]) => {
      const all = changed(Buffer.concat(batches), at)
      return all.subarray(0, Math.max(0, all.length - less))
    })
  const anything = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(field, anything), bytes => {
      const batches = attempt(() => splitBatches(bytes)) ?? []
      expect(batches.reduce((sum, each) => sum + each.length, 0)).toBeLessThanOrEqual(bytes.length)
      for (const each of batches) {
        const header = attempt(() => readBatchHeader(each))
        expect(header !== undefined).toBe(isWellFormed(each))
        if (header) expect(header.sizeBytes).toBe(each.length)
      }
    }),
    { seed, numRuns: runs(2000) },
  )
})

test('records that are said to fill a batch do not reach beyond it, whatever its bytes', () => {
  const byte = fc.oneof({ weight: 3, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.integer({ min: -1, max: 20 }), (body, count) => {
      const bytes = batch({ body: Buffer.from(body), recordCount: count })
      const fills = recordsFill(bytes, count)
      const decoded = attempt(() => decodeBatch(bytes))
      // Only lengths are looked at: what the decoder reads fills the batch, not the other way round.
      if (decoded) expect(fills).toBe(true)
      if (fills && count <= 0) expect(body).toEqual([])
    }),
    { seed, numRuns: runs(2000) },
  )
})
