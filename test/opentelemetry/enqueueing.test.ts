import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import type { OnDelivery, TopicMessage } from 'kafkajs-resilient-producer'
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
const INVALID_RECORD = 87

describe('a traced enqueue', () => {
  test('has its span under its caller, ended with where the record went', async () => {
    world.topic()
    const producer = await connect()
    const message = frozen({ value: 'v', headers: {} })
    const delivered = new Promise(resolve => {
      const onDelivery: OnDelivery = (_, place) =>
        resolve([place, trace.getActiveSpan()?.spanContext().spanId])
      spans.under('caller', () => producer.enqueue(TOPIC, message, onDelivery))
    })
    const [place, activeAtDelivery] = (await delivered) as [unknown, unknown]
    expect(place).toEqual({ topic: TOPIC, partition: 0, offset: '0' })
    expect(activeAtDelivery).toBe(spans.one('caller').spanContext().spanId)
    const span = spans.one(SEND)
    expect(span.parentSpanContext?.spanId).toBe(spans.one('caller').spanContext().spanId)
    expect(span.attributes).toMatchObject({
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': '0',
    })
    expect(headerOf(world.cluster.records(TOPIC)[0]!, 'traceparent')).toEqual([traceparentOf(span)])
  })

  test('records a failure, and leaves it to onDeliveryError when nobody else takes it', async () => {
    world.topic()
    const onDeliveryError = vi.fn()
    const producer = await connect({ onDeliveryError })
    world.onRecord('v', errorCode(INVALID_RECORD))
    producer.enqueue(TOPIC, { value: 'v' })
    await producer.flush()
    expect(onDeliveryError).toHaveBeenCalledOnce()
    expect(onDeliveryError.mock.calls[0]).toEqual([
      expect.objectContaining({ name: 'RecordRejectedError' }),
      expect.objectContaining({ topic: TOPIC, partition: 0 }),
    ])
    expect(spans.one(SEND).attributes['error.type']).toBe('RecordRejectedError')

    const onDelivery = vi.fn()
    world.onRecord('w', errorCode(INVALID_RECORD))
    producer.enqueue(TOPIC, { value: 'w' }, onDelivery)
    await producer.flush()
    expect(onDelivery).toHaveBeenCalledOnce()
    expect(onDeliveryError).toHaveBeenCalledOnce()
  })

  test('ends the span of a record that is refused at the call', async () => {
    world.topic()
    const producer = await connect()
    expect(() => producer.enqueue(TOPIC, { value: undefined as never })).toThrow('without value')
    expect(spans.one(SEND).status.code).toBe(SpanStatusCode.ERROR)
    expect(() => producer.enqueue(TOPIC, { value: 'v' }, 'none' as never)).toThrow('onDelivery must be')
    expect(() => producer.enqueue(TOPIC, null as never)).toThrow('it is not an object')
    expect(spans.named(SEND)).toHaveLength(1)
  })
})

describe('a traced writable', () => {
  const record = (value: string): TopicMessage => frozen({ topic: TOPIC, value })

  test('begins a record’s span under the caller of write, though the stream takes it up later', async () => {
    world.topic()
    const producer = await connect({ bufferBytes: 2000 })
    const gate = world.cluster.gate()
    world.onNext(hold(gate))
    const stream = producer.writable()
    const big = 'x'.repeat(1700)
    const write = (value: string) => spans.under(value.slice(0, 5), () => void stream.write(record(value)))
    await Promise.all([write(`one  ${big}`), write(`two  ${big}`), write(`three${big}`)])
    await gate.arrived
    expect(world.cluster.journal.of('Produce')).toHaveLength(1)
    gate.open()
    await spans.under('the end', () => new Promise<void>(resolve => stream.end(record('last'), resolve)))
    const stored = world.cluster.records(TOPIC)
    expect(stored.map(each => String(each.value).slice(0, 5))).toEqual(['one  ', 'two  ', 'three', 'last'])
    const byId = new Map(spans.named(SEND).map(each => [traceparentOf(each), each]))
    expect(byId.size).toBe(4)
    const callers = stored.map(each => byId.get(headerOf(each, 'traceparent')[0]!)?.parentSpanContext?.spanId)
    const expected = ['one  ', 'two  ', 'three', 'the end'].map(name => spans.one(name).spanContext().spanId)
    expect(callers).toEqual(expected)
  })

  test('serves a pipeline, and shows the callbacks their own records', async () => {
    world.topic()
    const producer = await connect()
    const records = ['a', 'b', 'c'].map(record)
    world.onRecord('b', errorCode(INVALID_RECORD))
    const failed: TopicMessage[] = []
    const ended: TopicMessage[] = []
    const stream = producer.writable({
      onError: (_, each) => void failed.push(each),
      onDelivery: (_, each) => void ended.push(each),
    })
    await pipeline(Readable.from(records), stream)
    expect(failed.every(each => records.includes(each))).toBe(true)
    expect(failed).toContain(records[1])
    expect(new Set(ended)).toEqual(new Set(records))
    expect(spans.named(SEND).filter(each => each.status.code === SpanStatusCode.ERROR)).toHaveLength(
      failed.length,
    )
  })

  test('ends the spans of what it never took up when it is destroyed', async () => {
    world.topic()
    const producer = await connect({ bufferBytes: 2000 })
    const gate = world.cluster.gate()
    world.onNext(hold(gate))
    const stream = producer.writable()
    stream.on('error', () => {})
    stream.write(record('x'.repeat(1700)))
    await gate.arrived
    stream.write(record('never taken up'))
    stream.write(record('nor this'))
    stream.destroy(new Error('changed my mind'))
    gate.open()
    await producer.flush()
    await vi.waitFor(() => expect(spans.named(SEND)).toHaveLength(3))
    const codes = spans.named(SEND).map(each => each.status.code)
    expect(codes.filter(each => each === SpanStatusCode.ERROR).length).toBeGreaterThanOrEqual(1)
  })
})
