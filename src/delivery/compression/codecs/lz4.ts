import type { Compress } from '../compressor.js'
import { type BlockCodec, compressBlocks } from './blocks.js'
import { loadOptional, type Require } from './optionalPackage.js'

/**
 * The frame's magic number and descriptor: version 01, independent blocks, no checksums (0x60); blocks of at most
 * 64 KiB (0x40); then the second byte of the descriptor's xxHash32, a constant since the descriptor is one. Brokers
 * refuse linked blocks.
 */
const FRAME_HEADER = Buffer.from('04224d18604082', 'hex')
const STORED = 0x8000_0000
/** lz4-napi puts the length of the block before it. */
const PREFIX_BYTES = 4

const joinFrame = (compressed: readonly Buffer[], blocks: readonly Buffer[]): Buffer => {
  let size = FRAME_HEADER.length + 4
  for (const [i, block] of blocks.entries()) {
    size += 4 + Math.min(compressed[i]!.length - PREFIX_BYTES, block.length)
  }
  const frame = Buffer.allocUnsafe(size)
  let at = FRAME_HEADER.copy(frame)
  for (const [i, block] of blocks.entries()) {
    const packed = compressed[i]!
    if (packed.readUInt32LE(0) !== block.length) {
      throw new Error(`lz4-napi put ${packed.readUInt32LE(0)} before a block of ${block.length} bytes`)
    }
    // A reader takes no block larger than the descriptor says: what lz4 makes larger is stored as it is.
    if (packed.length - PREFIX_BYTES < block.length) {
      at = frame.writeUInt32LE(packed.length - PREFIX_BYTES, at)
      at += packed.copy(frame, at, PREFIX_BYTES)
    } else {
      at = frame.writeUInt32LE((block.length | STORED) >>> 0, at)
      at += block.copy(frame, at)
    }
  }
  frame.writeUInt32LE(0, at)
  return frame
}

/**
 * lz4's standard frame with independent blocks, by the package `lz4-napi`.
 *
 * @throws {CompressionUnavailableError} when it is not installed
 */
export const createLz4 = (require?: Require): Compress => {
  const { compressSync, compress } = loadOptional(
    {
      codec: 'lz4',
      name: 'lz4-napi',
      otherwise: 'register a codec: CompressionCodecs[CompressionTypes.LZ4] of kafkajs.',
    },
    require,
  ) as unknown as BlockCodec
  const codec: BlockCodec = { compressSync: block => compressSync(block), compress: block => compress(block) }
  return body => compressBlocks(body, codec, joinFrame)
}
