import { MalformedMessageError } from './malformed.js'

/** Reads Kafka's primitive types from a buffer. Never reads past `end`: throws {@link MalformedMessageError} instead. */
export class Reader {
  readonly buffer: Buffer
  offset: number
  readonly end: number

  constructor(buffer: Buffer, offset = 0, end = buffer.length) {
    this.buffer = buffer
    this.offset = offset
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  private take(length: number): number {
    const start = this.offset
    if (length < 0 || length > this.end - start) {
      throw new MalformedMessageError(
        `needs ${length} bytes at offset ${start}, ${this.end - start} are left`,
      )
    }
    this.offset = start + length
    return start
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.buffer.readInt8(this.take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  /** An unsigned varint of at most 32 bits (KIP-482). */
  uvarint(): number {
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)]!
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (result > 0xffffffff) break
        return result
      }
    }
    throw new MalformedMessageError(`an unsigned varint before offset ${this.offset} is longer than 32 bits`)
  }

  /** A zigzag varint of at most 32 bits, as records use. */
  varint(): number {
    const raw = this.uvarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** A zigzag varint of at most 64 bits. */
  varlong(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer[this.take(1)]!
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (result >> 1n) ^ -(result & 1n))
    }
    throw new MalformedMessageError(`a varint before offset ${this.offset} is longer than 64 bits`)
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.take(length)
    return this.buffer.subarray(start, start + length)
  }

  utf8(length: number): string {
    const start = this.take(length)
    return this.buffer.toString('utf8', start, start + length)
  }

  skip(length: number): void {
    this.take(length)
  }

  /** A count of elements that take at least one byte each: more than there are bytes left is refused before anything is allocated. */
  checkedCount(count: number): number {
    if (count > this.remaining) {
      throw new MalformedMessageError(
        `a count of ${count} at offset ${this.offset}, ${this.remaining} bytes are left`,
      )
    }
    return count
  }
}
