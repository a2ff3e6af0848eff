import kafkajs, { CompressionTypes } from 'kafkajs'
import { CompressionUnavailableError } from 'kafkajs-resilient-producer'
import { ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../support/world.js'

const original = { ...kafkajs.CompressionCodecs }
let world: World

// No broker sees what this codec gives: it only has to look like one.
beforeEach(() => {
  const codec = { compress: async () => Buffer.from('zstd'), decompress: async (body: Buffer) => body }
  Object.assign(kafkajs.CompressionCodecs, { [CompressionTypes.ZSTD]: () => codec })
})
afterEach(async () => {
  Object.assign(kafkajs.CompressionCodecs, original)
  await world.end()
})

describe('zstd for brokers before Kafka 2.1', () => {
  test('is refused without a request, naming the release, and other codecs go on', async () => {
    world = await World.start({ version: '2.0' })
    world.topic()
    const producer = await world.connect()
    const error = await producer
      .send({ topic: TOPIC, compression: CompressionTypes.ZSTD, messages: [{ value: 'a' }, { value: 'b' }] })
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(CompressionUnavailableError)
    expect(error).toMatchObject({
      message: expect.stringMatching(/^zstd .*Kafka 2\.1/),
      outcome: 'not-written',
      topic: TOPIC,
      partition: 0,
      attempts: 0,
    })
    expect(world.cluster.journal.of('Produce')).toEqual([])
    await producer.send({ topic: TOPIC, messages: [{ value: 'plain' }] })
    await producer.send({ topic: TOPIC, compression: CompressionTypes.GZIP, messages: [{ value: 'gzip' }] })
    expect(world.stored()).toEqual(['plain', 'gzip'])
  })

  test('does not keep those that wait behind it', async () => {
    world = await World.start({ version: '1.1' })
    world.topic()
    const producer = await world.connect()
    const sends = await Promise.allSettled([
      producer.send({ topic: TOPIC, messages: [{ value: '1' }] }),
      producer.send({ topic: TOPIC, compression: CompressionTypes.ZSTD, messages: [{ value: '2' }] }),
      producer.send({ topic: TOPIC, messages: [{ value: '3' }] }),
    ])
    expect(sends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(world.stored()).toEqual(['1', '3'])
  })

  test('is sent to Kafka 2.1', async () => {
    world = await World.start({ version: '2.1' })
    world.topic()
    const producer = await world.connect()
    world.cluster.on('Produce', errorCode(ERROR.INVALID_RECORD))
    await expect(
      producer.send({ topic: TOPIC, compression: CompressionTypes.ZSTD, messages: [{ value: 'a' }] }),
    ).rejects.toMatchObject({ name: 'RecordRejectedError', type: 'INVALID_RECORD' })
    expect(world.cluster.journal.of('Produce')).toHaveLength(1)
  })
})
