import type { Attributes, MeterProvider } from '@opentelemetry/api'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer, type ResilientProducer } from 'kafkajs-resilient-producer'
import { measureProducers, traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** A meter provider that keeps what is measured. */
const recording = () => {
  const units: Record<string, string | undefined> = {}
  const measured: [name: string, value: number, attributes: Attributes][] = []
  const instrument = (name: string, options: { unit?: string } = {}) => {
    units[name] = options.unit
    const note = (value: number, attributes: Attributes = {}) => measured.push([name, value, attributes])
    return { add: note, record: note }
  }
  const meter = { createCounter: instrument, createHistogram: instrument, createUpDownCounter: instrument }
  const sum = (name: string, where: Attributes = {}): number =>
    measured
      .filter(
        ([each, , its]) => each === name && Object.entries(where).every(([key, value]) => its[key] === value),
      )
      .reduce((total, [, value]) => total + value, 0)
  return { provider: { getMeter: () => meter } as unknown as MeterProvider, units, measured, sum }
}

const SENT = 'messaging.client.sent.messages'
const DURATION = 'messaging.client.operation.duration'
let cluster: EmbeddedKafka
let producer: ResilientProducer
let stop = (): void => {}
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: false })
  cluster.createTopic('t', { partitions: 1 })
  cluster.createTopic('denied')
  cluster.deny('denied')
  producer = createResilientProducer(new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }), {
    retry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
  })
})
afterEach(async () => {
  stop()
  await producer.disconnect({ timeoutMs: 0 })
  await cluster.close({ clients: 'may-stay' })
})
const send = (topic: string, records: number) =>
  producer.send({ topic, messages: Array.from({ length: records }, () => ({ value: 'x' })) })

test('sent messages and durations have the names, units and attributes of the conventions', async () => {
  const { provider, units, measured, sum } = recording()
  stop = measureProducers({ meterProvider: provider })
  await producer.connect()
  await send('t', 5)
  await send('denied', 2).catch(() => {})
  expect(units).toMatchObject({ [SENT]: '{message}', [DURATION]: 's' })
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 't',
  }
  expect(measured).toContainEqual([SENT, 5, attributes])
  expect(measured).toContainEqual([DURATION, expect.any(Number), attributes])
  expect(sum(SENT, { 'messaging.destination.name': 'denied', 'error.type': 'TopicAuthorizationError' })).toBe(
    2,
  )
})

test('retries are counted by their error, and every wait that began has ended', async () => {
  const { provider, measured, sum } = recording()
  stop = measureProducers({ meterProvider: provider, topics: false })
  await producer.connect()
  await send('t', 1)
  cluster.on('Produce', errorCode(19), { times: 2 })
  await send('t', 3)
  expect(sum('kafkajs_resilient_producer.retries', { 'error.type': 'NOT_ENOUGH_REPLICAS' })).toBe(6)
  expect(measured).toContainEqual(['kafkajs_resilient_producer.waits', 1, { for: 'retry' }])
  expect(sum('kafkajs_resilient_producer.waits')).toBe(0)
  expect(measured.filter(([, , its]) => 'messaging.destination.name' in its)).toEqual([])
})

test('nothing is measured once it is stopped', async () => {
  const { provider, measured } = recording()
  measureProducers({ meterProvider: provider })()
  await producer.connect()
  await send('t', 1)
  expect(measured).toEqual([])
})

test('a message that is traced too is counted once while both report to one provider', async () => {
  const { provider: meterProvider, sum } = recording()
  await producer.connect()
  const its = traced(producer, { meterProvider })
  const message = { topic: 't', messages: [{ value: 'x' }] }
  await its.send(message)
  expect(sum(SENT)).toBe(1)
  const ends = [
    measureProducers({ meterProvider }),
    measureProducers({ meterProvider: recording().provider }),
  ]
  await its.send(message)
  await its.send({ topic: 'denied', messages: [{ value: 'x' }] }).catch(() => {})
  expect(sum(SENT)).toBe(3)
  for (const end of ends) end()
  ends[0]!()
  await its.send(message)
  expect(sum(SENT)).toBe(4)
})
