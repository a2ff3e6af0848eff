import { MalformedMessageError } from '../../wire/malformed.js'
import { Reader } from '../../wire/reader.js'
import { checkOutput } from './outputLimit.js'

/** What Java's stream begins with (xerial): this, two version numbers, then blocks with their lengths. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16
/** No three bytes of input make more than 64 bytes of output. */
const MAX_RATIO = 64

const malformed = (what: string): MalformedMessageError => new MalformedMessageError(`snappy: ${what}`)

/** One block of the raw format (google/snappy, format_description.txt). */
const uncompressBlock = (input: Buffer): Buffer => {
  const reader = new Reader(input)
  const length = reader.uvarint()
  if (length > input.length * MAX_RATIO) throw malformed(`${length} bytes cannot come of ${input.length}`)
  checkOutput(length)
  const output = Buffer.allocUnsafe(length)
  let at = 0

  const literal = (tag: number): void => {
    const short = tag >>> 2
    const size = short < 60 ? short + 1 : littleEndian(short - 59) + 1
    if (size > length - at) throw malformed('a literal ends behind the output')
    reader.bytes(size).copy(output, at)
    at += size
  }
  const littleEndian = (bytes: number): number => reader.bytes(bytes).readUIntLE(0, bytes)
  const copy = (size: number, distance: number): void => {
    if (distance === 0 || distance > at || size > length - at)
      throw malformed('a copy from outside the output')
    // Byte by byte: a copy may reach into what it writes itself.
    for (const end = at + size; at < end; at++) output[at] = output[at - distance]!
  }

  while (reader.remaining > 0) {
    const tag = littleEndian(1)
    switch (tag & 0b11) {
      case 0:
        literal(tag)
        break
      case 1:
        copy(((tag >>> 2) & 0b111) + 4, ((tag >>> 5) << 8) | littleEndian(1))
        break
      case 2:
        copy((tag >>> 2) + 1, littleEndian(2))
        break
      default:
        copy((tag >>> 2) + 1, littleEndian(4))
    }
  }
  if (at !== length) throw malformed(`${at} bytes came out, not ${length}`)
  return output
}

/**
 * Uncompresses Snappy as Kafka's clients write it: raw, or in Java's own framing.
 *
 * @throws {MalformedMessageError}
 */
export const uncompressSnappy = (input: Buffer): Buffer => {
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return uncompressBlock(input)
  const reader = new Reader(input)
  reader.skip(XERIAL_HEADER_BYTES)
  const blocks: Buffer[] = []
  let bytes = 0
  while (reader.remaining > 0) {
    const block = uncompressBlock(reader.bytes(reader.int32()))
    bytes += block.length
    checkOutput(bytes)
    blocks.push(block)
  }
  return Buffer.concat(blocks)
}
