import fc from 'fast-check'
import type * as codecs from '../../../src/protocol/wire/codec.js'
import type { Codec, VersionedField, WireContext } from '../../../src/protocol/wire/codec.js'

/**
 * Values for every message of the protocol, generated from its own definition: the combinators of `wire/codec.ts` are
 * replaced (by `vi.mock`) with themselves and a note of which values they take.
 */
type AnyCodec = Codec<unknown, never>
/** What is given to write, and what is expected to be read: the default where a field is left out. */
export interface Sample {
  readonly given: unknown
  readonly read: unknown
}
type Make = (context: WireContext) => fc.Arbitrary<Sample>

const makers = new WeakMap<object, Make>()
const elements: { readonly codec: AnyCodec; readonly context: WireContext }[] = []
let elementReads = 0

/** The values of a codec. Throws for one that is not made of the known combinators. */
export const samplesOf = (codec: AnyCodec, context: WireContext): fc.Arbitrary<Sample> => {
  const make = makers.get(codec)
  if (!make) throw new Error('this codec is not made of the combinators of wire/codec.ts')
  return make(context)
}

/** The elements of arrays in every message whose values were made so far. */
export const arrayElements = (): typeof elements => elements

/** How many elements of arrays `decode` read, or began to. */
export const elementsReadBy = (decode: () => unknown): number => {
  elementReads = 0
  decode()
  return elementReads
}

const noted = <C extends object>(codec: C, make: Make): C => {
  makers.set(codec, make)
  return codec
}

const same = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> =>
  values.map(value => ({ given: value, read: value }))

/** From one to four bytes a code point, without the lone surrogates that UTF-8 cannot carry; now and then one whose length takes two bytes. */
const strings = fc.oneof(
  { weight: 19, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 130, maxLength: 200 }) },
)
const buffers = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))
const integers = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })

const isField = (field: AnyCodec | VersionedField<unknown, never>): field is VersionedField<unknown, never> =>
  'codec' in field

const fieldSamples = (field: AnyCodec | VersionedField<unknown, never>, context: WireContext) => {
  if (!isField(field)) return samplesOf(field, context)
  const leftOut: Sample = { given: undefined, read: field.fallback }
  const present =
    context.version >= field.since &&
    context.version <= field.until &&
    (field.tag === undefined || context.flexible)
  if (!present) return fc.constant(leftOut)
  const values = samplesOf(field.codec, context)
  return field.tag === undefined ? values : fc.oneof(fc.constant(leftOut), values)
}

const structSamples =
  (fields: Record<string, AnyCodec | VersionedField<unknown, never>>): Make =>
  context =>
    fc
      .record(
        Object.fromEntries(
          Object.entries(fields).map(([name, field]) => [name, fieldSamples(field, context)]),
        ),
      )
      .map(samples => {
        const part = (which: keyof Sample) =>
          Object.fromEntries(Object.entries(samples).map(([name, sample]) => [name, sample[which]]))
        return { given: part('given'), read: part('read') }
      })

const arraySamples =
  (element: AnyCodec): Make =>
  context => {
    elements.push({ codec: element, context })
    return fc.array(samplesOf(element, context), { maxLength: 3 }).map(samples => ({
      given: samples.map(sample => sample.given),
      read: samples.map(sample => sample.read),
    }))
  }

const orNull =
  (make: Make): Make =>
  context =>
    fc.oneof({ weight: 1, arbitrary: same(fc.constant(null)) }, { weight: 4, arbitrary: make(context) })

const counted = (element: AnyCodec): AnyCodec => ({
  read(reader, context) {
    elementReads++
    return element.read(reader, context)
  },
  write: element.write,
})

/** The module `wire/codec.ts`, its combinators noting the values they take. */
export const instrument = (real: typeof codecs): Record<string, unknown> => ({
  ...real,
  boolean: noted(real.boolean, () => same(fc.boolean())),
  int8: noted(real.int8, () => same(integers(8))),
  int16: noted(real.int16, () => same(integers(16))),
  int32: noted(real.int32, () => same(integers(32))),
  int64: noted(real.int64, () => same(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))),
  float64: noted(real.float64, () => same(fc.double())),
  uuid: noted(real.uuid, () =>
    same(fc.uint8Array({ minLength: 16, maxLength: 16 }).map(id => Buffer.from(id).toString('hex'))),
  ),
  string: noted(real.string, () => same(strings)),
  nullableString: noted(
    real.nullableString,
    orNull(() => same(strings)),
  ),
  bytes: noted(real.bytes, () => same(buffers)),
  nullableBytes: noted(
    real.nullableBytes,
    orNull(() => same(buffers)),
  ),
  struct: (fields: Record<string, AnyCodec>) => noted(real.struct(fields), structSamples(fields)),
  nullableStruct: (inner: AnyCodec) =>
    noted(
      real.nullableStruct(inner),
      orNull(context => samplesOf(inner, context)),
    ),
  array: (element: AnyCodec) => noted(real.array(counted(element)), arraySamples(element)),
  nullableArray: (element: AnyCodec) =>
    noted(real.nullableArray(counted(element)), orNull(arraySamples(element))),
})
