import kafkajs from 'kafkajs'
// @ts-expect-error kafkajs declares its public modules alone
import kafkajsGzip from 'kafkajs/src/protocol/message/compression/gzip.js'
import type { CodecId, Compress } from './compressor.js'

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
}
export type CodecFactory = () => unknown

/** kafkajs's global map of codecs, the user's own in it. */
export const registeredFactory = (codec: CodecId): CodecFactory | undefined => {
  const codecs = kafkajs.CompressionCodecs as Partial<Record<number, CodecFactory>>
  return codecs[codec]
}

/** The codec that the user registered with kafkajs; `undefined` where kafkajs's own entry still stands. */
export const registeredCodec = (factory: CodecFactory): Compress | undefined => {
  let codec: unknown
  try {
    codec = factory()
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSNotImplemented) return undefined
    throw error
  }
  // kafkajs's own gzip: node:zlib called directly replaces it, since it works on the event loop for small bodies, where it is faster.
  // The entry of the map is not compared, since a user may have replaced that before this module was loaded.
  if (codec === kafkajsGzip) return undefined
  if (!isCodec(codec)) throw new TypeError('the codec registered with kafkajs has no function compress')
  return body => codec.compress({ buffer: body })
}

const isCodec = (codec: unknown): codec is KafkajsCodec =>
  typeof codec === 'object' && codec !== null && 'compress' in codec && typeof codec.compress === 'function'
