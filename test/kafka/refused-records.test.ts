import {
  RecordRejectedError,
  RecordTooLargeError,
  type ResilientProducerOptions,
  SendError,
} from 'kafkajs-resilient-producer'
import { describe, expect, test } from 'vitest'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics } from './support/admin.js'
import { readBatches, readLogs } from './support/logs.js'
import { failureOf, producing, range } from './support/producing.js'

const topicWith = async (broker: TestBroker, name: string, value: string) => {
  const topic = uniqueTopic('strict')
  await createTopics(broker, { topic, configEntries: [{ name, value }] })
  return topic
}

const valuesOf = async (broker: TestBroker, topic: string) =>
  (await readLogs(broker.bootstrap, [topic])).map(({ value }) => `${value}`.slice(0, 8).trim())

/** The number first, so that it can be told apart from the filling. */
const sized = (index: number, bytes: number) => `${index}`.padEnd(bytes)

const modes: readonly (readonly [name: string, options: ResilientProducerOptions])[] = [
  ['idempotent', {}],
  ['not idempotent', { idempotent: false }],
]

forEachBroker('a topic with a small max.message.bytes', { real: 'shared' }, broker => {
  describe.each(modes)('%s', (_name, options) => {
    test('gets an array of records in smaller batches, all of them, in order', async () => {
      const topic = await topicWith(broker, 'max.message.bytes', '10000')
      await producing(broker, options, async producer => {
        const metadata = await producer.send({
          topic,
          messages: range(200, index => ({ value: sized(index, 500) })),
        })
        expect(metadata).toMatchObject([{ topicName: topic, baseOffset: '0' }])
      })
      expect(await valuesOf(broker, topic)).toEqual(range(200, String))
      const batches = await readBatches(broker.bootstrap, [topic])
      expect(Math.max(...batches.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(10_000)
    })

    test('keeps the order of what is sent meanwhile, and tells each call its own offset', async () => {
      const topic = await topicWith(broker, 'max.message.bytes', '5000')
      await producing(broker, options, async producer => {
        const calls = range(400, index => producer.send({ topic, messages: [{ value: sized(index, 700) }] }))
        const offsets = (await Promise.all(calls)).map(([metadata]) => Number(metadata!.baseOffset))
        expect(offsets).toEqual(range(400, index => index))
      })
      expect(await valuesOf(broker, topic)).toEqual(range(400, String))
    })

    test('refuses the one record that is too large for it, and only that', async () => {
      const topic = await topicWith(broker, 'max.message.bytes', '10000')
      await producing(broker, options, async producer => {
        const messages = range(9, index => ({ value: sized(index, index === 4 ? 20_000 : 400) }))
        const error = await failureOf(producer.send({ topic, messages }))
        expect(error).toBeInstanceOf(SendError)
        expect(error).toMatchObject({
          acknowledged: [{ topicName: topic, partition: 0, baseOffset: '0' }],
          failed: [{ topic, partition: 0, messageIndexes: [4] }],
        })
        const [failed] = (error as SendError).failed
        expect(failed?.error).toBeInstanceOf(RecordTooLargeError)
        expect(failed?.error).toMatchObject({ type: 'MESSAGE_TOO_LARGE', outcome: 'not-written' })
        expect(failed?.error.message).toContain('max.message.bytes')
        await producer.send({ topic, messages: [{ value: '9' }] })
      })
      expect(await valuesOf(broker, topic)).toEqual(range(10, String).filter(each => each !== '4'))
    })
  })
})

forEachBroker('a topic that refuses times to come', { real: 'shared' }, broker => {
  const wrong = () => String(Date.now() + 2 * 3_600_000)
  const strictTopic = () => {
    const side = broker.isOlderThan('3.6') ? 'difference' : 'after'
    return topicWith(broker, `message.timestamp.${side}.max.ms`, '3600000')
  }

  describe.each(modes)('%s', (_name, options) => {
    test('rejects just the records with such a timestamp, and the others of the call are delivered', async () => {
      const topic = await strictTopic()
      const isBad = (index: number) => index % 7 === 3
      await producing(broker, options, async producer => {
        const messages = range(20, index => ({
          value: `${index}`,
          ...(isBad(index) ? { timestamp: wrong() } : {}),
        }))
        const error = await failureOf(producer.send({ topic, messages }))
        expect(error).toBeInstanceOf(SendError)
        expect(error).toMatchObject({
          acknowledged: [{ topicName: topic, baseOffset: '0' }],
          failed: [{ topic, partition: 0, messageIndexes: range(20, index => index).filter(isBad) }],
        })
        const [failed] = (error as SendError).failed
        expect(failed?.error).toBeInstanceOf(RecordRejectedError)
        expect(failed?.error).toMatchObject({ type: 'INVALID_TIMESTAMP', outcome: 'not-written' })
        expect(failed?.error.message).toMatch(/timestamp/i)
        expect(await producer.send({ topic, messages: [{ value: '20' }] })).toMatchObject([
          { baseOffset: '17' },
        ])
      })
      const kept = range(21, index => index).filter(index => !isBad(index))
      expect(await valuesOf(broker, topic)).toEqual(kept.map(String))
    })

    test('rejects just the calls that share a batch with others, and keeps the order of the rest', async () => {
      const topic = await strictTopic()
      const isBad = (index: number) => index % 50 === 20
      await producing(broker, options, async producer => {
        const ends = await Promise.allSettled(
          range(300, index =>
            producer.send({
              topic,
              messages: [{ value: `${index}`, ...(isBad(index) ? { timestamp: wrong() } : {}) }],
            }),
          ),
        )
        const failed = ends.flatMap((end, index) => (end.status === 'rejected' ? [index] : []))
        expect(failed).toEqual(range(300, index => index).filter(isBad))
        for (const end of ends)
          if (end.status === 'rejected')
            expect(end.reason).toMatchObject({ type: 'INVALID_TIMESTAMP', topic })
      })
      const kept = range(300, index => index).filter(index => !isBad(index))
      expect(await valuesOf(broker, topic)).toEqual(kept.map(String))
    })

    test('rejects a batch in which every record is wrong, and takes the next', async () => {
      const topic = await strictTopic()
      await producing(broker, options, async producer => {
        const messages = range(5, index => ({ value: `${index}`, timestamp: wrong() }))
        const error = await failureOf(producer.send({ topic, messages }))
        expect(error).toMatchObject({ type: 'INVALID_TIMESTAMP', topic, outcome: 'not-written' })
        expect(await producer.send({ topic, messages: [{ value: 'right' }] })).toMatchObject([
          { baseOffset: '0' },
        ])
      })
      expect(await valuesOf(broker, topic)).toEqual(['right'])
    })
  })
})

forEachBroker('a compacted topic', { real: 'shared' }, broker => {
  test('rejects just the records without a key', async () => {
    const topic = await topicWith(broker, 'cleanup.policy', 'compact')
    await producing(broker, {}, async producer => {
      const messages = range(6, index => ({ key: index === 2 ? null : `${index}`, value: `${index}` }))
      const error = await failureOf(producer.send({ topic, messages }))
      expect(error).toMatchObject({ failed: [{ messageIndexes: [2], error: { type: 'INVALID_RECORD' } }] })
    })
    expect(await valuesOf(broker, topic)).toEqual(['0', '1', '3', '4', '5'])
  })
})
