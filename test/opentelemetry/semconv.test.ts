import type { Attributes, MeterProvider } from '@opentelemetry/api'
import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  InvalidOptionsError,
  type ResilientProducer,
} from 'kafkajs-resilient-producer'
import { measureProducers, traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Spans } from './support.js'

const TOPIC = 'orders'
let spans: Spans
let cluster: EmbeddedKafka
let producer: ResilientProducer
beforeEach(async () => {
  vi.stubEnv('OTEL_SEMCONV_STABILITY_OPT_IN', undefined)
  spans = new Spans()
  cluster = await EmbeddedKafka.start({ brokers: 1 })
  cluster.createTopic(TOPIC, { partitions: 1 })
  producer = createResilientProducer(new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }))
  await producer.connect()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  spans.end()
  await producer.disconnect()
  await cluster.close()
})

/** The attributes of the span and the measurements of one tombstone. */
const emitted = async (
  options: Parameters<typeof measureProducers>[0] & Parameters<typeof traced>[1] = {},
) => {
  const bySpan: Attributes[] = []
  const byChannel: Attributes[] = []
  const providerOf = (seen: Attributes[]) =>
    ({
      getMeter: () => {
        const instrument = () => {
          const note = (_: number, attributes: Attributes) => seen.push(attributes)
          return { add: note, record: note }
        }
        return { createCounter: instrument, createHistogram: instrument, createUpDownCounter: instrument }
      },
    }) as unknown as MeterProvider
  const stop = measureProducers({ ...options, meterProvider: providerOf(byChannel) })
  const its = traced(producer, {
    ...options,
    ...spans,
    propagator: spans.propagator,
    meterProvider: providerOf(bySpan),
  })
  await its.send({ topic: TOPIC, messages: [{ key: 'k', value: null }] })
  stop()
  const ofMessages = byChannel.filter(each => !('for' in each))
  return { span: spans.one(`send ${TOPIC}`).attributes, bySpan, byChannel: ofMessages }
}

const SAME = {
  'messaging.destination.name': TOPIC,
  'messaging.operation.name': 'send',
  'messaging.operation.type': 'send',
}
const PLACE = { 'messaging.destination.partition.id': '0' }
const FORMER = {
  'messaging.system': 'kafka',
  'messaging.kafka.message.key': 'k',
  'messaging.kafka.message.tombstone': true,
  'messaging.kafka.cluster.id': expect.any(String),
  'messaging.kafka.offset': '0',
}
const CURRENT = {
  'messaging.system.name': 'kafka',
  'kafka.message.key': 'k',
  'kafka.message.tombstone': true,
  'kafka.cluster.id': expect.any(String),
  'kafka.offset': 0,
}

describe.each([
  ['nothing', undefined, FORMER, { 'messaging.system': 'kafka' }],
  ['an empty list', '', FORMER, { 'messaging.system': 'kafka' }],
  ['other categories', 'http,database/dup,messaging/new', FORMER, { 'messaging.system': 'kafka' }],
  ['messaging', 'http, messaging', CURRENT, { 'messaging.system.name': 'kafka' }],
  [
    'messaging/dup',
    'messaging/dup',
    { ...FORMER, ...CURRENT },
    { 'messaging.system': 'kafka', 'messaging.system.name': 'kafka' },
  ],
  [
    'both, of which dup counts',
    ' Messaging/Dup ,messaging',
    { ...FORMER, ...CURRENT },
    { 'messaging.system': 'kafka', 'messaging.system.name': 'kafka' },
  ],
])('with %s in OTEL_SEMCONV_STABILITY_OPT_IN', (_, optIn, ofSpan, ofMetrics) => {
  const expectEmitted = ({ span, bySpan, byChannel }: Awaited<ReturnType<typeof emitted>>) => {
    const own = Object.fromEntries(Object.entries(span).filter(([name]) => !name.startsWith('kafkajs_')))
    expect(own).toEqual({ ...SAME, ...PLACE, ...ofSpan })
    const { 'messaging.operation.type': type, ...former } = SAME
    expect(bySpan).toEqual([
      {
        ...former,
        ...ofMetrics,
        ...('messaging.system.name' in ofMetrics && { 'messaging.operation.type': type }),
      },
    ])
    expect(byChannel).toEqual(Array.from({ length: 2 }, () => ({ ...SAME, ...ofMetrics })))
  }

  test('spans and metrics have the names that it asks for', async () => {
    vi.stubEnv('OTEL_SEMCONV_STABILITY_OPT_IN', optIn)
    expectEmitted(await emitted())
  })

  test('the option says the same, and wins over the environment', async () => {
    vi.stubEnv('OTEL_SEMCONV_STABILITY_OPT_IN', ofSpan === FORMER ? 'messaging' : '')
    expectEmitted(await emitted({ semconvStabilityOptIn: optIn ?? '' }))
  })
})

test('an option that is no list is refused at the call', () => {
  const semconvStabilityOptIn = ['messaging'] as unknown as string
  expect(() => traced(producer, { semconvStabilityOptIn })).toThrow(InvalidOptionsError)
  expect(() => measureProducers({ semconvStabilityOptIn })).toThrow(/semconvStabilityOptIn must be a string/)
})

describe('record keys', () => {
  test('stay out of the spans with recordKeys: false, whatever the conventions', async () => {
    const { span, bySpan, byChannel } = await emitted({
      recordKeys: false,
      semconvStabilityOptIn: 'messaging/dup',
    })
    expect(Object.keys(span).filter(name => name.endsWith('message.key'))).toEqual([])
    expect(span).toMatchObject({ 'messaging.kafka.message.tombstone': true, 'kafka.message.tombstone': true })
    expect(JSON.stringify([bySpan, byChannel])).not.toContain('key')
  })
})
