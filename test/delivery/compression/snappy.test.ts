import fc from 'fast-check'
import kafkajsSnappy from 'kafkajs-snappy'
import { uncompressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import { createSnappy } from '../../../src/delivery/compression/codecs/snappy.js'
import { bodies, mixed, noise, text } from './bodies.js'

/** snappyjs, an implementation of its own, behind kafkajs's codec package: what a kafkajs consumer reads with. */
const readByKafkajs = (frame: Buffer): Promise<Buffer> => kafkajsSnappy().decompress(frame)

const blocksOf = (frame: Buffer): Buffer[] => {
  const blocks: Buffer[] = []
  for (let at = 16; at < frame.length; ) {
    const length = frame.readInt32BE(at)
    blocks.push(frame.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return blocks
}

describe('snappy', () => {
  const compress = createSnappy()

  it.each(bodies.filter(([, body]) => body.length > 0))(
    "of %s is read by kafkajs's codec",
    async (_, body) => {
      expect(Buffer.compare(await readByKafkajs(await compress(body)), body)).toBe(0)
    },
  )

  it('has the golden bytes of snappy-java for a small body', async () => {
    const frame = await compress(Buffer.from('hello hello hello hello'))
    expect(frame.toString('hex')).toBe(
      // "\x82SNAPPY\0", version 1, compatible 1; 13 bytes: length 23, literal "hello ", copy of 17 from 6 back.
      `${'82534e4150505900'}${'00000001'}${'00000001'}${'0000000b'}${'17'}${'1468656c6c6f20'}${'420600'}`,
    )
  })

  it('stands in blocks of at most 64 KiB, each of them readable alone', async () => {
    const frame = await compress(mixed)
    expect(frame.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    const blocks = blocksOf(frame).map(block => uncompressSync(block, { asBuffer: true }) as Buffer)
    expect(blocks.map(block => block.length)).toEqual([65_536, 65_536, 65_536, 65_536, 17_856])
    expect(Buffer.compare(Buffer.concat(blocks), mixed)).toBe(0)
  })

  it('of an empty body is the header alone', async () => {
    expect(await compress(Buffer.alloc(0))).toHaveLength(16)
  })

  it('works at once on a small body and on the thread pool on a large one', async () => {
    expect(compress(text(1_000))).toBeInstanceOf(Buffer)
    expect(compress(text(100_000))).toBeInstanceOf(Promise)
  })

  it('gives back any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 600 }),
        async (some, times) => {
          const body = Buffer.concat([...Array(times).fill(Buffer.from(some)), noise(times)])
          expect(Buffer.compare(await readByKafkajs(await compress(body)), body)).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })
})
