import '../support/production.js'
import { describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readByKafkajs } from '../../kafka/support/consumers.js'
import { range } from '../../kafka/support/producing.js'
import { clientsOf } from '../support/clients.js'
import { refusal } from '../support/produceRequests.js'
import { createTopics } from '../support/topics.js'
import { type Fault, Wiretap } from '../support/wiretap.js'

const NOT_ENOUGH_REPLICAS = 19
const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20

/** A retriable error, and the record is not written. */
const refused: Fault = { instead: refusal(NOT_ENOUGH_REPLICAS) }
/** A retriable error after the record was written: said by the broker, or by the end of the connection. */
const written: readonly Fault[] = [{ answer: refusal(NOT_ENOUGH_REPLICAS_AFTER_APPEND) }, 'lose the answer']

const values = range(4, String)

forEachBroker('src/producer/__tests__/idempotentProduceMessages.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  /** What a consumer finds once the values were sent, while these produce requests fail. */
  const consumed = async (faults: readonly (Fault | undefined)[], order: 'one by one' | 'at once') => {
    const topic = uniqueTopic('idempotent')
    await createTopics(broker, { topic, numPartitions: 1 })
    const tap = new Wiretap()
    const producer = await connected({ idempotent: true }, { kafka: { socketFactory: tap.socketFactory } })
    const asked = () => tap.of('Produce').length
    for (const [index, fault] of faults.entries())
      if (fault !== undefined) tap.next('Produce', fault, () => asked() > index)
    const send = (value: string) =>
      producer.send({ acks: -1, topic, messages: [{ key: `key-${value}`, value }] })
    if (order === 'at once') await Promise.all(values.map(send))
    else for (const value of values) await send(value)
    expect(tap.pending).toBe(0)
    // A record that were there twice would be among these, or behind them.
    const records = await readByKafkajs(broker, topic, values.length)
    const [after] = await producer.send({ topic, messages: [{ value: 'after' }] })
    expect(after?.baseOffset).toBe(String(values.length))
    return records.map(({ value }) => value)
  }

  describe('Producer > Idempotent producer', () => {
    test('sequential produce() calls > all messages are written to the partition once, in order', async () => {
      expect(await consumed([], 'one by one')).toEqual(values)
    })

    test('sequential produce() calls > where produce() throws a retriable error, all messages are written to the partition once, in order', async () => {
      expect(await consumed([refused], 'one by one')).toEqual(values)
    })

    test('sequential produce() calls > where produce() throws a retriable error after the message is written to the log, all messages are written to the partition once, in order', async () => {
      for (const fault of written)
        expect(await consumed([undefined, undefined, fault], 'one by one')).toEqual(values)
    })

    // In kafkajs once, but in any order: here in order too.
    test('concurrent produce() calls > all messages are written to the partition once', async () => {
      expect(await consumed([], 'at once')).toEqual(values)
    })

    test('concurrent produce() calls > where produce() throws a retriable error on the first call, all messages are written to the partition once', async () => {
      expect(await consumed([refused], 'at once')).toEqual(values)
    })

    test('concurrent produce() calls > where produce() throws a retriable error on 2nd call, all messages are written to the partition once', async () => {
      expect(await consumed([refused, refused], 'at once')).toEqual(values)
    })

    test('concurrent produce() calls > where produce() throws a retriable error after the message is written to the log, all messages are written to the partition once', async () => {
      for (const fault of written) expect(await consumed([fault], 'at once')).toEqual(values)
    })
  })
})

forEachBroker('src/producer/__tests__/concurrentIdempotent.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer > Idempotent producer', () => {
    test('Concurrent calls to produce(), all messages are accepted by the broker', async () => {
      const topic = uniqueTopic('concurrent')
      await createTopics(broker, { topic, numPartitions: 3 })
      const producer = await connected({ idempotent: true })
      const sent = range(30, index => `value-${index}`)
      for (let round = 0; round < 2; round++) {
        await Promise.all(
          sent.map(value => producer.send({ acks: -1, topic, messages: [{ key: value, value }] })),
        )
      }
      const read = await readByKafkajs(broker, topic, 2 * sent.length)
      expect(read.map(({ value }) => value).toSorted()).toEqual(
        sent.flatMap(value => [value, value]).toSorted(),
      )
    })
  })
})
