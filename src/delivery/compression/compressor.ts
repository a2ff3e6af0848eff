import type { NonRetriableError } from '../../errors/bases.js'
import { CompressionFailedError } from '../../errors/compressionFailedError.js'
import { isBytes, isPromiseLike } from '../../util/realms.js'

/** What stands in the attributes of a record batch (RecordBatch, bits 0-2). */
export const CODEC_NAMES = { 1: 'gzip', 2: 'snappy', 3: 'lz4', 4: 'zstd' } as const
export type CodecId = keyof typeof CODEC_NAMES

export interface BatchCompressor {
  /** The codec's bits in the attributes of a record batch: 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly attributes: CodecId
  /**
   * Compresses the records of a batch (what follows its header), in Kafka's framing of the codec. Small bodies are
   * done at once, larger ones on the thread pool: `body` must not change until the promise settles.
   *
   * @throws {CompressionFailedError} at once or by rejection, with the codec's error as its cause
   */
  compress(body: Buffer): Buffer | Promise<Buffer>
}

export type Compress = (body: Buffer) => Buffer | Promise<Buffer>

/** Adds to a codec what it owes its caller: one class of error, and a Buffer. */
export const compressorOf = (attributes: CodecId, compress: Compress): BatchCompressor => {
  const failed = (cause: unknown): NonRetriableError =>
    new CompressionFailedError(CODEC_NAMES[attributes], cause)
  const checked = (result: unknown): Buffer => {
    if (Buffer.isBuffer(result)) return result
    if (isBytes(result)) return Buffer.from(result.buffer, result.byteOffset, result.length)
    throw new TypeError(`the codec gave ${result === null ? 'null' : typeof result} instead of a Buffer`)
  }
  return {
    attributes,
    compress(body) {
      try {
        const result = compress(body)
        if (!isPromiseLike(result)) return checked(result)
        return Promise.resolve(result)
          .then(checked)
          .catch(error => {
            throw failed(error)
          })
      } catch (error) {
        throw failed(error)
      }
    },
  }
}
