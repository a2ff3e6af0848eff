import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as codecs from '../../../src/protocol/wire/codec.js'
import { MalformedMessageError } from '../../../src/protocol/wire/malformed.js'
import { Reader } from '../../../src/protocol/wire/reader.js'
import { Writer } from '../../../src/protocol/wire/writer.js'
import { runs, seed } from '../support/runs.js'

const options = { numRuns: runs(500), seed }
const written = (write: (writer: Writer) => void, initialBytes?: number): Buffer => {
  const writer = new Writer(initialBytes)
  write(writer)
  return Buffer.from(writer.finish())
}
const readWhole = <T>(bytes: Buffer, read: (reader: Reader) => T): T => {
  const reader = new Reader(bytes)
  const value = read(reader)
  expect(reader.remaining).toBe(0)
  return value
}

interface Primitive<T> {
  readonly values: fc.Arbitrary<T>
  readonly write: (writer: Writer, value: T) => void
  readonly read: (reader: Reader) => T
}
const primitive = <T>(each: Primitive<T>): Primitive<unknown> => each as unknown as Primitive<unknown>
const signed = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const unsigned32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const signed64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

const primitives: Record<string, Primitive<unknown>> = {
  boolean: primitive({ values: fc.boolean(), write: (w, v) => w.boolean(v), read: r => r.boolean() }),
  int8: primitive({ values: signed(8), write: (w, v) => w.int8(v), read: r => r.int8() }),
  int16: primitive({ values: signed(16), write: (w, v) => w.int16(v), read: r => r.int16() }),
  int32: primitive({ values: signed(32), write: (w, v) => w.int32(v), read: r => r.int32() }),
  int64: primitive({ values: signed64, write: (w, v) => w.int64(v), read: r => r.int64() }),
  float64: primitive({ values: fc.double(), write: (w, v) => w.float64(v), read: r => r.float64() }),
  uvarint: primitive({ values: unsigned32, write: (w, v) => w.uvarint(v), read: r => r.uvarint() }),
  varint: primitive({ values: signed(32), write: (w, v) => w.varint(v), read: r => r.varint() }),
  varlong: primitive({ values: signed64, write: (w, v) => w.varlong(v), read: r => r.varlong() }),
}

describe.each(Object.entries(primitives))('%s', (_, { values, write, read }) => {
  it('is read as it was written, from a buffer that had to grow too', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 20 }), fc.nat(4), (many, initialBytes) => {
        const bytes = written(writer => {
          for (const value of many) write(writer, value)
        }, initialBytes)
        expect(readWhole(bytes, reader => many.map(() => read(reader)))).toStrictEqual(many)
      }),
      options,
    )
  })

  it('is refused where its bytes end too early, and reads nothing behind its end', () => {
    fc.assert(
      fc.property(values, value => {
        const bytes = written(writer => write(writer, value))
        for (let length = 0; length < bytes.length; length++) {
          const inside = Buffer.concat([bytes, bytes])
          expect(() => read(new Reader(inside, bytes.length, bytes.length + length))).toThrow(
            MalformedMessageError,
          )
        }
      }),
      { ...options, numRuns: 100 },
    )
  })
})

describe('varints', () => {
  it.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2 ** 31, '8080808008'],
    [2 ** 32 - 1, 'ffffffff0f'],
  ])('unsigned %i stands as %s', (value, hex) => {
    expect(written(w => w.uvarint(value)).toString('hex')).toBe(hex)
    expect(readWhole(Buffer.from(hex, 'hex'), r => r.uvarint())).toBe(value)
  })

  it.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [-64, '7f'],
    [64, '8001'],
    [2_147_483_647, 'feffffff0f'],
    [-2_147_483_648, 'ffffffff0f'],
  ])('zigzag %i stands as %s, as 32 and as 64 bits', (value, hex) => {
    expect(written(w => w.varint(value)).toString('hex')).toBe(hex)
    expect(written(w => w.varlong(BigInt(value))).toString('hex')).toBe(hex)
    expect(readWhole(Buffer.from(hex, 'hex'), r => r.varint())).toBe(value)
    expect(readWhole(Buffer.from(hex, 'hex'), r => r.varlong())).toBe(BigInt(value))
  })

  it.each([
    [2n ** 63n - 1n, 'feffffffffffffffff01'],
    [-(2n ** 63n), 'ffffffffffffffffff01'],
  ])('zigzag %i stands as %s', (value, hex) => {
    expect(written(w => w.varlong(value)).toString('hex')).toBe(hex)
    expect(readWhole(Buffer.from(hex, 'hex'), r => r.varlong())).toBe(value)
  })

  it('that never end, or are wider than their type, are refused', () => {
    const endless = Buffer.alloc(20, 0xff)
    for (const read of [(r: Reader) => r.uvarint(), (r: Reader) => r.varint(), (r: Reader) => r.varlong()]) {
      expect(() => read(new Reader(endless))).toThrow(MalformedMessageError)
    }
    expect(() => new Reader(Buffer.from('ffffffff1f', 'hex')).uvarint()).toThrow(/longer than 32 bits/)
    expect(() => new Reader(Buffer.from('ffffffff1f', 'hex')).varint()).toThrow(/longer than 32 bits/)
  })

  it('of any bytes give a value in the range of their type, or the typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), some => {
        const attempt = <T>(read: (reader: Reader) => T): T | undefined => {
          try {
            return read(new Reader(Buffer.from(some)))
          } catch (error) {
            if (error instanceof MalformedMessageError) return undefined
            throw error
          }
        }
        const uvarint = attempt(r => r.uvarint()) ?? 0
        expect(uvarint).toBe(uvarint >>> 0)
        const varint = attempt(r => r.varint()) ?? 0
        expect(varint).toBe(varint | 0)
        const varlong = attempt(r => r.varlong()) ?? 0n
        expect(varlong).toBe(BigInt.asIntN(64, varlong))
      }),
      options,
    )
  })
})

