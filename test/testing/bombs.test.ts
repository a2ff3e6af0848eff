import { gzipSync } from 'node:zlib'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { decompress, UndecompressableError } from '../../src/protocol/records/decompress/decompress.js'
import { MAX_OUTPUT_BYTES } from '../../src/protocol/records/decompress/outputLimit.js'

const [GZIP, SNAPPY, LZ4] = [1, 2, 3]
const LIMIT = 64 * 1024 * 1024

/** A snappy block of zeros: a literal of one, then copies of 64. */
const snappyBlock = (bytes: number): Buffer => {
  const length: number[] = []
  for (let rest = bytes; ; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0))
    if (rest < 128) break
  }
  const copies = Math.floor((bytes - 1) / 64)
  const last = (bytes - 1) % 64
  const copy = Buffer.from([(63 << 2) | 2, 1, 0])
  return Buffer.concat([
    Buffer.from([...length, 0, 0]),
    ...Array<Buffer>(copies).fill(copy),
    ...(last > 0 ? [Buffer.from([((last - 1) << 2) | 2, 1, 0])] : []),
  ])
}

const xerial = (blocks: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
    ...blocks.flatMap(block => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(block.length)
      return [size, block]
    }),
  ])

/** An lz4 frame of blocks of 4 MiB of zeros: a literal, then one long match. */
const lz4Frame = (blocks: number): Buffer => {
  const bytes = 4 * 1024 * 1024
  const match = bytes - 1 - 4 - 5
  const lengths = Buffer.alloc(Math.floor((match - 15) / 255) + 1, 255)
  lengths[lengths.length - 1] = (match - 15) % 255
  const block = Buffer.concat([Buffer.from([0x1f, 0, 1, 0]), lengths, Buffer.from([0x50, 0, 0, 0, 0, 0])])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0]),
    ...Array<readonly Buffer[]>(blocks).fill([size, block]).flat(),
    Buffer.alloc(4),
  ])
}

describe('records that unpack to more than 64 MiB', () => {
  test.each([
    ['gzip', GZIP!, () => gzipSync(Buffer.alloc(LIMIT + 1))],
    ['snappy, raw', SNAPPY!, () => snappyBlock(LIMIT + 1)],
    ['snappy, framed', SNAPPY!, () => xerial(Array<Buffer>(17).fill(snappyBlock(4 * 1024 * 1024)))],
    ['lz4', LZ4!, () => lz4Frame(17)],
  ])('are refused by %s', (_, codec, bomb) => {
    expect(MAX_OUTPUT_BYTES).toBe(LIMIT)
    expect(() => decompress(codec, bomb())).toThrow(UndecompressableError)
    expect(() => decompress(codec, bomb())).toThrow('they unpack to more than 67108864 bytes')
  })

  test.each([
    ['gzip', GZIP!, () => gzipSync(Buffer.alloc(LIMIT)), LIMIT],
    ['snappy, framed', SNAPPY!, () => xerial(Array<Buffer>(16).fill(snappyBlock(4 * 1024 * 1024))), LIMIT],
    ['lz4', LZ4!, () => lz4Frame(16), LIMIT],
  ])('are taken up to that by %s', (_, codec, input, bytes) => {
    expect(decompress(codec, input())).toHaveLength(bytes)
  })

  test('are refused to a producer with the reason, and no record of theirs is kept', async () => {
    const cluster = await EmbeddedKafka.start({ config: { 'message.max.bytes': '200000000' } })
    cluster.createTopic('t', { partitions: 1 })
    const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
    const producer = createResilientProducer(kafka, {
      compression: GZIP!,
      bufferBytes: 4 * LIMIT,
      batchBytes: 2 * LIMIT,
      retry: { retries: 0 },
    })
    await producer.connect()
    const sent = producer.send({ topic: 't', messages: [{ value: Buffer.alloc(LIMIT + 1) }] })
    await expect(sent).rejects.toThrow()
    expect(cluster.records('t')).toEqual([])
    await producer.disconnect()
    await cluster.close()
  })
})
