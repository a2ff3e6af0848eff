import { MalformedMessageError } from '../wire/malformed.js'
import { uvarintBytes } from './measure.js'

/** Reads a zigzag varint; [value, offset behind it]. Exact up to 2^52. */
const readVarint = (buffer: Buffer, at: number): [number, number] => {
  let offset = at
  let factor = 1
  let raw = 0
  for (;;) {
    const byte = buffer[offset++]
    if (byte === undefined || offset - at > 10)
      throw new MalformedMessageError(`a varint at offset ${at} does not end`)
    raw += (byte & 0x7f) * factor
    if (byte < 0x80) break
    factor *= 128
  }
  return [raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2, offset]
}

const writeUvarint = (buffer: Buffer, at: number, value: number): number => {
  let offset = at
  let rest = value
  while (rest > 0x7f) {
    buffer[offset++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  buffer[offset++] = rest
  return offset
}

/**
 * Copies some of a body's records, numbered anew from 0: for a batch that is split, or from which a record is taken
 * out. Timestamps stay deltas to the same base.
 *
 * @param keep whether the record at this index goes along; it is asked twice
 * @returns a buffer of its own, not larger than what is kept of the body
 */
export const copyRecords = (body: Buffer, recordCount: number, keep: (index: number) => boolean): Buffer => {
  // A record can only get shorter: its new offset delta is at most the old one.
  const result = Buffer.allocUnsafeSlow(keptBytes(body, recordCount, keep))
  let from = 0
  let to = 0
  let kept = 0
  for (let index = 0; index < recordCount; index++) {
    const [bodyBytes, start] = readVarint(body, from)
    const end = start + bodyBytes
    if (keep(index)) {
      const [, offsetDeltaAt] = readVarint(body, start + 1)
      const [offsetDelta, rest] = readVarint(body, offsetDeltaAt)
      const newBytes = bodyBytes - uvarintBytes(offsetDelta * 2) + uvarintBytes(kept * 2)
      to = writeUvarint(result, to, newBytes * 2)
      to += body.copy(result, to, start, offsetDeltaAt)
      to = writeUvarint(result, to, kept * 2)
      to += body.copy(result, to, rest, end)
      kept++
    }
    from = end
  }
  return result.subarray(0, to)
}

const keptBytes = (body: Buffer, recordCount: number, keep: (index: number) => boolean): number => {
  let from = 0
  let sum = 0
  for (let index = 0; index < recordCount; index++) {
    const [bodyBytes, start] = readVarint(body, from)
    const end = start + bodyBytes
    if (keep(index)) sum += end - from
    from = end
  }
  return sum
}
