import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBatch } from '../../../src/protocol/records/decode.js'
import {
  decompress,
  UnreadableCompressionError,
} from '../../../src/protocol/records/decompress/decompress.js'
import { hasIndependentBlocks } from '../../../src/protocol/records/decompress/lz4.js'
import { MalformedMessageError } from '../../../src/protocol/wire/malformed.js'
import { runs, seed } from '../support/runs.js'
import { CAPTURED, TEXT } from './captured.js'

const SNAPPY = 2
const LZ4 = 3
const HEADER_BYTES = 61

const captured = Object.entries(CAPTURED).map(
  ([name, base64]) => [name, Buffer.from(base64, 'base64')] as const,
)
const readable = captured.filter(([name]) => !name.endsWith('zstd'))

test.each(readable)('reads what %s wrote', (_name, batch) => {
  const { records } = decodeBatch(batch)
  expect(records.map(({ value }) => value?.toString())).toEqual([TEXT])
})

test.each(captured.filter(([name]) => name.endsWith('zstd')))(
  'reads what %s wrote where Node can, and says so where not',
  (_name, batch) => {
    const canRead = 'zstdDecompressSync' in process.getBuiltinModule('node:zlib')
    if (canRead) expect(decodeBatch(batch).records.map(({ value }) => `${value}`)).toEqual([TEXT])
    else expect(() => decodeBatch(batch)).toThrow(UnreadableCompressionError)
  },
)

describe('the raw format of snappy', () => {
  const raw = (hex: string) => decompress(SNAPPY, Buffer.from(hex.replaceAll(' ', ''), 'hex')).toString()

  test('long literals, and copies of each kind, over themselves too', () => {
    expect(raw('03 08 616263')).toBe('abc')
    expect(raw('07 00 61 09 01')).toBe('a'.repeat(7))
    expect(raw('06 08 616263 0a 0300')).toBe('abcabc')
    expect(raw('06 08 616263 0b 03000000')).toBe('abcabc')
    const long = 'x'.repeat(300)
    expect(raw(`ac02 f4 2b01 ${Buffer.from(long).toString('hex')}`)).toBe(long)
  })

  test.each([
    ['a copy from before the output', '04 00 61 01 05'],
    ['a copy of distance 0', '05 00 61 01 00'],
    ['a copy behind the output', '03 00 61 09 01'],
    ['a literal behind the output', '01 08 616263'],
    ['too little', '04 08 616263'],
    ['a cut literal', '09 20 616263'],
    ['a length out of all proportion', 'ffffffff0f 00 61'],
  ])('refuses %s', (_name, hex) => {
    expect(() => raw(hex)).toThrow(MalformedMessageError)
  })
})

describe('the frame of lz4', () => {
  const frame = (blocks: string, flags = '60') =>
    decompress(LZ4, Buffer.from(`04224d18 ${flags} 40 00 ${blocks}`.replaceAll(' ', ''), 'hex')).toString()

  test('stored blocks, matches over themselves, over earlier blocks, long lengths, checksums', () => {
    expect(frame('03000080 616263 00000000')).toBe('abc')
    expect(frame('06000000 10 61 0100 10 62 00000000')).toBe('aaaaab')
    expect(frame('03000080 616263 05000000 00 0300 10 64 00000000', '40')).toBe('abcabcad')
    expect(frame('08000000 1f 61 0100 ff 0a 10 62 00000000')).toBe(`${'a'.repeat(1 + 4 + 15 + 255 + 10)}b`)
    expect(frame('03000080 616263 deadbeef 00000000 cafecafe', '74')).toBe('abc')
  })

  test.each([
    ['a match from before the output', '03000000 00 0100 00000000'],
    ['a match of distance 0', '06000000 10 61 0000 10 62 00000000'],
    ['a cut block', 'ff000000 10 61'],
    ['no end', '03000080 616263'],
  ])('refuses %s', (_name, blocks) => {
    expect(() => frame(blocks)).toThrow(MalformedMessageError)
  })

  test('says whether its blocks are independent', () => {
    expect(hasIndependentBlocks(Buffer.from('04224d1860', 'hex'))).toBe(true)
    expect(hasIndependentBlocks(Buffer.from('04224d1840', 'hex'))).toBe(false)
    expect(hasIndependentBlocks(Buffer.from('0000000060', 'hex'))).toBe(false)
    expect(hasIndependentBlocks(Buffer.alloc(0))).toBe(false)
  })
})

test('of changed bytes throws nothing but its own error, and makes no more than they can hold', () => {
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
  fc.assert(
    fc.property(
      fc.constantFrom(...readable),
      fc.array(change, { minLength: 1, maxLength: 5 }),
      ([, batch], changes) => {
        const body = Buffer.from(batch.subarray(HEADER_BYTES))
        for (const [at, value] of changes) body[at % body.length] = value
        try {
          expect(decompress(batch[22]! & 7, body).length).toBeLessThanOrEqual(body.length * 255)
        } catch (error) {
          if (!(error instanceof MalformedMessageError)) throw error
        }
      },
    ),
    { numRuns: runs(3000), seed },
  )
})
