import { MalformedMessageError } from '../../wire/malformed.js'
import { Reader } from '../../wire/reader.js'
import { checkOutput } from './outputLimit.js'

const MAGIC = 0x184d2204
const INDEPENDENT_BLOCKS = 0x20
const BLOCK_CHECKSUMS = 0x10
const CONTENT_SIZE = 0x08
const DICTIONARY = 0x01
const STORED = 0x80000000
const MIN_MATCH = 4
/** A length of 15 in a token goes on in the bytes that follow. */
const LONG = 15
/** A block's largest size by the three bits that name it: 64 KiB to 4 MiB. */
const LARGEST_BLOCK = [0, 0, 0, 0, 1 << 16, 1 << 18, 1 << 20, 1 << 22]

const malformed = (what: string): MalformedMessageError => new MalformedMessageError(`lz4: ${what}`)

const uint32 = (reader: Reader): number => reader.bytes(4).readUInt32LE(0)
const byte = (reader: Reader): number => reader.bytes(1)[0]!

interface FrameHeader {
  readonly flags: number
  readonly largestBlock: number
}

const readHeader = (reader: Reader): FrameHeader => {
  if (uint32(reader) !== MAGIC) throw malformed('not a frame')
  const flags = byte(reader)
  if (flags >>> 6 !== 1) throw malformed('a frame of another version')
  const largestBlock = LARGEST_BLOCK[(byte(reader) >>> 4) & 0b111]!
  if (flags & CONTENT_SIZE) reader.skip(8)
  if (flags & DICTIONARY) reader.skip(4)
  reader.skip(1)
  return { flags, largestBlock }
}

/** Whether a frame's blocks stand for themselves, as Kafka's brokers want them; false of what is no frame. */
export const hasIndependentBlocks = (input: Buffer): boolean =>
  input.length > 4 && input.readUInt32LE(0) === MAGIC && (input[4]! & INDEPENDENT_BLOCKS) !== 0

const longLength = (reader: Reader, short: number): number => {
  let length = short
  if (short !== LONG) return length
  for (;;) {
    const more = byte(reader)
    length += more
    if (more !== 255) return length
  }
}

/** Writes one block behind what the output holds; returns the new end. */
const uncompressBlock = (input: Buffer, output: Buffer, start: number): number => {
  const reader = new Reader(input)
  let at = start
  while (reader.remaining > 0) {
    const token = byte(reader)
    const literals = longLength(reader, token >>> 4)
    if (literals > output.length - at) throw malformed('a block larger than its frame allows')
    reader.bytes(literals).copy(output, at)
    at += literals
    // The last sequence has literals alone.
    if (reader.remaining === 0) break
    const distance = reader.bytes(2).readUInt16LE(0)
    const length = longLength(reader, token & LONG) + MIN_MATCH
    if (distance === 0 || distance > at) throw malformed('a match from before the output')
    if (length > output.length - at) throw malformed('a block larger than its frame allows')
    // Byte by byte: a match may reach into what it writes itself.
    for (const end = at + length; at < end; at++) output[at] = output[at - distance]!
  }
  return at
}

/**
 * Uncompresses one LZ4 frame. Checksums are not looked at: a record batch has its own.
 *
 * @throws {MalformedMessageError}
 */
export const uncompressLz4 = (input: Buffer): Buffer => {
  const reader = new Reader(input)
  const { flags, largestBlock } = readHeader(reader)
  // A block's worth is at most 4 MiB, below the limit.
  let output = Buffer.allocUnsafe(Math.min(largestBlock, input.length * 255))
  let at = 0
  for (let size = uint32(reader); size !== 0; size = uint32(reader)) {
    const stored = size >= STORED
    const block = reader.bytes(stored ? size - STORED : size)
    const room = stored ? block.length : Math.min(largestBlock, block.length * 255)
    if (output.length - at < room) {
      checkOutput(at)
      const grown = Buffer.allocUnsafe(Math.max(at + room, output.length * 2))
      output.copy(grown, 0, 0, at)
      output = grown
    }
    if (stored) at += block.copy(output, at)
    else at = uncompressBlock(block, output, at)
    checkOutput(at)
    if (flags & BLOCK_CHECKSUMS) reader.skip(4)
  }
  return output.subarray(0, at)
}
