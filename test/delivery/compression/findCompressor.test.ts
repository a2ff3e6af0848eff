import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import kafkajsSnappy from 'kafkajs-snappy'
import { decompressFrameSync } from 'lz4-napi'
import { afterEach, describe, expect, it } from 'vitest'
import { createLz4 } from '../../../src/delivery/compression/codecs/lz4.js'
import { createSnappy } from '../../../src/delivery/compression/codecs/snappy.js'
import { createZstd } from '../../../src/delivery/compression/codecs/zstd.js'
import { findCompressor } from '../../../src/delivery/compression/findCompressor.js'
import { CompressionFailedError } from '../../../src/errors/compressionFailedError.js'
import { CompressionUnavailableError } from '../../../src/errors/compressionUnavailableError.js'
import { text } from './bodies.js'

const { CompressionCodecs, CompressionTypes } = kafkajs
const original = { ...CompressionCodecs }
afterEach(() => void Object.assign(CompressionCodecs, original))

const body = text(1_000)
const failureOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

describe('the compressor of a codec', () => {
  it('is our own where nothing is registered with kafkajs', async () => {
    const gzip = findCompressor(CompressionTypes.GZIP)
    expect(gzip.attributes).toBe(1)
    // kafkajs's own gzip would answer with a promise.
    expect(gunzipSync(gzip.compress(body) as Buffer)).toEqual(body)
    const snappy = findCompressor(CompressionTypes.Snappy)
    expect(snappy.attributes).toBe(2)
    expect(await kafkajsSnappy().decompress(await snappy.compress(body))).toEqual(body)
    const lz4 = findCompressor(CompressionTypes.LZ4)
    expect(lz4.attributes).toBe(3)
    expect(decompressFrameSync(await lz4.compress(body))).toEqual(body)
  })

  it('is the same object from batch to batch', () => {
    expect(findCompressor(CompressionTypes.GZIP)).toBe(findCompressor(CompressionTypes.GZIP))
  })

  it.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)(
    'is the one registered with kafkajs: %s',
    async name => {
      const seen: Buffer[] = []
      const before = name === 'ZSTD' ? undefined : findCompressor(CompressionTypes[name])
      CompressionCodecs[CompressionTypes[name]] = () => ({
        compress: async (encoder: { buffer: Buffer }) => {
          seen.push(encoder.buffer)
          return Buffer.from(`packed by the user's ${name}`)
        },
      })
      const compressor = findCompressor(CompressionTypes[name])
      expect(compressor).not.toBe(before)
      expect(compressor.attributes).toBe(CompressionTypes[name])
      expect(String(await compressor.compress(body))).toBe(`packed by the user's ${name}`)
      expect(seen).toEqual([body])
    },
  )

  it("may come from one of kafkajs's codec packages", async () => {
    CompressionCodecs[CompressionTypes.Snappy] = kafkajsSnappy
    const frame = await findCompressor(CompressionTypes.Snappy).compress(body)
    expect(await kafkajsSnappy().decompress(frame)).toEqual(body)
  })

  it('follows a codec that is registered, and one that is taken away, later on', () => {
    const own = findCompressor(CompressionTypes.LZ4)
    CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress: async () => Buffer.alloc(0) })
    expect(findCompressor(CompressionTypes.LZ4)).not.toBe(own)
    Object.assign(CompressionCodecs, original)
    expect(findCompressor(CompressionTypes.LZ4)).not.toBe(own)
    expect(findCompressor(CompressionTypes.LZ4).compress(body)).toBeInstanceOf(Buffer)
  })

  it('is typed as missing for a type that is none', async () => {
    for (const type of [0, 5, -1]) {
      expect(await failureOf(() => findCompressor(type))).toBeInstanceOf(CompressionUnavailableError)
    }
  })
})

describe('a codec that fails', () => {
  it.each([
    ['by rejecting', () => Promise.reject(new Error('out of memory'))],
    [
      'by throwing',
      () => {
        throw new Error('out of memory')
      },
    ],
  ])('%s is typed and named, its error kept as the cause', async (_, compress) => {
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress })
    const error = await failureOf(() => findCompressor(CompressionTypes.ZSTD).compress(body))
    expect(error).toBeInstanceOf(CompressionFailedError)
    expect(error).toMatchObject({
      name: 'CompressionFailedError',
      message:
        'zstd compression failed: out of memory. The batch was not sent: check the codec, or send without compression.',
      retriable: false,
      outcome: 'not-written',
      cause: { message: 'out of memory' },
    })
  })

  it.each([undefined, null, 'text', 7])('by giving %j is typed', async result => {
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress: async () => result })
    const error = await failureOf(() => findCompressor(CompressionTypes.ZSTD).compress(body))
    expect(error).toBeInstanceOf(CompressionFailedError)
    expect((error as Error).message).toContain('instead of a Buffer')
  })

  it('by giving a Uint8Array does not fail', async () => {
    const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress: async () => bytes })
    const result = await findCompressor(CompressionTypes.ZSTD).compress(body)
    expect(Buffer.isBuffer(result)).toBe(true)
    expect([...result]).toEqual([2, 3])
  })

  it('by not being a codec is typed', async () => {
    for (const factory of [() => ({}), () => null]) {
      CompressionCodecs[CompressionTypes.ZSTD] = factory
      const error = await failureOf(() => findCompressor(CompressionTypes.ZSTD))
      expect(error).toBeInstanceOf(CompressionUnavailableError)
      expect((error as Error).message).toContain('registered with kafkajs failed')
    }
  })
})

describe('a codec without its package', () => {
  const { resolve } = createRequire(import.meta.url)
  // Node's own error for a module that stands in no folder, whatever folders this machine has.
  const nowhere = (id: string) => resolve(id, { paths: [] })

  it.each([
    ['snappy', 'snappy', () => createSnappy(nowhere)],
    ['lz4', 'lz4-napi', () => createLz4(nowhere)],
    ['zstd', '@mongodb-js/zstd', () => createZstd({}, nowhere)],
  ])('%s names what to install', async (codec, name, create) => {
    const error = await failureOf(create)
    expect(error).toBeInstanceOf(CompressionUnavailableError)
    expect(error).toBeInstanceOf(kafkajs.KafkaJSNotImplemented)
    expect(error).toMatchObject({
      name: 'CompressionUnavailableError',
      retriable: false,
      cause: { code: 'MODULE_NOT_FOUND' },
    })
    expect((error as Error).message).toMatch(
      new RegExp(
        `^${codec} compression is not available\\. Run \`npm install ${name}\`, or .*CompressionCodecs`,
      ),
    )
  })

  it('that is installed without a binary for this platform says so', async () => {
    const error = await failureOf(() =>
      createSnappy(() => {
        throw new Error('Cannot find native binding')
      }),
    )
    expect(error).toBeInstanceOf(CompressionUnavailableError)
    expect((error as Error).message).toContain(
      'The package snappy could not be loaded (Cannot find native binding)',
    )
  })
})
