import type { CompressionTypes } from 'kafkajs'
import { messageOf } from '../../errors/bases.js'
import { CompressionUnavailableError } from '../../errors/compressionUnavailableError.js'
import { createGzip } from './codecs/gzip.js'
import { createLz4 } from './codecs/lz4.js'
import { createSnappy } from './codecs/snappy.js'
import { createZstd } from './codecs/zstd.js'
import { type BatchCompressor, CODEC_NAMES, type CodecId, type Compress, compressorOf } from './compressor.js'
import { type CodecFactory, registeredCodec, registeredFactory } from './registered.js'

const own: Readonly<Record<CodecId, () => Compress>> = {
  1: createGzip,
  2: createSnappy,
  3: createLz4,
  4: createZstd,
}

interface Found {
  readonly factory: CodecFactory | undefined
  readonly compressor: BatchCompressor
}
const found = new Map<CodecId, Found>()

/**
 * The compressor of a codec: the one the user registered with kafkajs (`CompressionCodecs`), else node:zlib or an
 * optional native package. Cheap to call for every batch, so that a codec registered later counts, as in kafkajs.
 *
 * @throws {CompressionUnavailableError} naming the package to install
 */
export const findCompressor = (type: CompressionTypes): BatchCompressor => {
  if (!isCodecId(type)) {
    throw new CompressionUnavailableError(`type ${type}`, 'Use one of the CompressionTypes of kafkajs.')
  }
  const factory = registeredFactory(type)
  const known = found.get(type)
  if (known && known.factory === factory) return known.compressor
  const compressor = compressorOf(type, registeredBy(factory, type) ?? own[type]())
  found.set(type, { factory, compressor })
  return compressor
}

const registeredBy = (factory: CodecFactory | undefined, type: CodecId): Compress | undefined => {
  try {
    return factory && registeredCodec(factory)
  } catch (error) {
    throw new CompressionUnavailableError(
      CODEC_NAMES[type],
      `The codec that is registered with kafkajs failed: ${messageOf(error)}`,
      error,
    )
  }
}

const isCodecId = (type: number): type is CodecId => Object.hasOwn(CODEC_NAMES, type)
