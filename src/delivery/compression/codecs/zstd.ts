import * as zlib from 'node:zlib'
import type { Compress } from '../compressor.js'
import { loadOptional, type Require } from './optionalPackage.js'
import { outputChunkBytes } from './outputChunk.js'

/** node:zlib has zstd from Node 22.15 and 23.8 on; the types of the Node this compiles for do not know it. */
interface ZstdOptions {
  readonly chunkSize: number
  /** Puts the size into the frame, so that a reader can allocate once. */
  readonly pledgedSrcSize: number
}
interface ZlibWithZstd {
  zstdCompressSync(body: Buffer, options: ZstdOptions): Buffer
  zstdCompress(body: Buffer, options: ZstdOptions, done: (error: Error | null, result: Buffer) => void): void
}

/** zstd is fast: 128 KiB cost the event loop about as much as handing them over does, 100-200 us (Node 24). */
const ASYNC_FROM_BYTES = 131_072

/**
 * zstd at its default level (3), which is Kafka's: by node:zlib where it has it, else by the package `@mongodb-js/zstd`.
 *
 * @throws {CompressionUnavailableError} when there is neither
 */
export const createZstd = (builtin: object = zlib, require?: Require): Compress =>
  hasZstd(builtin) ? byZlib(builtin) : byPackage(require)

const hasZstd = (builtin: object): builtin is ZlibWithZstd =>
  'zstdCompress' in builtin && 'zstdCompressSync' in builtin

const byZlib =
  ({ zstdCompress, zstdCompressSync }: ZlibWithZstd): Compress =>
  body => {
    const options = { chunkSize: outputChunkBytes(body.length), pledgedSrcSize: body.length }
    if (body.length < ASYNC_FROM_BYTES) return zstdCompressSync(body, options)
    return new Promise((resolve, reject) => {
      zstdCompress(body, options, (error, result) => (error ? reject(error) : resolve(result)))
    })
  }

const byPackage = (require: Require | undefined): Compress => {
  const { compress } = loadOptional(
    {
      codec: 'zstd',
      name: '@mongodb-js/zstd',
      otherwise:
        'run on Node.js 22.15 or later, which has zstd, or register a codec: CompressionCodecs[CompressionTypes.ZSTD] of kafkajs.',
    },
    require,
  ) as { compress(body: Buffer): Promise<Buffer> }
  return body => compress(body)
}
