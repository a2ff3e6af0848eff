import { MalformedMessageError } from './malformed.js'
import type { Reader } from './reader.js'
import { Writer } from './writer.js'

/** What decides how a field stands on the wire. */
export interface WireContext {
  readonly version: number
  /** Compact lengths and tagged fields (KIP-482). */
  readonly flexible: boolean
}

/** One type of the protocol in both directions: `Out` is what reading gives, `In` what writing takes. */
export interface Codec<Out, In = Out> {
  read(reader: Reader, context: WireContext): Out
  write(writer: Writer, value: In, context: WireContext): void
}

/** A field that not every version carries: writing may leave it out, reading gives the default. */
export interface VersionedField<Out, In = Out> {
  readonly codec: Codec<Out, In>
  readonly since: number
  readonly until: number
  readonly tag: number | undefined
  readonly fallback: Out
}

type Field = Codec<unknown, never> | VersionedField<unknown, never>
type Fields = Record<string, Field>
type FieldOut<F> =
  F extends VersionedField<infer Out, infer _In> ? Out : F extends Codec<infer Out, infer _In> ? Out : never
type FieldIn<F> =
  F extends VersionedField<infer _Out, infer In> ? In : F extends Codec<infer _Out, infer In> ? In : never
type VersionedKeys<F> = { [K in keyof F]: F[K] extends VersionedField<unknown, never> ? K : never }[keyof F]

export type StructOut<F> = { [K in keyof F]: FieldOut<F[K]> }
export type StructIn<F> = { [K in Exclude<keyof F, VersionedKeys<F>>]: FieldIn<F[K]> } & {
  [K in VersionedKeys<F>]?: FieldIn<F[K]> | undefined
}

export type Decoded<C> = C extends Codec<infer Out, infer _In> ? Out : never
export type Encodable<C> = C extends Codec<infer _Out, infer In> ? In : never

/** A field from one version on. */
export const since = <Out, In>(
  version: number,
  codec: Codec<Out, In>,
  fallback: NoInfer<Out>,
): VersionedField<Out, In> => ({ codec, since: version, until: Infinity, tag: undefined, fallback })

/** A field of the versions `from` to `until`, both included. */
export const between = <Out, In>(
  from: number,
  until: number,
  codec: Codec<Out, In>,
  fallback: NoInfer<Out>,
): VersionedField<Out, In> => ({ codec, since: from, until, tag: undefined, fallback })

/** A tagged field of flexible versions; left off the wire when it is not given. */
export const tagged = <Out, In>(
  tag: number,
  version: number,
  codec: Codec<Out, In>,
  fallback: NoInfer<Out>,
): VersionedField<Out, In> => ({ codec, since: version, until: Infinity, tag, fallback })

export const boolean: Codec<boolean> = { read: r => r.boolean(), write: (w, v) => w.boolean(v) }
export const int8: Codec<number> = { read: r => r.int8(), write: (w, v) => w.int8(v) }
export const int16: Codec<number> = { read: r => r.int16(), write: (w, v) => w.int16(v) }
export const int32: Codec<number> = { read: r => r.int32(), write: (w, v) => w.int32(v) }
export const int64: Codec<bigint> = { read: r => r.int64(), write: (w, v) => w.int64(v) }
export const float64: Codec<number> = { read: r => r.float64(), write: (w, v) => w.float64(v) }

/** A topic or broker id as 32 hexadecimal digits. */
export const ZERO_UUID = '0'.repeat(32)
export const uuid: Codec<string> = {
  read: r => r.bytes(16).toString('hex'),
  write: (w, v) => w.bytes(Buffer.from(v, 'hex')),
}

const readLength = (reader: Reader, flexible: boolean, wide: boolean): number => {
  if (flexible) return reader.uvarint() - 1
  return wide ? reader.int32() : reader.int16()
}

const writeLength = (writer: Writer, length: number, flexible: boolean, wide: boolean): void => {
  if (flexible) writer.uvarint(length + 1)
  else if (wide) writer.int32(length)
  else writer.int16(length)
}

export const nullableString: Codec<string | null> = {
  read: (r, { flexible }) => {
    const length = readLength(r, flexible, false)
    return length < 0 ? null : r.utf8(length)
  },
  write: (w, v, { flexible }) => {
    const length = v === null ? -1 : Buffer.byteLength(v)
    writeLength(w, length, flexible, false)
    if (v !== null) w.utf8(v, length)
  },
}

