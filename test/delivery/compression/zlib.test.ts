import * as zlib from 'node:zlib'
import { gunzipSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createGzip } from '../../../src/delivery/compression/codecs/gzip.js'
import { outputChunkBytes } from '../../../src/delivery/compression/codecs/outputChunk.js'
import { createZstd } from '../../../src/delivery/compression/codecs/zstd.js'
import { bodies, mixed, text } from './bodies.js'

describe('gzip', () => {
  const compress = createGzip()

  it.each([...bodies, ['half noise', mixed] as const])('of %s is read by zlib', async (_, body) => {
    expect(Buffer.compare(gunzipSync(await compress(body)), body)).toBe(0)
  })

  it("is read by kafkajs's codec", async () => {
    const codec = kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP]()
    expect(Buffer.compare(await codec.decompress(await compress(mixed)), mixed)).toBe(0)
  })

  it('works at once on a small body and on the thread pool on a large one', () => {
    expect(compress(text(1_000))).toBeInstanceOf(Buffer)
    expect(compress(text(100_000))).toBeInstanceOf(Promise)
  })
})

interface ZlibWithZstd {
  zstdDecompressSync(frame: Buffer): Buffer
  zstdCompressSync(body: Buffer): Buffer
}
const hasZstd = 'zstdCompressSync' in zlib
const { zstdDecompressSync, zstdCompressSync } = zlib as unknown as ZlibWithZstd

describe.runIf(hasZstd)('zstd by node:zlib', () => {
  const compress = hasZstd ? createZstd() : () => expect.unreachable()

  it.each([...bodies, ['half noise', mixed] as const])('of %s is read by zlib', async (_, body) => {
    expect(Buffer.compare(zstdDecompressSync(await compress(body)), body)).toBe(0)
  })

  it('states the size of the body in its frame, so that a reader allocates once', async () => {
    for (const size of [1_000, 200_000]) {
      const frame = await compress(text(size))
      expect(frame.readUInt32LE(0)).toBe(0xfd2f_b528)
      const flag = frame[4]! >>> 6
      expect(flag === 1 ? frame.readUInt16LE(5) + 256 : frame.readUInt32LE(5)).toBe(size)
    }
  })

  it('works at once on a small body and on the thread pool on a large one', () => {
    expect(compress(text(1_000))).toBeInstanceOf(Buffer)
    expect(compress(text(200_000))).toBeInstanceOf(Promise)
  })

  it('comes from the package where node:zlib has none', async () => {
    const asked: string[] = []
    const require = (id: string) => {
      asked.push(id)
      return { compress: async (body: Buffer) => zstdCompressSync(body) }
    }
    const frame = await createZstd({}, require)(text(5_000))
    expect(asked).toEqual(['@mongodb-js/zstd'])
    expect(Buffer.compare(zstdDecompressSync(frame), text(5_000))).toBe(0)
  })
})

describe('the output chunk of zlib', () => {
  it('is half of the input, within bounds', () => {
    expect([0, 1_000, 10_000, 10_000_000].map(outputChunkBytes)).toEqual([1_024, 1_024, 5_000, 65_536])
  })
})
