import zlib from 'node:zlib'
import { MalformedMessageError } from '../../wire/malformed.js'
import { uncompressLz4 } from './lz4.js'
import { MAX_OUTPUT_BYTES, OutputTooLargeError } from './outputLimit.js'
import { uncompressSnappy } from './snappy.js'

/** The batch is sound as far as one can see, but this process has no decoder for its codec. */
export class UnreadableCompressionError extends Error {
  override readonly name = 'UnreadableCompressionError'
}

/** The bytes are not of the codec that the batch names. */
export class UndecompressableError extends MalformedMessageError {}

/** Newer Nodes have zstd; the types of the oldest supported one do not. */
const zstd = (zlib as { zstdDecompressSync?: (input: Buffer, options?: object) => Buffer }).zstdDecompressSync

/** Decoders by the codec's number in a batch's attributes. */
const CODECS: Record<number, { readonly name: string; readonly decode: (input: Buffer) => Buffer }> = {
  1: { name: 'gzip', decode: input => zlib.gunzipSync(input, { maxOutputLength: MAX_OUTPUT_BYTES }) },
  2: { name: 'snappy', decode: uncompressSnappy },
  3: { name: 'lz4', decode: uncompressLz4 },
  ...(zstd && {
    4: { name: 'zstd', decode: (input: Buffer) => zstd(input, { maxOutputLength: MAX_OUTPUT_BYTES }) },
  }),
}

/**
 * @param codec the number in a batch's attributes
 * @throws {UnreadableCompressionError} where there is no decoder
 * @throws {UndecompressableError} when the bytes are not of that codec
 */
export const decompress = (codec: number, input: Buffer): Buffer => {
  const known = CODECS[codec]
  if (!known) throw new UnreadableCompressionError(`no decoder for records compressed with codec ${codec}`)
  try {
    return known.decode(input)
  } catch (error) {
    const isTooLarge =
      error instanceof OutputTooLargeError || (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
    const cause = isTooLarge ? new OutputTooLargeError() : error
    const why = isTooLarge ? `: ${(cause as Error).message}` : ''
    throw new UndecompressableError(`records cannot be decompressed with ${known.name}${why}`, { cause })
  }
}
