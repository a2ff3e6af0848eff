import { createRequire } from 'node:module'

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(frame: Buffer): Promise<Buffer>
}

/** kafkajs's codec package for snappy, on snappyjs: not the implementation that is tested. It has no types. */
export const kafkajsSnappy = createRequire(import.meta.url)('kafkajs-snappy') as () => KafkajsCodec
