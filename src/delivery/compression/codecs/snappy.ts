import type { Compress } from '../compressor.js'
import { type BlockCodec, compressBlocks } from './blocks.js'
import { loadOptional, type Require } from './optionalPackage.js'

/**
 * The header of snappy-java's stream (xerial), which the Java client writes: "\x82SNAPPY\0", version 1, compatible from
 * version 1. Blocks follow, each behind its length as int32; unlike Snappy's own framing format it has no checksums.
 */
const XERIAL_HEADER = Buffer.from('82534e415050590000000001 00000001'.replaceAll(' ', ''), 'hex')

const joinXerial = (compressed: readonly Buffer[]): Buffer => {
  const size = compressed.reduce((sum, block) => sum + 4 + block.length, XERIAL_HEADER.length)
  const frame = Buffer.allocUnsafe(size)
  let at = XERIAL_HEADER.copy(frame)
  for (const block of compressed) {
    at = frame.writeInt32BE(block.length, at)
    at += block.copy(frame, at)
  }
  return frame
}

/**
 * Snappy in xerial framing, by the package `snappy`.
 *
 * @throws {CompressionUnavailableError} when it is not installed
 */
export const createSnappy = (require?: Require): Compress => {
  const { compressSync, compress } = loadOptional(
    {
      codec: 'snappy',
      name: 'snappy',
      otherwise: 'register a codec: CompressionCodecs[CompressionTypes.Snappy] of kafkajs.',
    },
    require,
  ) as unknown as BlockCodec
  const codec: BlockCodec = { compressSync: block => compressSync(block), compress: block => compress(block) }
  return body => compressBlocks(body, codec, joinXerial)
}
