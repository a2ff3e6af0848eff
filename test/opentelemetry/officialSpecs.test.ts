/**
 * The producer's half of the tests of `@opentelemetry/instrumentation-kafkajs` (test/kafkajs.test.ts), stated again for `traced()`: on
 * a producer without brokers whose methods end as the case says, and whose transactions have no `isActive`. The consumer's half is
 * that instrumentation's own.
 */
import { type Attributes, type MeterProvider, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Message, Producer, ProducerBatch, ProducerRecord, RecordMetadata } from 'kafkajs'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Spans, traceparentOf } from './support.js'

type Result = Pick<RecordMetadata, 'topicName'> & Partial<RecordMetadata>
type Method = 'send' | 'sendBatch' | 'transaction' | 'commit' | 'abort' | 'transaction send'

/** What a client does: results, or which of its methods reject. */
interface Script {
  readonly results?: readonly Result[]
  readonly rejecting?: readonly Method[]
}

let spans: Spans
let counted: { readonly name: string; readonly value: number; readonly attributes: Attributes }[]
let sent: Message[]
beforeEach(() => {
  spans = new Spans()
  counted = []
  sent = []
})
afterEach(() => spans.end())

const meterProvider = {
  getMeter: () => ({
    createCounter: (name: string) => ({
      add: (value: number, attributes: Attributes) => counted.push({ name, value, attributes }),
    }),
  }),
} as unknown as MeterProvider

const ONE: readonly Result[] = [{ topicName: 'topic-name-1' }]

const scripted = ({ results = ONE, rejecting = [] }: Script): Producer => {
  const end = async (method: Method) => {
    if (rejecting.includes(method)) throw new Error(`error thrown from kafka client ${method}`)
    return [...results] as RecordMetadata[]
  }
  const take =
    (method: Method) =>
    async (call: ProducerRecord | ProducerBatch): Promise<RecordMetadata[]> => {
      const topics = 'messages' in call ? [call] : (call.topicMessages ?? [])
      sent.push(...topics.flatMap(({ messages }) => messages))
      return end(method)
    }
  const inTransaction = take('transaction send')
  const methods = {
    send: take('send'),
    sendBatch: take('sendBatch'),
    disconnect: async () => {},
    async transaction() {
      await end('transaction')
      return {
        send: inTransaction,
        sendBatch: inTransaction,
        commit: () => end('commit'),
        abort: () => end('abort'),
      }
    },
  }
  return methods as unknown as Producer
}

const producerOf = (script: Script = {}, producerHook?: (span: Span, info: { message: Message }) => void) =>
  traced(scripted(script), { ...spans, propagator: spans.propagator, meterProvider, producerHook })

const SENT = 'messaging.client.sent.messages'
/** As a reader of the metrics sums them up. */
const totals = () => {
  const sums = new Map<string, { value: number; attributes: Attributes }>()
  for (const { name, value, attributes } of counted) {
    expect(name).toBe(SENT)
    const key = JSON.stringify(attributes)
    sums.set(key, { value: (sums.get(key)?.value ?? 0) + value, attributes })
  }
  return [...sums.values()]
}
const total = (topic: string, value: number, more: Attributes = {}) => ({
  value,
  attributes: {
    'messaging.system': 'kafka',
    'messaging.destination.name': topic,
    'messaging.operation.name': 'send',
    ...more,
  },
})

const sends = () => spans.ended.filter(each => each.name.startsWith('send '))
const expectSucceeded = (of: readonly ReadableSpan[]) => {
  for (const span of of) {
    expect(span.kind).toBe(SpanKind.PRODUCER)
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    expect(span.attributes['messaging.system']).toBe('kafka')
  }
}
const expectFailed = (of: readonly ReadableSpan[], message: string) => {
  for (const span of of) expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message })
}
const expectContextsSent = (of: readonly ReadableSpan[]) =>
  expect(sent.map(({ headers }) => headers?.traceparent)).toEqual(of.map(traceparentOf))

