import type { Attributes, MeterProvider } from '@opentelemetry/api'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { measureProducers, traced } from 'kafkajs-resilient-producer/opentelemetry'
import { dropAfterApply, EmbeddedKafka, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Spans } from './support.js'

const PASSWORD = 'correct-horse'
const message = { key: 'the-key', value: 'the-value', headers: { authorization: 'the-header' } }
const SECRETS = [PASSWORD, 'the-value', 'the-header'].flatMap(secret => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
])

let spans: Spans
let cluster: EmbeddedKafka
beforeEach(async () => {
  spans = new Spans()
  cluster = await EmbeddedKafka.start({
    listeners: { sasl: { users: { alice: PASSWORD } } },
    autoCreate: { never: topic => topic === 'never' },
  })
})
afterEach(async () => {
  spans.end()
  await cluster.close({ clients: 'may-stay' })
})

/** All that spans and measurements tell of records that were delivered, retried, refused and lost. */
const told = async (options: Parameters<typeof traced>[1]): Promise<string> => {
  const measured: Attributes[] = []
  const instrument = () => {
    const note = (_: number, attributes: Attributes) => measured.push(attributes)
    return { add: note, record: note }
  }
  const meterProvider = {
    getMeter: () => ({
      createCounter: instrument,
      createHistogram: instrument,
      createUpDownCounter: instrument,
    }),
  } as unknown as MeterProvider
  const stop = measureProducers({ meterProvider })
  const kafka = new ResilientKafka({
    brokers: cluster.bootstrap,
    sasl: { mechanism: 'plain', username: 'alice', password: PASSWORD },
    logLevel: 0,
  })
  const plain = kafka.producer(
    { transactionalId: 'tx' },
    {
      metadataRetry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 2 },
      retry: { retries: 1, minTimeoutMs: 1, maxTimeoutMs: 2 },
    },
  )
  const tracing = { ...spans, propagator: spans.propagator, meterProvider, ...options }
  const producer = traced(plain, tracing)
  const other = traced(
    kafka.producer(
      {},
      { metadataRetry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 2 }, retry: { retries: 1 } },
    ),
    tracing,
  )
  await Promise.all([producer.connect(), other.connect()])
  const failed = (work: Promise<unknown>) =>
    work.then(
      () => {},
      () => {},
    )
  await other.send({ topic: 'good', messages: [message] })
  cluster.on('Produce', errorCode(ERROR.INVALID_RECORD), { topic: 'refused', times: 1 })
  cluster.on('Produce', dropAfterApply, { topic: 'dropped', times: 2 })
  for (const topic of ['refused', 'dropped', 'never'])
    await failed(other.send({ topic, messages: [message] }))
  await failed(other.send({ topic: 'good', messages: [{ ...message, partition: 99 }] }))
  await failed(other.send({ topic: 'good', messages: [{ ...message, timestamp: 'the-value' }] }))
  await failed(
    other.sendBatch({ topicMessages: ['good', 'never'].map(topic => ({ topic, messages: [message] })) }),
  )
  other.enqueue('good', message)
  await other.flush()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'good', messages: [message] })
  cluster.on('Produce', errorCode(ERROR.INVALID_RECORD), { topic: 'refused', times: 1 })
  await failed(transaction.send({ topic: 'refused', messages: [message] }))
  await failed(transaction.abort())
  await failed(Promise.all([producer.disconnect(), other.disconnect()]))
  stop()
  expect(spans.ended.length).toBeGreaterThan(10)
  expect(spans.ended.some(({ events }) => events.some(({ name }) => name === 'exception'))).toBe(true)
  expect(measured.length).toBeGreaterThan(10)
  const shown = spans.ended.map(({ name, attributes, status, events, links }) => [
    name,
    attributes,
    status,
    events,
    links,
  ])
  return JSON.stringify([shown, measured])
}

describe('spans and measurements', () => {
  test('tell no credential, value or header, whatever fails', async () => {
    const text = await told({})
    expect(SECRETS.filter(secret => text.includes(secret))).toEqual([])
    expect(text).toContain('the-key')
  })

  test('tell no key either with recordKeys: false', async () => {
    const text = await told({ recordKeys: false, semconvStabilityOptIn: 'messaging/dup' })
    expect(
      [...SECRETS, 'the-key', Buffer.from('the-key').toString('base64').slice(0, 9)].filter(each =>
        text.includes(each),
      ),
    ).toEqual([])
  })
})
