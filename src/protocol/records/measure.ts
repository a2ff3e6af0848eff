import type { IHeaders, Message } from 'kafkajs'

/** A record's header as it goes on the wire; arrays of kafkajs's `headers` become one each. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | string | null
}

/** -1 for null, as the length of a nullable field. */
const lengthOf = (value: Uint8Array | string | null | undefined): number => {
  if (typeof value === 'string') return Buffer.byteLength(value)
  return value === null || value === undefined ? -1 : value.length
}

/** Bytes of an unsigned number as a varint. */
export const uvarintBytes = (value: number): number => {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  if (value < 0x1000_0000) return 4
  return value < 0x8_0000_0000 ? 5 : 1 + uvarintBytes(Math.floor(value / 128))
}

/** Bytes of a length as a zigzag varint (a length is at least -1). */
export const lengthBytes = (length: number): number => (length < 0 ? 1 : uvarintBytes(length * 2))

/** `attributes`, and the longest deltas and record length that a batch of this client has. */
const FIXED_OVERHEAD_BYTES = 1 + 5 + 4 + 4

/**
 * The sizes of one message, taken once and used twice: to ask for buffer space and to encode. One instance is reused
 * for every message, so that measuring allocates nothing.
 */
export class RecordMeasure {
  keyBytes = -1
  valueBytes = -1
  headers: readonly RecordHeader[] = NO_HEADERS
  /** The headers with their count, encoded. bytes */
  headersBytes = 1
  /** An upper bound of the record's encoded size. bytes */
  recordBytes = 0

  of(message: Message): this {
    this.keyBytes = lengthOf(message.key)
    this.valueBytes = lengthOf(message.value)
    if (message.headers === undefined || message.headers === null) {
      this.headers = NO_HEADERS
      this.headersBytes = 1
    } else {
      this.headers = flattenHeaders(message.headers)
      this.headersBytes = headersSize(this.headers)
    }
    this.recordBytes =
      FIXED_OVERHEAD_BYTES +
      lengthBytes(this.keyBytes) +
      lengthBytes(this.valueBytes) +
      Math.max(this.keyBytes, 0) +
      Math.max(this.valueBytes, 0) +
      this.headersBytes
    return this
  }
}

const NO_HEADERS: readonly RecordHeader[] = []

const flattenHeaders = (headers: IHeaders): RecordHeader[] => {
  const result: RecordHeader[] = []
  for (const key in headers) {
    if (!Object.hasOwn(headers, key)) continue
    const value = headers[key]
    if (Array.isArray(value)) for (const each of value) result.push({ key, value: each ?? null })
    else result.push({ key, value: value ?? null })
  }
  return result
}

const headersSize = (headers: readonly RecordHeader[]): number => {
  let size = lengthBytes(headers.length)
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key)
    const valueLength = lengthOf(value)
    size += lengthBytes(keyLength) + keyLength + lengthBytes(valueLength) + Math.max(valueLength, 0)
  }
  return size
}