describe('successful send', () => {
  test('simple send create span with right attributes, pass return value correctly and propagate context', async () => {
    const result = await producerOf().send({
      topic: 'topic-name-1',
      messages: [{ partition: 42, key: 'message-key-0', value: 'testing message content' }],
    })
    expect(result).toEqual(ONE)
    const span = spans.one('send topic-name-1')
    expectSucceeded([span])
    expect(span.attributes).toMatchObject({
      'messaging.destination.name': 'topic-name-1',
      'messaging.destination.partition.id': '42',
      'messaging.kafka.message.key': 'message-key-0',
    })
    expect(span.attributes).not.toHaveProperty('messaging.kafka.message.tombstone')
    expectContextsSent([span])
    expect(totals()).toEqual([total('topic-name-1', 1, { 'messaging.destination.partition.id': '42' })])
  })

  test('simple send create span with tombstone attribute', async () => {
    await producerOf().send({
      topic: 'topic-name-1',
      messages: [{ partition: 42, key: 'message-key-1', value: null }],
    })
    const span = spans.one('send topic-name-1')
    expectSucceeded([span])
    expect(span.attributes['messaging.kafka.message.tombstone']).toBe(true)
  })

  test('send two messages', async () => {
    const results = [0, 1].map(() => ({ topicName: 'topic-name-1', partition: 0 }))
    const messages = ['message1', 'message2'].map(value => ({ partition: 0, value }))
    await producerOf({ results }).send({ topic: 'topic-name-1', messages })
    expect(sends().map(each => each.name)).toEqual(['send topic-name-1', 'send topic-name-1'])
    expectContextsSent(sends())
    expect(totals()).toEqual([total('topic-name-1', 2, { 'messaging.destination.partition.id': '0' })])
  })

  test('send batch', async () => {
    const results = [...ONE, ...ONE, { topicName: 'topic-name-2', partition: 1 }]
    await producerOf({ results }).sendBatch({
      topicMessages: [
        { topic: 'topic-name-1', messages: [{ value: 'message1-1' }, { value: 'message1-2' }] },
        { topic: 'topic-name-2', messages: [{ partition: 1, value: 'message2-1' }] },
      ],
    })
    expect(sends().map(each => each.name)).toEqual([
      'send topic-name-1',
      'send topic-name-1',
      'send topic-name-2',
    ])
    expectSucceeded(sends())
    expectContextsSent(sends())
    expect(totals()).toEqual([
      total('topic-name-1', 2),
      total('topic-name-2', 1, { 'messaging.destination.partition.id': '1' }),
    ])
  })
})

describe('failed send', () => {
  const messagesOf = (...values: string[]) => values.map(value => ({ value }))

  test.each([
    ['error in send create failed span', ['a']],
    ['error in send with multiple messages create failed spans', ['a', 'b']],
  ])('%s', async (_, values) => {
    const producer = producerOf({ rejecting: ['send'] })
    const sending = producer.send({ topic: 'topic-name-1', messages: messagesOf(...values) })
    await expect(sending).rejects.toThrow()
    expect(sends()).toHaveLength(values.length)
    expectFailed(sends(), 'error thrown from kafka client send')
    expect(totals()).toEqual([total('topic-name-1', values.length, { 'error.type': 'Error' })])
  })

  test('error in sendBatch should set error to all spans', async () => {
    const producer = producerOf({ rejecting: ['sendBatch'] })
    const topicMessages = [
      { topic: 'topic-name-1', messages: messagesOf('message1-1', 'message1-2') },
      { topic: 'topic-name-2', messages: messagesOf('message2-1') },
    ]
    await expect(producer.sendBatch({ topicMessages })).rejects.toThrow()
    expect(sends()).toHaveLength(3)
    expectFailed(sends(), 'error thrown from kafka client sendBatch')
    expect(totals()).toEqual([
      total('topic-name-1', 2, { 'error.type': 'Error' }),
      total('topic-name-2', 1, { 'error.type': 'Error' }),
    ])
  })
})

describe('producer hook', () => {
  const record = { topic: 'topic-name-1', messages: [{ value: 'testing message content' }] }

  test('producer hook add span attribute with value from message', async () => {
    const producer = producerOf({}, (span, { message }) =>
      span.setAttribute('attribute-from-hook', message.value as string),
    )
    await producer.send(record)
    expect(spans.one('send topic-name-1').attributes['attribute-from-hook']).toBe('testing message content')
  })

  test('producer hook throw, should still create span', async () => {
    const producer = producerOf({}, () => {
      throw new Error('error thrown from producer hook')
    })
    await producer.send(record)
    expect(spans.one('send topic-name-1').status.code).toBe(SpanStatusCode.UNSET)
  })
})

