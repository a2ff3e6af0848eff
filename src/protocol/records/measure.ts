import type { IHeaders, Message } from 'kafkajs'

type HeaderValue = Uint8Array | string | null

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
 * The sizes of one message, taken once and used twice: to ask for buffer space and to encode. One instance, with its
 * lists, is reused for every message, so that measuring allocates nothing.
 */
export class RecordMeasure {
  keyBytes = -1
  valueBytes = -1
  headerCount = 0
  /** The headers in order; arrays of kafkajs's `headers` are one each. Only the first `headerCount` count. */
  readonly headerKeys: string[] = []
  readonly headerKeyBytes: number[] = []
  readonly headerValues: HeaderValue[] = []
  readonly headerValueBytes: number[] = []
  /** The headers with their count, encoded. bytes */
  headersBytes = 1
  /** An upper bound of the record's encoded size. bytes */
  recordBytes = 0

  of(message: Message): this {
    this.keyBytes = lengthOf(message.key)
    this.valueBytes = lengthOf(message.value)
    this.headerCount = 0
    this.headersBytes = 1
    if (message.headers !== undefined && message.headers !== null) this.measureHeaders(message.headers)
    this.recordBytes =
      FIXED_OVERHEAD_BYTES +
      lengthBytes(this.keyBytes) +
      lengthBytes(this.valueBytes) +
      Math.max(this.keyBytes, 0) +
      Math.max(this.valueBytes, 0) +
      this.headersBytes
    return this
  }

  private measureHeaders(headers: IHeaders): void {
    let size = 0
    for (const key in headers) {
      if (!Object.hasOwn(headers, key)) continue
      const keyBytes = Buffer.byteLength(key)
      const value = headers[key]
      if (Array.isArray(value)) for (const each of value) size += this.addHeader(key, keyBytes, each ?? null)
      else size += this.addHeader(key, keyBytes, value ?? null)
    }
    this.headersBytes = lengthBytes(this.headerCount) + size
  }

  private addHeader(key: string, keyBytes: number, value: HeaderValue): number {
    const at = this.headerCount++
    const valueBytes = lengthOf(value)
    this.headerKeys[at] = key
    this.headerKeyBytes[at] = keyBytes
    this.headerValues[at] = value
    this.headerValueBytes[at] = valueBytes
    return lengthBytes(keyBytes) + keyBytes + lengthBytes(valueBytes) + Math.max(valueBytes, 0)
  }
}
