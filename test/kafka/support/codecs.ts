import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import kafkajs from 'kafkajs'
import kafkajsSnappy from 'kafkajs-snappy'
import { decompressFrame } from 'lz4-napi'

const { CompressionTypes, CompressionCodecs } = kafkajs

export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** node:zlib has zstd from Node 22.15 on; the types are those of an older one. */
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: (body: Buffer) => Buffer }

const canResolve = (name: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

/** Whether this Node.js, with the packages that are installed, can produce by the codec. */
export const isAvailable = (codec: (typeof codecNames)[number]): boolean =>
  codec !== 'zstd' || zstdDecompressSync !== undefined || canResolve('@mongodb-js/zstd')

type Decompress = (body: Buffer) => Promise<Buffer>

const zstd: Decompress = async body => {
  if (zstdDecompressSync) return zstdDecompressSync(body)
  return createRequire(import.meta.url)('@mongodb-js/zstd').decompress(body)
}

/**
 * Gives kafkajs's consumer codecs for reading while `use` runs. The producer takes registered codecs too, and is meant
 * to be tested with its own: produce before or after.
 */
export async function withDecoders<T>(use: () => Promise<T>): Promise<T> {
  const codecs = CompressionCodecs as unknown as Record<number, () => object>
  const before = { ...codecs }
  const decoder = (decompress: Decompress) => () => ({
    decompress,
    compress: () => Promise.reject(new Error('this codec is for reading')),
  })
  codecs[CompressionTypes.Snappy] = () => kafkajsSnappy()
  codecs[CompressionTypes.LZ4] = decoder(decompressFrame)
  codecs[CompressionTypes.ZSTD] = decoder(zstd)
  try {
    return await use()
  } finally {
    Object.assign(codecs, before)
  }
}
