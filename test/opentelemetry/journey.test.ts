import type { Attributes } from '@opentelemetry/api'
import { AlwaysOffSampler, BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import {
  changed,
  dropBeforeApply,
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  errorCode,
  hang,
  hold,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Spans } from './support.js'

const NOT_ENOUGH_REPLICAS = 19
const MESSAGE_TOO_LARGE = 10
const OWN = 'kafkajs_resilient_producer'

let spans: Spans
let cluster: EmbeddedKafka
let producer: ResilientProducer
beforeEach(() => {
  spans = new Spans()
})
afterEach(async () => {
  spans.end()
  await producer.disconnect({ timeoutMs: 0 })
  await cluster.close({ clients: 'may-stay' })
})

const start = async (
  options: ResilientProducerOptions = {},
  clusterOptions: EmbeddedKafkaOptions = {},
  tracing: Parameters<typeof traced>[1] = {},
) => {
  cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: false, ...clusterOptions })
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  const plain = createResilientProducer(kafka, {
    retry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
    metadataRetry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
    ...options,
  })
  producer = traced(plain, { ...spans, propagator: spans.propagator, ...tracing })
  await producer.connect()
}
const messages = (count: number, more: object = {}) =>
  Array.from({ length: count }, () => ({ value: 'x', ...more }))

const attemptsOf = ({ attributes }: ReadableSpan) => attributes[`${OWN}.attempts`]
const eventsOf = ({ events }: ReadableSpan, name: 'retry' | 'wait'): Attributes[] =>
  events.filter(each => each.name === `${OWN}.${name}`).map(({ attributes }) => attributes ?? {})
const waitsOf = (span: ReadableSpan) => eventsOf(span, 'wait').map(its => its[`${OWN}.wait.for`])
const retry = (topic: string, attempt: number, reason: string, partition = 0) => ({
  'messaging.destination.name': topic,
  'messaging.destination.partition.id': String(partition),
  'error.type': reason,
  [`${OWN}.attempt`]: attempt,
  [`${OWN}.after_ms`]: expect.any(Number),
})
const TWICE = [retry('t', 2, 'NOT_ENOUGH_REPLICAS'), retry('t', 3, 'NOT_ENOUGH_REPLICAS')]

