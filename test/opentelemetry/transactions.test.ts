import { SpanStatusCode } from '@opentelemetry/api'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { headerOf, Spans, traceparentOf } from './support.js'

const TOPIC = 'events'
const SEND = `send ${TOPIC}`
const INVALID_RECORD = 87

let cluster: EmbeddedKafka
let spans: Spans
let producer: Producer
afterEach(async () => {
  spans.end()
  await producer.disconnect()
  await cluster.close()
})

const quiet = { logLevel: logLevel.NOTHING, retry: { retries: 1, initialRetryTime: 1 } }
const transactional = { transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 }

describe.each([
  ['kafkajs', (brokers: string[]) => new Kafka({ brokers, ...quiet })],
  ['ours', (brokers: string[]) => new ResilientKafka({ brokers, ...quiet })],
])('a traced transaction of %s', (_, create) => {
  beforeEach(async () => {
    spans = new Spans()
    cluster = await EmbeddedKafka.start()
    cluster.createTopic(TOPIC, { partitions: 1 })
    producer = traced<Producer>(create(cluster.bootstrap).producer(transactional), spans)
    await producer.connect()
  })

  const message = (value: string) => ({ topic: TOPIC, messages: [{ value }] })

  test('has a span from begin to commit, with its messages under it', async () => {
    await spans.under('caller', async () => {
      const transaction = await producer.transaction()
      await transaction.send(message('a'))
      await transaction.sendBatch({ topicMessages: [message('b')] })
      expect(spans.named('transaction')).toEqual([])
      await transaction.commit()
    })
    const span = spans.one('transaction')
    expect(span.parentSpanContext?.spanId).toBe(spans.one('caller').spanContext().spanId)
    expect(span.status.code).toBe(SpanStatusCode.OK)
    const sends = spans.named(SEND)
    expect(sends.map(each => each.parentSpanContext?.spanId)).toEqual(
      Array(2).fill(span.spanContext().spanId),
    )
    const headers = cluster.records(TOPIC).map(each => headerOf(each, 'traceparent'))
    expect(headers).toEqual(sends.map(each => [traceparentOf(each)]))
  })

  test('leaves a message under a caller of its own, with a link', async () => {
    const transaction = await spans.under('first', () => producer.transaction())
    await spans.under('second', () => transaction.send(message('a')))
    await transaction.commit()
    const send = spans.one(SEND)
    expect(send.parentSpanContext?.spanId).toBe(spans.one('second').spanContext().spanId)
    expect(send.links.map(each => each.context.spanId)).toEqual([
      spans.one('transaction').spanContext().spanId,
    ])
  })

  test.each(['send', 'sendBatch'] as const)(
    'has the error of a %s that failed, as the message has',
    async call => {
      const transaction = await producer.transaction()
      cluster.on('Produce', errorCode(INVALID_RECORD))
      const sent =
        call === 'send'
          ? transaction.send(message('a'))
          : transaction.sendBatch({ topicMessages: [message('a')] })
      const error = await sent.catch((thrown: Error) => thrown)
      expect(spans.one(SEND).status.code).toBe(SpanStatusCode.ERROR)
      await transaction.abort()
      expect(spans.one('transaction').status).toEqual({
        code: SpanStatusCode.ERROR,
        message: (error as Error).message,
      })
    },
  )

  test('has the error of offsets that were refused', async () => {
    const transaction = await producer.transaction()
    await transaction.send(message('a'))
    const GROUP_AUTHORIZATION_FAILED = 30
    cluster.on('TxnOffsetCommit', errorCode(GROUP_AUTHORIZATION_FAILED))
    const offsets = [{ topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] }]
    await expect(transaction.sendOffsets({ consumerGroupId: 'g', topics: offsets })).rejects.toThrow()
    await transaction.abort()
    expect(spans.one('transaction').status.code).toBe(SpanStatusCode.ERROR)
  })

  test('has no error where an abort alone ended it', async () => {
    const transaction = await producer.transaction()
    await transaction.send(message('a'))
    await transaction.abort()
    expect(spans.one('transaction').status.code).toBe(SpanStatusCode.UNSET)
  })

  test('shows a commit that failed, and ends once', async () => {
    const transaction = await producer.transaction()
    await transaction.send(message('a'))
    const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    cluster.on('EndTxn', errorCode(TRANSACTIONAL_ID_AUTHORIZATION_FAILED))
    await expect(transaction.commit()).rejects.toThrow()
    await transaction.abort().catch(() => {})
    expect(spans.one('transaction').status.code).toBe(SpanStatusCode.ERROR)
  })

  test('ends with the producer when nobody ended it', async () => {
    await producer.transaction()
    await producer.disconnect()
    expect(spans.one('transaction').attributes['error.type']).toBe('ProducerClosedError')
  })

  test('records why it could not begin', async () => {
    const open = await producer.transaction()
    await expect(producer.transaction()).rejects.toThrow('transaction')
    expect(spans.one('transaction').status.code).toBe(SpanStatusCode.ERROR)
    await open.abort()
  })
})

test('an abort that drops what waits is no error of a traced transaction', async () => {
  spans = new Spans()
  cluster = await EmbeddedKafka.start({ autoCreate: { never: () => true } })
  producer = traced<Producer>(
    new ResilientKafka({ brokers: cluster.bootstrap, ...quiet, retry: {} }).producer(transactional),
    spans,
  )
  await producer.connect()
  const transaction = await producer.transaction()
  const sent = transaction.send({ topic: 'missing', messages: [{ value: 'a' }] })
  const dropped = expect(sent).rejects.toMatchObject({ name: 'TransactionAbortedError' })
  await transaction.abort()
  await dropped
  expect(spans.one('send missing').status.code).toBe(SpanStatusCode.ERROR)
  expect(spans.one('transaction').status.code).toBe(SpanStatusCode.UNSET)
})
