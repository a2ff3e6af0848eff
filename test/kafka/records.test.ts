import { isDeepStrictEqual } from 'node:util'
import type { Message } from 'kafkajs'
import { expect, test } from 'vitest'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics } from './support/admin.js'
import { codecNames, isAvailable, withDecoders } from './support/codecs.js'
import {
  hasJavaTools,
  hasKcat,
  readByJava,
  readByKafkajs,
  readByKcat,
  type SeenRecord,
  seen,
} from './support/consumers.js'
import { readBatches, readLogs } from './support/logs.js'
import { producing, range } from './support/producing.js'

const at = (index: number) => String(1_700_000_000_000 + index)

/** Everything a record can have or lack that text can show. */
const kinds: readonly Message[] = [
  { key: 'key', value: 'value' },
  { key: null, value: 'no key' },
  { value: 'neither key nor headers' },
  { key: '', value: '' },
  { key: 'tombstone', value: null },
  { key: null, value: null },
  { key: 'clé', value: 'naïve ☃ 😀', headers: { ключ: 'значение' } },
  { value: 'headers', headers: { a: '1', b: ['2', '3'], c: Buffer.from('four'), empty: '' } },
  { value: 'no headers in it', headers: {} },
  { value: 'x'.repeat(40_000) },
].map((message, index) => ({ ...message, timestamp: at(index) }))

/** Enough of them, and out of the order of time, for a body that is compressed on the thread pool. */
const many: readonly Message[] = range(600, index => ({
  key: `key ${index % 7}`,
  value: `{"id":${index},"text":"${'the same again and again '.repeat(6)}"}`,
  headers: { index: String(index) },
  timestamp: at((index * 7919) % 600),
}))

/** What the brokers have, of one topic with a partition for each codec; produced once, read by every test. */
const written = new Map<TestBroker, Promise<{ topic: string; expected: SeenRecord[] }>>()
const codecs = codecNames.filter(isAvailable)

const produced = (broker: TestBroker) => {
  const known = written.get(broker)
  if (known) return known
  const produce = async () => {
    const topic = uniqueTopic('records')
    await createTopics(broker, { topic, numPartitions: codecNames.length })
    const expected: SeenRecord[] = []
    await producing(broker, {}, async producer => {
      for (const codec of codecs) {
        const partition = codecNames.indexOf(codec)
        for (const messages of [kinds, many]) {
          const pinned = messages.map(each => ({ ...each, partition }))
          const [metadata] = await producer.send({ topic, compression: partition, messages: pinned })
          const base = Number(metadata!.baseOffset)
          expected.push(...messages.map((each, index) => seen(each, partition, base + index)))
        }
      }
    })
    return { topic, expected }
  }
  const promise = produce()
  written.set(broker, promise)
  return promise
}

/** The first difference alone: thousands of records would make a report that nobody reads. */
const expectSame = (actual: readonly SeenRecord[], expected: readonly SeenRecord[]) => {
  const at = expected.findIndex((each, index) => !isDeepStrictEqual(each, actual[index]))
  expect(at < 0 ? 'no difference' : { at, record: actual[at] }).toEqual(
    at < 0 ? 'no difference' : { at, record: expected[at] },
  )
  expect(actual).toHaveLength(expected.length)
}

const [kcat, java] = await Promise.all([hasKcat(), hasJavaTools()])

forEachBroker('keys, values, headers and timestamps', { real: 'shared' }, broker => {
  test.each(codecs)('by %s stand in the log, in batches of that codec', async codec => {
    const { topic, expected } = await produced(broker)
    const id = codecNames.indexOf(codec)
    const batches = (await readBatches(broker.bootstrap, [topic])).filter(each => each.partition === id)
    expect(batches.map(({ compression }) => compression)).toEqual(batches.map(() => id))
    const count = expected.filter(({ partition }) => partition === id).length
    expect(batches.reduce((sum, { header }) => sum + header.recordCount, 0)).toBe(count)
    expect(count).toBe(kinds.length + many.length)
  })

  test(`are read back by kafkajs's consumer, by ${codecs.join(', ')}`, async () => {
    const { topic, expected } = await produced(broker)
    expectSame(await withDecoders(() => readByKafkajs(broker, topic, expected.length)), expected)
  })

  test.skipIf(!kcat)(`are read back by kcat, by ${codecs.join(', ')}`, async () => {
    const { topic, expected } = await produced(broker)
    expectSame(await readByKcat(broker, topic), expected)
  })

  test.skipIf(!java || broker.kind === 'embedded')(
    `are read back by Java's console consumer, by ${codecs.join(', ')}`,
    async () => {
      const { topic, expected } = await produced(broker)
      expectSame(await readByJava(broker, topic, expected.length), expected)
    },
    130_000,
  )

  test('are kept byte by byte when they are no text', async () => {
    const topic = uniqueTopic('bytes')
    const bytes = Buffer.from(range(256, index => index))
    await producing(broker, {}, producer =>
      producer.send({
        topic,
        messages: [{ key: bytes, value: bytes, headers: { bytes, list: [bytes, bytes] } }],
      }),
    )
    const [record] = await readLogs(broker.bootstrap, [topic])
    expect(record).toMatchObject({ key: bytes, value: bytes })
    expect(record?.headers).toEqual(['bytes', 'list', 'list'].map(key => ({ key, value: bytes })))
  })

  test('without a timestamp are given one between the call and its end', async () => {
    const topic = uniqueTopic('now')
    const before = Date.now()
    await producing(broker, {}, producer =>
      producer.send({ topic, messages: [{ value: 'x' }, { value: 'y', timestamp: '' }] }),
    )
    const after = Date.now()
    for (const { timestamp } of await readLogs(broker.bootstrap, [topic])) {
      expect(timestamp).toBeGreaterThanOrEqual(before)
      expect(timestamp).toBeLessThanOrEqual(after)
    }
  })

  test('may be in a buffer that the caller uses again once its record is in a batch', async () => {
    const topic = uniqueTopic('reused')
    await createTopics(broker, { topic })
    await producing(broker, {}, async producer => {
      await producer.send({ topic, messages: [{ value: 'first' }] })
      const value = Buffer.alloc(100)
      const sends = range(50, index => {
        value.fill(index)
        return producer.send({ topic, messages: [{ value }] })
      })
      value.fill(255)
      await Promise.all(sends)
    })
    const records = (await readLogs(broker.bootstrap, [topic])).slice(1)
    expect(records.map(({ value }) => value)).toEqual(range(50, index => Buffer.alloc(100, index)))
  })
})