describe('the span of a message', () => {
  type Way = (topic: string, partition: number) => Promise<unknown>
  const ways: [string, Way][] = [
    ['send', (topic, partition) => producer.send({ topic, messages: messages(1, { partition }) })],
    ['send of several', (topic, partition) => producer.send({ topic, messages: messages(3, { partition }) })],
    [
      'send with a signal',
      (topic, partition) =>
        producer.send({
          topic,
          messages: messages(1, { partition }),
          signal: new AbortController().signal,
        } as never),
    ],
    [
      'sendBatch',
      (topic, partition) =>
        producer.sendBatch({
          topicMessages: [
            { topic, messages: messages(1, { partition }) },
            { topic, messages: messages(1, { partition }) },
          ],
        }),
    ],
    [
      'enqueue',
      (topic, partition) =>
        new Promise<void>((resolve, reject) => {
          producer.enqueue(topic, { value: 'x', partition }, error => (error ? reject(error) : resolve()))
        }),
    ],
    [
      'enqueue without a callback',
      async (topic, partition) => {
        producer.enqueue(topic, { value: 'x', partition })
        await producer.flush()
      },
    ],
    [
      'writable',
      (topic, partition) =>
        new Promise<void>(resolve => {
          producer.writable().end({ topic, value: 'x', partition }, resolve)
        }),
    ],
  ]

  test.each(ways)('has one attempt and no event where all is well (%s)', async (_, send) => {
    await start()
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    const before = spans.ended.length
    await send('t', 0)
    const its = spans.ended.slice(before)
    expect(its.length).toBeGreaterThan(0)
    for (const span of its) {
      expect(attemptsOf(span)).toBe(1)
      expect(span.events).toEqual([])
    }
  })

  test.each(ways)('has an event for each retry, and the number of attempts (%s)', async (_, send) => {
    await start()
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    const before = spans.ended.length
    cluster.on('Produce', errorCode(NOT_ENOUGH_REPLICAS), { times: 2 })
    await send('t', 0)
    const its = spans.ended.slice(before)
    expect(its.length).toBeGreaterThan(0)
    for (const span of its) {
      expect(attemptsOf(span)).toBe(3)
      expect(eventsOf(span, 'retry')).toEqual(TWICE)
      expect(span.attributes).not.toHaveProperty(`${OWN}.omitted_events`)
    }
  })

  test('of a transaction has them too', async () => {
    await start({ transactionalId: 'tx' })
    cluster.createTopic('t', { partitions: 1 })
    cluster.on('Produce', errorCode(NOT_ENOUGH_REPLICAS), { times: 2 })
    const transaction = await producer.transaction()
    await transaction.send({ topic: 't', messages: messages(1) })
    await transaction.sendBatch({ topicMessages: [{ topic: 't', messages: messages(1) }] })
    await transaction.commit()
    const [first, second] = spans.named('send t')
    expect(eventsOf(first!, 'retry')).toEqual(TWICE)
    expect([attemptsOf(first!), attemptsOf(second!)]).toEqual([3, 1])
  })

  test('has its own partition where a call goes to several', async () => {
    await start()
    cluster.createTopic('t', { partitions: 3 })
    const keys = Array.from({ length: 9 }, (_, i) => `key-${i}`)
    await producer.send({ topic: 't', messages: keys.map(key => ({ key, value: key })) })
    const stored = [0, 1, 2].flatMap(partition =>
      cluster.records('t', partition).map(({ key }) => [String(key), String(partition)]),
    )
    const told = spans
      .named('send t')
      .map(({ attributes }) => [
        attributes['messaging.kafka.message.key'],
        attributes['messaging.destination.partition.id'],
      ])
    expect(new Set(stored.map(([, partition]) => partition)).size).toBeGreaterThan(1)
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(stored))
  })

  test('has those of its own partition only', async () => {
    await start()
    cluster.createTopic('t', { partitions: 2 })
    await producer.send({
      topic: 't',
      messages: messages(2).map((each, partition) => ({ ...each, partition })),
    })
    const before = spans.ended.length
    cluster.on(
      'Produce',
      changed(answer => ({
        ...answer,
        responses: answer.responses.map(topic => ({
          ...topic,
          partitionResponses: topic.partitionResponses.map(each =>
            each.index === 1 ? { ...each, errorCode: NOT_ENOUGH_REPLICAS } : each,
          ),
        })),
      })),
      { times: 2 },
    )
    await producer.send({ topic: 't', messages: [0, 1].map(partition => ({ value: 'x', partition })) })
    const its = spans.ended.slice(before)
    const of = (partition: string) =>
      its.find(({ attributes }) => attributes['messaging.destination.partition.id'] === partition)!
    expect([attemptsOf(of('0')), attemptsOf(of('1'))]).toEqual([1, 3])
    expect(eventsOf(of('0'), 'retry')).toEqual([])
    expect(eventsOf(of('1'), 'retry')).toEqual(
      TWICE.map(each => ({ ...each, 'messaging.destination.partition.id': '1' })),
    )
  })

  test('of a batch that is divided has the attempts of its part', async () => {
    await start()
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    const before = spans.ended.length
    cluster.on('Produce', errorCode(MESSAGE_TOO_LARGE), { times: 1 })
    await producer.send({ topic: 't', messages: messages(6) })
    for (const span of spans.ended.slice(before)) {
      expect(attemptsOf(span)).toBe(2)
      expect(eventsOf(span, 'retry')).toEqual([retry('t', 2, 'MESSAGE_TOO_LARGE')])
    }
  })

  test('that failed says how often it was tried; one that was never sent, that it was not', async () => {
    await start({
      retry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 },
      topics: { create: 'never', waitForMs: 0 },
    })
    cluster.createTopic('t', { partitions: 1 })
    cluster.on('Produce', errorCode(NOT_ENOUGH_REPLICAS), { times: Infinity })
    await producer.send({ topic: 't', messages: messages(1) }).catch(() => {})
    await producer.send({ topic: 'missing', messages: messages(1) }).catch(() => {})
    expect(attemptsOf(spans.one('send t'))).toBe(3)
    expect(eventsOf(spans.one('send t'), 'retry')).toEqual(TWICE)
    expect(attemptsOf(spans.one('send missing'))).toBe(0)
  })

  test('with acks 0 has one attempt', async () => {
    await start({ idempotent: false })
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1), acks: 0 })
    expect(attemptsOf(spans.one('send t'))).toBe(1)
  })

  test('keeps 32 events, and says how many it left out', async () => {
    await start({ retry: { minTimeoutMs: 0, maxTimeoutMs: 0 } })
    cluster.createTopic('t', { partitions: 1 })
    cluster.on('Produce', errorCode(NOT_ENOUGH_REPLICAS), { times: 50 })
    await producer.send({ topic: 't', messages: messages(1) })
    const span = spans.one('send t')
    expect(attemptsOf(span)).toBe(51)
    expect(span.events).toHaveLength(32)
    const all = 50 + waitsOf(span).length
    expect(span.attributes[`${OWN}.omitted_events`]).toBeGreaterThanOrEqual(50 - 32)
    expect(span.attributes[`${OWN}.omitted_events`]).toBeLessThanOrEqual(all)
  })
})