describe('transaction instrumentation', () => {
  const message = (value: string) => ({ topic: 'topic-name-1', messages: [{ value }] })
  const expectFamily = () => {
    const transaction = spans.one('transaction')
    expect(transaction.kind).toBe(SpanKind.INTERNAL)
    for (const each of sends()) {
      expect(each.parentSpanContext?.spanId).toBe(transaction.spanContext().spanId)
      expect(each.spanContext().traceId).toBe(transaction.spanContext().traceId)
    }
    return transaction
  }

  test('commits after two sends', async () => {
    const transaction = await producerOf().transaction()
    await transaction.send(message('a'))
    await transaction.send(message('b'))
    await transaction.commit()
    expect(spans.ended).toHaveLength(3)
    // As versions 0.32 and 0.33 do.
    expect(expectFamily().status.code).toBe(SpanStatusCode.OK)
    expectSucceeded(sends())
    expectContextsSent(sends())
    expect(totals()).toEqual([total('topic-name-1', 2)])
  })

  test('sets transaction span to error on commit rejection, send remains unset', async () => {
    const transaction = await producerOf({ rejecting: ['commit'] }).transaction()
    await transaction.send(message('x'))
    await expect(transaction.commit()).rejects.toThrow()
    expectFailed([expectFamily()], 'error thrown from kafka client commit')
    expectSucceeded(sends())
    expectContextsSent(sends())
  })

  test('spans remain unset when abort succeeds', async () => {
    const transaction = await producerOf().transaction()
    await transaction.send(message('a'))
    await transaction.abort()
    expect(expectFamily().status.code).toBe(SpanStatusCode.UNSET)
    expectSucceeded(sends())
    expectContextsSent(sends())
  })

  test('sets transaction span to error on abort rejection', async () => {
    const transaction = await producerOf({ rejecting: ['abort'] }).transaction()
    await transaction.send(message('fail'))
    await expect(transaction.abort()).rejects.toThrow()
    expectFailed([expectFamily()], 'error thrown from kafka client abort')
    expectSucceeded(sends())
  })

  test('associates sendBatch messages with parent transaction and same traceId', async () => {
    const transaction = await producerOf().transaction()
    await transaction.sendBatch({
      topicMessages: [
        { topic: 'topic-name-1', messages: [{ value: 'a' }, { value: 'b' }] },
        { topic: 'topic-name-2', messages: [{ value: 'c' }] },
      ],
    })
    await transaction.commit()
    expectFamily()
    expect(sends().map(each => each.name)).toEqual([
      'send topic-name-1',
      'send topic-name-1',
      'send topic-name-2',
    ])
    expectSucceeded(sends())
    expect(totals()).toEqual([total('topic-name-1', 2), total('topic-name-2', 1)])
  })

  test.each([
    ['sets send span and transaction span to error when send fails', 1],
    ['sets all sendBatch spans and transaction span to error when sendBatch fails', 2],
  ])('%s', async (_, count) => {
    const transaction = await producerOf({ rejecting: ['transaction send'] }).transaction()
    const messages = [{ value: 'x' }, { value: 'y' }].slice(0, count)
    const sending =
      count === 1
        ? transaction.send({ topic: 'topic-name-1', messages })
        : transaction.sendBatch({ topicMessages: [{ topic: 'topic-name-1', messages }] })
    await expect(sending).rejects.toThrow()
    await transaction.abort()
    expect(sends()).toHaveLength(count)
    expectFailed([expectFamily(), ...sends()], 'error thrown from kafka client transaction send')
    expect(totals()).toEqual([total('topic-name-1', count, { 'error.type': 'Error' })])
  })

  test('keeps the error of a send where kafkajs commits what is left', async () => {
    const transaction = await producerOf({ rejecting: ['transaction send'] }).transaction()
    await expect(transaction.send(message('x'))).rejects.toThrow()
    await transaction.commit()
    expectFailed([expectFamily()], 'error thrown from kafka client transaction send')
  })

  test('transaction setup errors set the error and record the exception', async () => {
    await expect(producerOf({ rejecting: ['transaction'] }).transaction()).rejects.toThrow()
    expect(spans.ended).toHaveLength(1)
    const transaction = expectFamily()
    expectFailed([transaction], 'error thrown from kafka client transaction')
    expect(transaction.events.map(each => each.name)).toEqual(['exception'])
  })
})
