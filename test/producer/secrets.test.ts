import { inspect } from 'node:util'
import { Kafka, type LogEntry, logLevel } from 'kafkajs'
import { createResilientProducer, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, EmbeddedKafka, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'

const PASSWORD = 'correct-horse'
const SECRETS = [PASSWORD, 'battery-staple', 'the-value', 'the-header', 'the-key']

let cluster: EmbeddedKafka
afterEach(() => cluster.close())

/** Everything that a service's operator gets to see: logs of every level, metrics, errors as Node prints them. */
const watched = async (password: string) => {
  cluster = await EmbeddedKafka.start({
    listeners: { sasl: { users: { alice: PASSWORD } } },
    autoCreate: { never: topic => topic === 'never' },
  })
  const seen: string[] = []
  const look = (thing: unknown) => seen.push(inspect(thing, { depth: 20, showHidden: true }), String(thing))
  const registry = new Registry()
  const kafka = new Kafka({
    brokers: cluster.bootstrap,
    sasl: { mechanism: 'plain', username: 'alice', password },
    logLevel: logLevel.DEBUG,
    logCreator: () => (entry: LogEntry) => look(entry),
  })
  const producer = createResilientProducer(kafka, {
    metrics: { registry, topicLabel: 'all' },
    metadataRetry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 2 },
    retry: { retries: 1, minTimeoutMs: 1, maxTimeoutMs: 2 },
  })
  for (const name of Object.values(producer.events)) producer.on(name as never, look)
  const shown = async () => [...seen, await registry.metrics()].join('\n')
  return { producer, look, shown }
}

const message = { key: 'the-key', value: 'the-value', headers: { authorization: 'the-header' } }

/** One after the other: a request with records of two topics would meet the fault for the first one only. */
const failures = async (producer: ResilientProducer): Promise<unknown[]> => {
  cluster.on('Produce', errorCode(ERROR.INVALID_RECORD), { topic: 'refused' })
  cluster.on('Produce', dropAfterApply, { topic: 'dropped', times: 2 })
  const calls = [
    () => producer.send({ topic: 'refused', messages: [message] }),
    () => producer.send({ topic: 'dropped', messages: [message] }),
    () => producer.send({ topic: 'never', messages: [message] }),
    () => producer.send({ topic: 'good', messages: [{ ...message, partition: 99 }] }),
    () => producer.send({ topic: 'good', messages: [{ ...message, timestamp: 'the-value' }] }),
    () => producer.send({ topic: 'good', messages: 'the-value' as never }),
    () =>
      producer.sendBatch({
        topicMessages: [
          { topic: 'good', messages: [message] },
          { topic: 'never', messages: [message] },
        ],
      }),
  ]
  const errors: unknown[] = []
  for (const call of calls) await call().catch((error: unknown) => errors.push(error))
  return errors
}

describe('credentials, keys, values and headers', () => {
  test('stand in no log line, event, metric, error or inspection, whatever fails', async () => {
    const { producer, look, shown } = await watched(PASSWORD)
    await producer.connect()
    await producer.send({ topic: 'good', messages: [message] })
    const errors = await failures(producer)
    expect(errors).toHaveLength(7)
    for (const error of errors) look(error)
    look(producer)
    await producer.disconnect()
    const text = await shown()
    expect(text).toContain('Produce')
    expect(SECRETS.filter(secret => text.includes(secret))).toEqual([])
  })

  test('are not told when the password is wrong either', async () => {
    const { producer, look, shown } = await watched('battery-staple')
    const error = await producer.connect().catch((each: Error) => each)
    expect(error).toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
    look(error)
    look(producer)
    const text = await shown()
    expect(SECRETS.filter(secret => text.includes(secret))).toEqual([])
  })
})
