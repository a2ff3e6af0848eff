import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { SendError } from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TOPIC, World } from '../delivery/support/world.js'
import { frozen, headerOf, Spans, traceparentOf } from './support.js'

let world: World
let spans: Spans
beforeEach(async () => {
  spans = new Spans()
  world = await World.start()
})
afterEach(async () => {
  spans.end()
  await world.end()
})

const connect = async (options: Parameters<World['connect']>[0] = {}) =>
  traced(await world.connect(options), spans)
const SEND = `send ${TOPIC}`
/** The produce request carried the partition, which has no room for a record of this kind. */
const INVALID_RECORD = 87

describe('a traced send', () => {
  test('has a span of the semantic conventions under its caller, and its context in the headers', async () => {
    world.topic({ partitions: 3 })
    const producer = await connect()
    await spans.under('caller', () =>
      producer.send({ topic: TOPIC, messages: [{ key: 'k', value: 'v', partition: 2 }] }),
    )
    const span = spans.one(SEND)
    const caller = spans.one('caller')
    expect(span.kind).toBe(SpanKind.PRODUCER)
    expect(span.parentSpanContext?.spanId).toBe(caller.spanContext().spanId)
    expect(span.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.destination.name': TOPIC,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.kafka.message.key': 'k',
      'messaging.destination.partition.id': '2',
      'messaging.kafka.offset': '0',
      'messaging.kafka.cluster.id': expect.stringMatching(/./),
      'kafkajs_resilient_producer.attempts': 1,
    })
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    const [record] = world.cluster.records(TOPIC, 2)
    expect(headerOf(record!, 'traceparent')).toEqual([traceparentOf(span)])
  })

  test('marks a tombstone', async () => {
    world.topic()
    const producer = await connect()
    await producer.send({ topic: TOPIC, messages: [{ key: Buffer.from('k'), value: null }, { value: null }] })
    const [withKey, without] = spans.named(SEND)
    expect(withKey?.attributes).toMatchObject({
      'messaging.kafka.message.key': 'k',
      'messaging.kafka.message.tombstone': true,
    })
    expect(without?.attributes).not.toHaveProperty('messaging.kafka.message.tombstone')
  })

  test('loses no message and no caller in batches: each record has its own span’s context', async () => {
    world.topic()
    const producer = await connect()
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const gate = world.cluster.gate()
    world.onNext(hold(gate))
    const held = producer.send({ topic: TOPIC, messages: [{ value: 'held' }] })
    await gate.arrived
    const sends = Array.from({ length: 50 }, (_, i) =>
      spans.under(`caller ${i}`, () => producer.send({ topic: TOPIC, messages: [{ value: `${i}` }] })),
    )
    gate.open()
    await Promise.all([held, ...sends])
    expect(world.sent(TOPIC).length).toBeLessThan(52)

    const byId = new Map(spans.named(SEND).map(each => [traceparentOf(each), each]))
    expect(byId.size).toBe(52)
    for (const record of world.cluster.records(TOPIC, 0).slice(2)) {
      const [traceparent] = headerOf(record, 'traceparent')
      const caller = spans.one(`caller ${record.value}`)
      expect(byId.get(traceparent!)?.parentSpanContext?.spanId).toBe(caller.spanContext().spanId)
    }
  })

  test('changes nothing of the caller’s, and replaces what a forwarded message brings along', async () => {
    world.topic()
    const producer = await connect()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const record = frozen({
      topic: TOPIC,
      messages: [
        { value: 'v', headers: { id: '1', TraceParent: Buffer.from(traceparent), tracestate: 'a=b' } },
      ],
    })
    await producer.send(record)
    expect(record.messages[0]?.headers.TraceParent.toString()).toBe(traceparent)
    const [stored] = world.cluster.records(TOPIC, 0)
    expect(headerOf(stored!, 'traceparent')).toEqual([traceparentOf(spans.one(SEND))])
    expect(headerOf(stored!, 'tracestate')).toEqual([])
    expect(headerOf(stored!, 'id')).toEqual(['1'])
  })

  test('ends its spans when the record has ended, not before', async () => {
    world.topic()
    const producer = await connect()
    const gate = world.cluster.gate()
    world.onNext(hold(gate))
    const sent = producer.send({ topic: TOPIC, messages: [{ value: 'v' }] })
    await gate.arrived
    expect(spans.ended).toEqual([])
    gate.open()
    await sent
    expect(spans.named(SEND)).toHaveLength(1)
  })

  test('records the error of a failed send', async () => {
    const producer = await connect({ topics: { create: 'never', waitForMs: 0 } })
    await expect(producer.send({ topic: TOPIC, messages: [{ value: 'v' }] })).rejects.toThrow()
    const { status, attributes, events } = spans.one(SEND)
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: expect.stringContaining(TOPIC) })
    expect(attributes['error.type']).toBe('UnknownTopicError')
    expect(events.map(each => each.name)).toEqual(['kafkajs_resilient_producer.wait', 'exception'])
  })

  test('gives each message of a call that failed in part its own outcome', async () => {
    world.topic({ partitions: 2 })
    world.topic({}, 'other')
    const producer = await connect()
    world.cluster.on('Produce', errorCode(INVALID_RECORD), { topic: 'other' })
    const message = (value: string) => ({ value, partition: 0 })
    const batch = {
      topicMessages: [
        { topic: TOPIC, messages: [message('a')] },
        { topic: 'other', messages: [message('b')] },
        { topic: TOPIC, messages: [message('c')] },
      ],
    }
    await expect(producer.sendBatch(batch)).rejects.toBeInstanceOf(SendError)
    expect(spans.named(SEND).map(each => each.status.code)).toEqual([0, 0])
    expect(spans.one('send other')).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'RecordRejectedError' },
    })
  })

  test('tells of several messages where they went only as far as it knows', async () => {
    world.topic({ partitions: 2 })
    const producer = await connect()
    await producer.send({ topic: TOPIC, messages: [0, 0].map(() => ({ value: 'v', key: 'same' })) })
    const partition = world.cluster.records(TOPIC)[0]!.partition
    await producer.sendBatch({
      topicMessages: [{ topic: TOPIC, messages: [0, 1].map(each => ({ value: 'v', partition: each })) }],
    })
    const attributes = spans.named(SEND).map(each => each.attributes)
    expect(attributes[0]?.['messaging.destination.partition.id']).toBe(String(partition))
    expect(attributes[1]).toEqual(attributes[0])
    expect(attributes.slice(2).map(each => each['messaging.destination.partition.id'])).toEqual(['0', '1'])
    for (const each of attributes) expect(each).not.toHaveProperty('messaging.kafka.offset')
  })

  test('leaves what cannot be sent to the producer, with its own words', async () => {
    world.topic()
    const plain = await world.connect()
    const producer = traced(plain, spans)
    const calls = [
      { topic: TOPIC, messages: [null] },
      { topic: TOPIC, messages: 'none' },
      { topic: '', messages: [{ value: 'v' }] },
      { topic: TOPIC, messages: [{ value: undefined }] },
      { topic: TOPIC, messages: [{ value: 'v', headers: 'none' }] },
      undefined,
    ] as never[]
    for (const call of calls) {
      const [expected] = await Promise.allSettled([plain.send(call)])
      // Where it shows the message, that has the span's headers.
      const [words] = (expected as PromiseRejectedResult).reason.message.split('{')
      await expect(producer.send(call)).rejects.toThrow(words)
    }
    for (const call of [{}, { topicMessages: 'none' }, { topicMessages: [{ topic: TOPIC }] }] as never[]) {
      const [expected] = await Promise.allSettled([plain.sendBatch(call)])
      const [actual] = await Promise.allSettled([producer.sendBatch(call)])
      expect(actual).toEqual(expected)
    }
    expect(spans.ended.every(each => each.status.code === SpanStatusCode.ERROR)).toBe(true)
  })

  test('shows the span and the message to the hook, and outlives one that throws', async () => {
    world.topic()
    const producerHook = vi.fn((span, { topic, message }) => {
      span.setAttribute('size', message.value.length)
      expect(topic).toBe(TOPIC)
      throw new Error('of the hook')
    })
    const producer = traced(await world.connect(), {
      ...spans,
      tracerProvider: spans.tracerProvider,
      producerHook,
    })
    await producer.send({ topic: TOPIC, messages: [{ value: 'four' }] })
    expect(producerHook).toHaveBeenCalledOnce()
    expect(spans.one(SEND).attributes.size).toBe(4)
  })

  test('does without an SDK', async () => {
    world.topic()
    const producer = traced(await world.connect())
    await producer.send({ topic: TOPIC, messages: [{ value: 'v', headers: { id: '1' } }] })
    expect(world.cluster.records(TOPIC)[0]?.headers.map(each => each.key)).toEqual(['id'])
  })

  test('is traced once, however often the producer is', async () => {
    world.topic()
    const producer = await connect()
    expect(traced(producer, spans)).toBe(producer)
  })
})
