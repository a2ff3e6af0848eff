import fc from 'fast-check'
import { compressFrameSync, decompressFrameSync, uncompressSync } from 'lz4-napi'
import { describe, expect, it } from 'vitest'
import { createLz4 } from '../../../src/delivery/compression/codecs/lz4.js'
import { bodies, mixed, noise, text } from './bodies.js'

interface Block {
  readonly stored: boolean
  readonly data: Buffer
}

/** Reads a frame as lz4's specification lays it out, and as strictly as Kafka's reader does. */
const blocksOf = (frame: Buffer): Block[] => {
  const blocks: Block[] = []
  let at = 7
  for (;;) {
    const word = frame.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const length = word & 0x7fff_ffff
    expect(length).toBeLessThanOrEqual(65_536)
    blocks.push({ stored: word >>> 31 === 1, data: frame.subarray(at, at + length) })
    at += length
  }
  expect(at, 'nothing behind the end mark').toBe(frame.length)
  return blocks
}

/** A block by itself, without the ones before it: linked blocks would fail here as they do at a broker. */
const readAlone = ({ stored, data }: Block): Buffer => {
  if (stored) return data
  for (const size of [65_536, 17_856]) {
    const prefix = Buffer.alloc(4)
    prefix.writeUInt32LE(size)
    try {
      return uncompressSync(Buffer.concat([prefix, data]))
    } catch {}
  }
  throw new Error('the block cannot be read alone')
}

describe('lz4', () => {
  const compress = createLz4()

  it.each(bodies)('of %s is a standard frame', async (_, body) => {
    expect(Buffer.compare(decompressFrameSync(await compress(body)), body)).toBe(0)
  })

  it('has the golden bytes of the frame format for a body that does not shrink', async () => {
    // Magic; FLG 0x60, BD 0x40, HC 0x82; a stored block of 3 bytes; the end mark.
    expect((await compress(Buffer.from('abc'))).toString('hex')).toBe(
      `${'04224d18'}${'604082'}${'03000080'}${'616263'}${'00000000'}`,
    )
  })

  it('has the header checksum that another writer of the same descriptor computes', () => {
    expect((compress(text(10)) as Buffer).subarray(0, 7)).toEqual(compressFrameSync(text(10)).subarray(0, 7))
  })

  it('stands in independent blocks of at most 64 KiB, stored where lz4 would make them larger', async () => {
    const blocks = blocksOf(await compress(mixed))
    expect(blocks.map(block => block.stored)).toEqual([false, false, true, false, false])
    expect(Buffer.compare(Buffer.concat(blocks.map(readAlone)), mixed)).toBe(0)
  })

  it('of an empty body is the header and the end mark', async () => {
    expect((await compress(Buffer.alloc(0))).toString('hex')).toBe('04224d1860408200000000')
  })

  it('works at once on a small body and on the thread pool on a large one', () => {
    expect(compress(text(1_000))).toBeInstanceOf(Buffer)
    expect(compress(text(100_000))).toBeInstanceOf(Promise)
  })

  it('refuses a package that lays out its blocks in another way', () => {
    const other = createLz4(() => ({ compressSync: (block: Buffer) => block }))
    expect(() => other(text(1_000))).toThrow(/lz4-napi put .* before a block of 1000 bytes/)
  })

  it('gives back any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 600 }),
        async (some, times) => {
          const body = Buffer.concat([...Array(times).fill(Buffer.from(some)), noise(times)])
          expect(Buffer.compare(decompressFrameSync(await compress(body)), body)).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })
})
