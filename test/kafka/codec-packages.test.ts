import { createRequire } from 'node:module'
import kafkajs, { CompressionTypes, logLevel } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { afterEach, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from './suite.js'
import { readByKafkajs } from './support/consumers.js'
import { readBatches } from './support/logs.js'

const require = createRequire(import.meta.url)
const codecs = kafkajs.CompressionCodecs as unknown as Record<number, unknown>
const asLoaded = { ...codecs }
afterEach(() => void Object.assign(codecs, asLoaded))

/**
 * kafkajs's own codec packages, registered as their READMEs say. Those for lz4 and zstd compile native code of 2019, which not every
 * Node.js lets them: they are tried where they are installed (NODE_PATH may name the folder), and shown as skipped elsewhere.
 */
const packages = [
  ['kafkajs-snappy', CompressionTypes.Snappy, () => require('kafkajs-snappy')],
  [
    'kafkajs-lz4',
    CompressionTypes.LZ4,
    () => {
      const LZ4 = require('kafkajs-lz4')
      return new (LZ4.default ?? LZ4)().codec
    },
  ],
  ['@kafkajs/zstd', CompressionTypes.ZSTD, () => require('@kafkajs/zstd')()],
] as const

const load = (make: () => unknown): { readonly codec: unknown } | { readonly problem: string } => {
  try {
    return { codec: make() }
  } catch (error) {
    return { problem: String((error as Error).message).split('\n')[0]! }
  }
}

forEachBroker('a codec package of kafkajs', { real: 'shared' }, broker => {
  for (const [name, compression, make] of packages) {
    const loaded = load(make)
    const title = 'codec' in loaded ? name : `${name} [not loaded: ${loaded.problem}]`
    test.skipIf('problem' in loaded)(
      `${title}: writes for our producer, and kafkajs’s consumer reads it`,
      async () => {
        codecs[compression] = 'codec' in loaded ? loaded.codec : undefined
        const topic = uniqueTopic('codec')
        const values = Array.from({ length: 500 }, (_, i) => `${i} ${'compressible '.repeat(20)}`)
        const producer = new ResilientKafka({
          brokers: broker.bootstrap,
          logLevel: logLevel.NOTHING,
        }).producer()
        await producer.connect()
        await producer.send({ topic, compression, messages: values.map(value => ({ value, partition: 0 })) })
        await producer.disconnect()
        const batches = await readBatches(broker.bootstrap, [topic])
        expect(new Set(batches.map(each => each.compression))).toEqual(new Set([compression]))
        const read = await readByKafkajs(broker, topic, values.length)
        expect(read.map(each => String(each.value))).toEqual(values)
      },
    )
  }
})
