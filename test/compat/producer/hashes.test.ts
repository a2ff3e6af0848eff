import '../support/production.js'
import { createRequire } from 'node:module'
import { Partitioners } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { murmur2, murmur2OfText } from '../../../src/delivery/partitioning/murmur2.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readLogs } from '../../kafka/support/logs.js'
import { range } from '../../kafka/support/producing.js'
import { clientsOf } from '../support/clients.js'
import { createTopics } from '../support/topics.js'

/** 0, 1, 128, ...: the seventh powers. */
const texts = range(16, index => String(index ** 7))

/** Of the Java client, for the first, the fifth and the last of them. */
const ofJava = { '0': 971027396, '16384': -325739742, '170859375': -1658323481 }
/** Of kafkajs before 2.0, whose arithmetic left 32 bits. */
const ofLegacy = { '0': 272173970, '16384': 204404061, '170859375': 102939717 }

const PARTITIONS = 7
const placeOf = (hash: number) => (hash & 0x7fffffff) % PARTITIONS

const { resolve } = createRequire(import.meta.url)
const kafkajsPart = <T>(path: string): T =>
  createRequire(import.meta.url)(resolve(`kafkajs/src/producer/partitioners/${path}`)) as T

describe('src/producer/partitioners/defaultJava/murmur2.spec.js', () => {
  describe('Producer > Partitioner > DefaultJava > murmur2', () => {
    test('it works', () => {
      const kafkajsHash = kafkajsPart<(key: string) => number>('default/murmur2.js')
      expect(texts.map(murmur2OfText)).toEqual(texts.map(kafkajsHash))
      for (const [key, hash] of Object.entries(ofJava)) expect(murmur2OfText(key)).toBe(hash)
    })

    // A number is hashed as its digits; as a key kafkajs's encoder refuses it, and so does this package.
    test('it handles numeric input', () => {
      expect(murmur2OfText(String(0))).toBe(ofJava['0'])
    })

    test('it handles buffer input', () => {
      for (const key of texts) expect(murmur2(Buffer.from(key))).toBe(murmur2OfText(key))
    })
  })
})

forEachBroker('src/producer/partitioners/default/murmur2.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  /** Where the keys come to be when they are sent with kafkajs's older partitioner. */
  const placesOf = async (keys: readonly (string | Buffer)[]) => {
    const topic = uniqueTopic('legacy')
    await createTopics(broker, { topic, numPartitions: PARTITIONS })
    const producer = await connected({ createPartitioner: Partitioners.LegacyPartitioner })
    await producer.send({ topic, messages: keys.map(key => ({ key, value: null })) })
    const stored = await readLogs(broker.bootstrap, [topic])
    return Object.fromEntries(stored.map(({ key, partition }) => [String(key), partition]))
  }

  // Since 2.0 the older hash is `LegacyPartitioner`'s.
  describe('Producer > Partitioner > Default > murmur2', () => {
    test('it works', async () => {
      const legacyHash = kafkajsPart<(key: string) => number>('legacy/murmur2.js')
      const places = await placesOf(texts)
      expect(places).toEqual(Object.fromEntries(texts.map(key => [key, placeOf(legacyHash(key))])))
      for (const [key, hash] of Object.entries(ofLegacy)) expect(places[key]).toBe(placeOf(hash))
    })

    test('it handles numeric input', async () => {
      expect(await placesOf([String(0)])).toEqual({ 0: placeOf(ofLegacy['0']) })
    })

    test('it handles buffer input', async () => {
      const keys = Object.keys(ofLegacy)
      expect(await placesOf(keys.map(key => Buffer.from(key)))).toEqual(
        Object.fromEntries(Object.entries(ofLegacy).map(([key, hash]) => [key, placeOf(hash)])),
      )
    })
  })
})

describe('src/producer/partitioners/default/randomBytes.spec.js', () => {
  // A part of kafkajs's `LegacyPartitioner`, which producers of this package are given as it is.
  describe('Producer > Partitioner > Default > RandomBytes', () => {
    const randomBytes = kafkajsPart<(size: number) => Buffer>('legacy/randomBytes.js')

    test('it throws when requesting more bytes than entry allows', () => {
      expect(() => randomBytes(2 ** 16 + 1)).toThrow(/^Byte length \(65537\) exceeds .*\(65536\)$/)
    })

    test('it returns random bytes of the desired length', () => {
      const drawn = range(20, () => randomBytes(32))
      expect(drawn.every(bytes => Buffer.isBuffer(bytes) && bytes.length === 32)).toBe(true)
      expect(new Set(drawn.map(String)).size).toBe(20)
    })
  })
})
