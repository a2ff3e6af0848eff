import { gzipSync } from 'node:zlib'
import { crc32c } from '../../../src/protocol/records/crc32c.js'
import { Writer } from '../../../src/protocol/wire/writer.js'

export interface BatchSpec {
  readonly values?: readonly (string | Buffer | null)[]
  readonly keys?: readonly (string | null)[]
  readonly producerId?: number
  readonly epoch?: number
  readonly sequence?: number
  readonly timestamps?: readonly number[]
  readonly gzip?: true
  /** Bits set in the attributes beside the codec. */
  readonly attributes?: number
  /** Number of records the header names; the right one unless given. */
  readonly recordCount?: number
  readonly lastOffsetDelta?: number
  /** What follows the header in place of the records. */
  readonly body?: Buffer
}

const bytes = (writer: Writer, value: string | Buffer | null): void => {
  if (value === null) return writer.varint(-1)
  const content = Buffer.from(value as Buffer)
  writer.varint(content.length)
  writer.bytes(content)
}

/** A record batch v2, written without the product's encoder. */
export const batch = (spec: BatchSpec = {}): Buffer => {
  const values = spec.values ?? ['value']
  const timestamps = spec.timestamps ?? values.map(() => 1_700_000_000_000)
  const base = BigInt(timestamps[0] ?? 0)
  const records = new Writer()
  for (const [index, value] of values.entries()) {
    const record = new Writer()
    record.int8(0)
    record.varlong(BigInt(timestamps[index] ?? 0) - base)
    record.varint(index)
    bytes(record, spec.keys?.[index] ?? null)
    bytes(record, value)
    record.varint(0)
    records.varint(record.size)
    records.bytes(record.finish())
  }
  const body = spec.body ?? (spec.gzip ? gzipSync(records.finish()) : records.finish())

  const writer = new Writer()
  writer.int64(0n)
  writer.int32(49 + body.length)
  writer.int32(-1)
  writer.int8(2)
  writer.int32(0)
  writer.int16((spec.attributes ?? 0) | (spec.gzip ? 1 : 0))
  writer.int32(spec.lastOffsetDelta ?? values.length - 1)
  writer.int64(base)
  writer.int64(BigInt(Math.max(...timestamps)))
  writer.int64(BigInt(spec.producerId ?? -1))
  writer.int16(spec.epoch ?? (spec.producerId === undefined ? -1 : 0))
  writer.int32(spec.sequence ?? (spec.producerId === undefined ? -1 : 0))
  writer.int32(spec.recordCount ?? values.length)
  writer.bytes(body)
  const result = Buffer.from(writer.finish())
  result.writeUInt32BE(crc32c(result, 21), 17)
  return result
}

/** A batch of so many records under a producer's sequence. */
export const sequenced = (sequence: number, count = 1, epoch = 0, producerId = 7): Buffer =>
  batch({
    values: Array.from({ length: count }, (_, i) => `${epoch}.${sequence + i}`),
    producerId,
    epoch,
    sequence,
  })