export const nullableBytes: Codec<Buffer | null, Uint8Array | null> = {
  read: (r, { flexible }) => {
    const length = readLength(r, flexible, true)
    return length < 0 ? null : r.bytes(length)
  },
  write: (w, v, { flexible }) => {
    writeLength(w, v === null ? -1 : v.length, flexible, true)
    if (v !== null) w.bytes(v)
  },
}

const notNull = <Out, In>(codec: Codec<Out | null, In>, what: string): Codec<Out, In> => ({
  read: (r, context) => {
    const value = codec.read(r, context)
    if (value === null) throw new MalformedMessageError(`a ${what} before offset ${r.offset} is null`)
    return value
  },
  write: codec.write,
})

export const string: Codec<string> = notNull(nullableString, 'string')
export const bytes: Codec<Buffer, Uint8Array> = notNull(nullableBytes, 'bytes field')

export const nullableArray = <Out, In>(
  element: Codec<Out, In>,
): Codec<Out[] | null, readonly In[] | null> => ({
  read: (r, context) => {
    const count = readLength(r, context.flexible, true)
    if (count < 0) return null
    r.checkedCount(count)
    const result: Out[] = []
    for (let i = 0; i < count; i++) result.push(element.read(r, context))
    return result
  },
  write: (w, v, context) => {
    writeLength(w, v === null ? -1 : v.length, context.flexible, true)
    if (v !== null) for (const each of v) element.write(w, each, context)
  },
})

export const array = <Out, In>(element: Codec<Out, In>): Codec<Out[], readonly In[]> =>
  notNull<Out[], readonly In[]>(nullableArray(element), 'array')

const isVersioned = (field: Field): field is VersionedField<unknown, never> => 'codec' in field

/** A structure whose fields stand in the order they are named; its tagged fields follow. */
export const struct = <F extends Fields>(fields: F): Codec<StructOut<F>, StructIn<F>> => {
  const plain: { name: string; field: VersionedField<unknown> }[] = []
  const tags = new Map<number, { name: string; field: VersionedField<unknown> }>()
  for (const [name, given] of Object.entries(fields)) {
    const field = (
      isVersioned(given)
        ? given
        : { codec: given, since: 0, until: Infinity, tag: undefined, fallback: undefined }
    ) as VersionedField<unknown>
    if (field.tag === undefined) plain.push({ name, field })
    else tags.set(field.tag, { name, field })
  }

  return {
    read(reader, context) {
      const result: Record<string, unknown> = {}
      for (const { name, field } of plain) {
        const present = context.version >= field.since && context.version <= field.until
        result[name] = present ? field.codec.read(reader, context) : field.fallback
      }
      for (const { name, field } of tags.values()) result[name] = field.fallback
      if (context.flexible) {
        const count = reader.checkedCount(reader.uvarint())
        for (let i = 0; i < count; i++) {
          const tag = reader.uvarint()
          const size = reader.uvarint()
          const end = reader.offset + size
          const known = tags.get(tag)
          if (known && context.version >= known.field.since) {
            result[known.name] = known.field.codec.read(reader, context)
            if (reader.offset !== end) {
              throw new MalformedMessageError(`the tagged field ${known.name} is not ${size} bytes long`)
            }
          } else {
            reader.skip(size)
          }
        }
      }
      return result as StructOut<F>
    },

    write(writer, value, context) {
      const given = value as Record<string, unknown>
      for (const { name, field } of plain) {
        if (context.version < field.since || context.version > field.until) continue
        const own = given[name]
        field.codec.write(writer, own === undefined ? field.fallback : own, context)
      }
      if (!context.flexible) return
      const present = [...tags].filter(
        ([, { name, field }]) => given[name] !== undefined && context.version >= field.since,
      )
      writer.uvarint(present.length)
      for (const [tag, { name, field }] of present) {
        const content = new Writer()
        field.codec.write(content, given[name], context)
        writer.uvarint(tag)
        writer.uvarint(content.size)
        writer.bytes(content.finish())
      }
    },
  }
}

/** A structure that may be absent (one byte: -1 or 1), as flexible messages allow. */
export const nullableStruct = <Out, In>(inner: Codec<Out, In>): Codec<Out | null, In | null> => ({
  read: (r, context) => (r.int8() < 0 ? null : inner.read(r, context)),
  write: (w, v, context) => {
    w.int8(v === null ? -1 : 1)
    if (v !== null) inner.write(w, v, context)
  },
})