describe('an event says what a message waited for', () => {
  test('its topic', async () => {
    await start({ topics: { create: 'never', waitForMs: 60_000 } })
    const sent = producer.send({ topic: 'late', messages: messages(1) })
    await vi.waitFor(() => expect(cluster.journal.of('Metadata').length).toBeGreaterThan(3))
    cluster.createTopic('late', { partitions: 1 })
    await sent
    const [wait] = eventsOf(spans.one('send late'), 'wait')
    expect(wait).toEqual({
      'messaging.destination.name': 'late',
      'error.type': 'UNKNOWN_TOPIC_OR_PARTITION',
      [`${OWN}.wait.for`]: 'topic',
      [`${OWN}.wait.duration_ms`]: expect.any(Number),
    })
  })

  test('a leader, and a message to another partition did not', async () => {
    await start()
    cluster.createTopic('t', { partitions: 2 })
    await producer.send({ topic: 't', messages: messages(1) })
    const before = spans.ended.length
    cluster.moveLeader('t', 0, -1)
    const sent = producer.send({ topic: 't', messages: messages(1, { partition: 0 }) })
    await vi.waitFor(() => expect(producer.health().waits.map(each => each.for)).toContain('leader'))
    await producer.send({ topic: 't', messages: messages(1, { partition: 1 }) })
    cluster.moveLeader('t', 0, 0)
    await sent
    const [other, waited] = spans.ended.slice(before)
    expect(waitsOf(other!)).toEqual([])
    expect(waitsOf(waited!)).toContain('leader')
    expect(eventsOf(waited!, 'wait')[0]).toMatchObject({
      'messaging.destination.name': 't',
      'messaging.destination.partition.id': '0',
    })
  })

  test('a connection', async () => {
    await start({}, { brokers: 2 })
    cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
    cluster.moveLeader('t', 0, 1)
    await producer.send({ topic: 't', messages: messages(1) })
    const before = spans.ended.length
    await cluster.stopBroker(1)
    cluster.moveLeader('t', 0, 1)
    const sent = producer.send({ topic: 't', messages: messages(1) })
    await vi.waitFor(() => expect(producer.health().waits.map(each => each.for)).toContain('connection'))
    await cluster.startBroker(1)
    await sent
    const span = spans.ended[before]!
    expect(waitsOf(span)).toContain('connection')
    expect(eventsOf(span, 'wait').find(each => each[`${OWN}.wait.for`] === 'connection')).toMatchObject({
      [`${OWN}.broker.id`]: 1,
      'error.type': expect.stringMatching(/^KafkaJS/),
    })
  })

  test('buffer space, which a message that was taken before did not', async () => {
    await start({ bufferBytes: 20_000 })
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    const before = spans.ended.length
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const value = Buffer.alloc(900)
    const sends = Array.from({ length: 40 }, () => producer.send({ topic: 't', messages: [{ value }] }))
    await vi.waitFor(() => expect(producer.health().waits.map(each => each.for)).toContain('buffer'))
    gate.open()
    await Promise.all(sends)
    const held = spans.ended.slice(before).filter(span => waitsOf(span).includes('buffer'))
    expect(held.length).toBeGreaterThan(10)
    expect(held.length).toBeLessThan(35)
  })

  test('the end of a throttle', async () => {
    await start()
    cluster.createTopic('t', { partitions: 1 })
    cluster.on(
      'Produce',
      changed(answer => ({ ...answer, throttleTimeMs: 50 })),
      { times: 1 },
    )
    await producer.send({ topic: 't', messages: messages(1) })
    await producer.send({ topic: 't', messages: messages(1) })
    expect(waitsOf(spans.named('send t')[1]!)).toEqual(['quota'])
  })

  test('an answer', async () => {
    await start({ requestTimeoutMs: 1500, ackTimeoutMs: 500 })
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    cluster.on('Produce', hang, { times: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    const span = spans.named('send t')[1]!
    expect(waitsOf(span)).toContain('answer')
    expect(attemptsOf(span)).toBe(2)
  })

  test('a request that was lost, as a retry for that reason', async () => {
    await start()
    cluster.createTopic('t', { partitions: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    cluster.on('Produce', dropBeforeApply, { times: 1 })
    await producer.send({ topic: 't', messages: messages(1) })
    expect(eventsOf(spans.named('send t')[1]!, 'retry')).toEqual([
      retry('t', 2, expect.stringMatching(/^KafkaJSConnection/) as never),
    ])
  })

  test('its coordinator: on the span of the transaction', async () => {
    await start({ transactionalId: 'tx' })
    cluster.createTopic('t', { partitions: 1 })
    const transaction = await producer.transaction()
    await transaction.send({ topic: 't', messages: messages(1) })
    let isLoading = true
    cluster.on('EndTxn', (request, next) => (isLoading ? errorCode(14)(request, next) : next()), {
      times: Infinity,
    })
    const committed = transaction.commit()
    await vi.waitFor(() => expect(producer.health().waits.map(each => each.for)).toContain('coordinator'))
    isLoading = false
    await committed
    expect(waitsOf(spans.one('transaction'))).toContain('coordinator')
  })
})

describe('where no span is recorded', () => {
  test('no call is watched', async () => {
    const tracerProvider = new BasicTracerProvider({ sampler: new AlwaysOffSampler() })
    await start({}, {}, { tracerProvider })
    cluster.createTopic('t', { partitions: 1 })
    const noted = vi.spyOn(WeakMap.prototype, 'set')
    await producer.send({ topic: 't', messages: messages(3) })
    producer.enqueue('t', { value: 'x' })
    await producer.flush()
    const watches = noted.mock.calls.filter(([, value]) => typeof value?.placed === 'function')
    noted.mockRestore()
    expect(watches).toEqual([])
  })
})
