import zlib from 'node:zlib'
import { MalformedMessageError } from '../../wire/malformed.js'
import { uncompressLz4 } from './lz4.js'
import { uncompressSnappy } from './snappy.js'

/** The codecs by their number in a batch's attributes. */
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
/** A bound against decompression bombs; far over any `message.max.bytes`. */
const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024

/** The batch is sound as far as one can see, but this process has no decoder for its codec. */
export class UnreadableCompressionError extends Error {
  override readonly name = 'UnreadableCompressionError'
}

/** Newer Nodes have zstd; the types of the oldest supported one do not. */
const zstd = (zlib as { zstdDecompressSync?: (input: Buffer, options?: object) => Buffer }).zstdDecompressSync

/**
 * @param codec the number in a batch's attributes
 * @throws {UnreadableCompressionError} where there is no decoder
 * @throws {MalformedMessageError} when the bytes are not of that codec
 */
export const decompress = (codec: number, input: Buffer): Buffer => {
  if (codec === 2) return uncompressSnappy(input)
  if (codec === 3) return uncompressLz4(input)
  try {
    if (codec === 1) return zlib.gunzipSync(input, { maxOutputLength: MAX_OUTPUT_BYTES })
    if (codec === 4 && zstd) return zstd(input, { maxOutputLength: MAX_OUTPUT_BYTES })
  } catch (error) {
    throw new MalformedMessageError(`records cannot be decompressed with ${NAMES[codec]}`, { cause: error })
  }
  throw new UnreadableCompressionError(`no decoder for records compressed with ${NAMES[codec] ?? codec}`)
}
