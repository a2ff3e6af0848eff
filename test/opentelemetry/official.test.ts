import { createRequire } from 'node:module'
import { context, propagation } from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { KafkaJsInstrumentation } from '@opentelemetry/instrumentation-kafkajs'
import type { ConsumerRunConfig, Kafka as KafkaClass } from 'kafkajs'
import { createResilientProducer, ResilientKafka } from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { headerOf, Spans, traceparentOf } from './support.js'

const TOPIC = 'events'
const SEND = `send ${TOPIC}`
const message = { topic: TOPIC, messages: [{ key: 'k', value: 'v', partition: 0 }] }

let spans: Spans
let cluster: EmbeddedKafka
let Kafka: typeof KafkaClass
const instrumentation = new KafkaJsInstrumentation({ enabled: false })

beforeAll(() => {
  instrumentation.enable()
  // It patches what is required: the very objects that imports see.
  ;({ Kafka } = createRequire(import.meta.url)('kafkajs') as { Kafka: typeof KafkaClass })
  expect(Kafka.prototype.producer).toHaveProperty('__wrapped')
})
afterAll(() => instrumentation.disable())
beforeEach(async () => {
  spans = new Spans()
  propagation.setGlobalPropagator(spans.propagator)
  instrumentation.setTracerProvider(spans.tracerProvider)
  cluster = await EmbeddedKafka.start()
  cluster.createTopic(TOPIC, { partitions: 1 })
})
afterEach(async () => {
  propagation.disable()
  spans.end()
  await cluster.close()
})

const config = () => ({ brokers: cluster.bootstrap, logLevel: 0 })

describe('beside the official instrumentation of kafkajs', () => {
  test.each([
    ['ResilientKafka.producer', () => new ResilientKafka(config()).producer()],
    ['createResilientProducer', () => createResilientProducer(new Kafka(config()))],
  ])('the producer of %s has one span and one header a message', async (_, create) => {
    const producer = traced(create(), spans)
    await producer.connect()
    await producer.send(message)
    await producer.disconnect()
    expect(spans.named(SEND).map(each => each.instrumentationScope.name)).toEqual([
      'kafkajs-resilient-producer',
    ])
    const [record] = cluster.records(TOPIC)
    expect(headerOf(record!, 'traceparent')).toEqual([traceparentOf(spans.one(SEND))])
  })

  test('a producer that it has wrapped is left to it', async () => {
    const producer = traced(new Kafka(config()).producer(), spans)
    await producer.connect()
    await producer.send(message)
    await producer.disconnect()
    expect(spans.named(SEND).map(each => each.instrumentationScope.name)).toEqual([
      '@opentelemetry/instrumentation-kafkajs',
    ])
  })

  test('spans have its names, kinds and attributes, and more once the record has its place', async () => {
    const plain = new Kafka(config()).producer()
    await plain.connect()
    await plain.send({ topic: TOPIC, messages: [{ ...message.messages[0]! }] })
    await plain.disconnect()
    const producer = traced(new ResilientKafka(config()).producer(), spans)
    await producer.connect()
    await producer.send(message)
    await producer.disconnect()
    const [theirs, ours] = spans.named(SEND)
    expect(theirs!.attributes).toHaveProperty('messaging.system', 'kafka')
    expect(ours!.attributes).toEqual({
      ...theirs!.attributes,
      'messaging.kafka.cluster.id': expect.stringMatching(/./),
      'messaging.kafka.offset': '1',
      'kafkajs_resilient_producer.attempts': 1,
    })
    expect(ours!.kind).toBe(theirs!.kind)
  })

  test('its consumer continues the trace of our producer', async () => {
    const kafka = new ResilientKafka(config())
    const producer = traced(kafka.producer(), spans)
    await producer.connect()
    await producer.send(message)
    const consumer = kafka.consumer({ groupId: 'group' })
    await consumer.connect()
    await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
    await new Promise<void>(resolve => {
      consumer.run({ eachMessage: async () => void setImmediate(resolve) })
    })
    await consumer.disconnect()
    await producer.disconnect()
    const processed = spans.one(`process ${TOPIC}`)
    expect(processed.parentSpanContext?.spanId).toBe(spans.one(SEND).spanContext().spanId)
  })

  test('its consumer of batches links to our producer, and gets the caller’s baggage by eachMessage', async () => {
    const propagator = new CompositePropagator({
      propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
    })
    propagation.disable()
    propagation.setGlobalPropagator(propagator)
    const kafka = new ResilientKafka(config())
    const producer = traced(kafka.producer(), { ...spans, propagator })
    await producer.connect()
    const baggage = propagation.createBaggage({ foo: { value: 'bar' } })
    await context.with(propagation.setBaggage(context.active(), baggage), () => producer.send(message))
    const consume = async (groupId: string, run: (consumed: () => void) => ConsumerRunConfig) => {
      const consumer = kafka.consumer({ groupId })
      await consumer.connect()
      await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
      await new Promise<void>(resolve => void consumer.run(run(() => void setImmediate(resolve))))
      await consumer.disconnect()
    }
    let seen: string | undefined
    await consume('messages', consumed => ({
      async eachMessage() {
        seen = propagation.getBaggage(context.active())?.getEntry('foo')?.value
        consumed()
      },
    }))
    expect(seen).toBe('bar')
    await consume('batches', consumed => ({ eachBatch: async () => consumed() }))
    await producer.disconnect()
    const [, processed] = spans.named(`process ${TOPIC}`)
    expect(processed!.links.map(link => link.context.spanId)).toEqual([spans.one(SEND).spanContext().spanId])
    expect(processed!.parentSpanContext?.spanId).toBe(spans.one(`poll ${TOPIC}`).spanContext().spanId)
  })
})
