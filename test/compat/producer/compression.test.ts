import '../support/production.js'
import * as zlib from 'node:zlib'
import kafkajs, { CompressionTypes } from 'kafkajs'
import kafkajsSnappy from 'kafkajs-snappy'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readByKafkajs } from '../../kafka/support/consumers.js'
import { readBatches } from '../../kafka/support/logs.js'
import { failureOf } from '../../kafka/support/producing.js'
import { clientsOf, numbered } from '../support/clients.js'

// As where none of the packages is installed that bring a codec.
vi.mock('../../../src/delivery/compression/codecs/optionalPackage.js', async load => {
  const { loadOptional } =
    await load<typeof import('../../../src/delivery/compression/codecs/optionalPackage.js')>()
  const notInstalled = (id: string) => {
    throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' })
  }
  return { loadOptional: (wanted: Parameters<typeof loadOptional>[0]) => loadOptional(wanted, notInstalled) }
})

const codecs = kafkajs.CompressionCodecs as unknown as Record<number, unknown>
const asLoaded = { ...codecs }
afterEach(() => void Object.assign(codecs, asLoaded))

const external = [
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const

/** Node.js itself has zstd from 22.15 on: what kafkajs cannot do there works. */
const isBuiltIn = (name: string) => name === 'zstd' && 'zstdCompressSync' in zlib

forEachBroker('src/producer/compression.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer', () => {
    for (const [name, compression] of external) {
      describe(`${name} compression not configured`, () => {
        test('throws an error', async () => {
          const producer = await connected()
          const sent = producer.send({ topic: uniqueTopic(name), compression, messages: numbered(1) })
          if (isBuiltIn(name)) await sent
          else expect(await failureOf(sent)).toBeInstanceOf(kafkajs.KafkaJSNotImplemented)
        })
      })
    }
  })
})

forEachBroker('codecs', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  test('that were registered with kafkajs are used, and its consumer reads what they wrote', async () => {
    codecs[CompressionTypes.Snappy] = kafkajsSnappy
    const topic = uniqueTopic('registered')
    const messages = numbered(100)
    await (await connected()).send({ topic, compression: CompressionTypes.Snappy, messages })
    const batches = await readBatches(broker.bootstrap, [topic])
    expect(new Set(batches.map(({ compression }) => compression))).toEqual(new Set([CompressionTypes.Snappy]))
    const read = await readByKafkajs(broker, topic, messages.length)
    expect(read.map(({ key, value }) => ({ key, value }))).toEqual(messages)
  })

  test('gzip needs no codec', async () => {
    const topic = uniqueTopic('gzip')
    const messages = numbered(100)
    await (await connected()).send({ topic, compression: CompressionTypes.GZIP, messages })
    const read = await readByKafkajs(broker, topic, messages.length)
    expect(read.map(({ value }) => value)).toEqual(messages.map(({ value }) => value))
  })
})