describe('strings and bytes', () => {
  const contexts = [
    { version: 0, flexible: false },
    { version: 0, flexible: true },
  ]

  it.each(contexts)('are read as they were written: %j', context => {
    const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 300 }))
    const data = fc.option(fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)))
    fc.assert(
      fc.property(text, data, (string, bytes) => {
        const message = written(writer => {
          codecs.nullableString.write(writer, string, context)
          codecs.nullableBytes.write(writer, bytes, context)
        }, 1)
        readWhole(message, reader => {
          expect(codecs.nullableString.read(reader, context)).toBe(string)
          expect(codecs.nullableBytes.read(reader, context)?.toString('hex')).toBe(bytes?.toString('hex'))
        })
      }),
      options,
    )
  })

  it.each(contexts)('that must be there refuse null: %j', context => {
    for (const [nullable, required] of [
      [codecs.nullableString, codecs.string],
      [codecs.nullableBytes, codecs.bytes],
      [codecs.nullableArray(codecs.int8), codecs.array(codecs.int8)],
    ] as const) {
      const bytes = written(writer => nullable.write(writer, null, context))
      expect(() => required.read(new Reader(bytes), context)).toThrow(/is null/)
    }
  })

  it('longer than what is left are refused before anything is allocated', () => {
    const huge = Buffer.from('7fffffff00', 'hex')
    const context = { version: 0, flexible: false }
    expect(() => codecs.bytes.read(new Reader(huge), context)).toThrow(
      /needs 2147483647 bytes at offset 4, 1 are left/,
    )
    expect(() => codecs.array(codecs.int8).read(new Reader(huge), context)).toThrow(
      /a count of 2147483647 at offset 4, 1 bytes are left/,
    )
    const compact = { version: 0, flexible: true }
    expect(() => codecs.bytes.read(new Reader(Buffer.from('ffffffff0f', 'hex')), compact)).toThrow(
      MalformedMessageError,
    )
    expect(() =>
      codecs.array(codecs.int8).read(new Reader(Buffer.from('ffffffff0f', 'hex')), compact),
    ).toThrow(MalformedMessageError)
  })
})

describe('tagged fields', () => {
  const inner = codecs.struct({ a: codecs.int8, late: codecs.tagged(7, 2, codecs.string, 'default') })
  const flexible = (version: number) => ({ version, flexible: true })

  it('follow the others, with their tag and size', () => {
    const bytes = written(writer => inner.write(writer, { a: 5, late: 'xy' }, flexible(2)))
    expect(bytes.toString('hex')).toBe('05010703037879')
  })

  it('that are left out, or not of this version, are the default', () => {
    const without = written(writer => inner.write(writer, { a: 5 }, flexible(2)))
    expect(without.toString('hex')).toBe('0500')
    expect(inner.read(new Reader(without), flexible(2))).toEqual({ a: 5, late: 'default' })
    const early = written(writer => inner.write(writer, { a: 5, late: 'xy' }, flexible(1)))
    expect(early.toString('hex')).toBe('0500')
  })

  it('that nobody knows are passed over', () => {
    const bytes = Buffer.from('05030102aabb07030378790900', 'hex')
    expect(readWhole(bytes, reader => inner.read(reader, flexible(2)))).toEqual({ a: 5, late: 'xy' })
  })

  it.each([
    ['with a size that is not theirs', '0501070403787900'],
    ['more of them than bytes', '05ff01'],
    ['reaching behind the end', '05010105aa'],
  ])('%s are refused', (_, hex) => {
    expect(() => inner.read(new Reader(Buffer.from(hex, 'hex')), flexible(2))).toThrow(MalformedMessageError)
  })

  it('make a nullable structure a byte longer', () => {
    const codec = codecs.nullableStruct(inner)
    expect(written(writer => codec.write(writer, null, flexible(2))).toString('hex')).toBe('ff')
    const bytes = written(writer => codec.write(writer, { a: 1 }, flexible(2)))
    expect(bytes.toString('hex')).toBe('010100')
    expect(codec.read(new Reader(bytes), flexible(2))).toEqual({ a: 1, late: 'default' })
  })
})
