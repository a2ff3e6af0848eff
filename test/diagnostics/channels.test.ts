import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer, type ResilientProducer } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { publishing } from '../../src/diagnostics/channels.js'
import { silentObserver } from '../../src/metrics/observer.js'

const NAMES = ['batch', 'retry', 'wait', 'topic-created', 'connection'] as const
type Name = (typeof NAMES)[number]

let cluster: EmbeddedKafka
let producer: ResilientProducer
let seen: [Name, Record<string, unknown>][]
const listeners = new Map<Name, (message: unknown) => void>()

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: { createdAfter: 2 } })
  producer = createResilientProducer(new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }), {
    retry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
  })
  seen = []
  for (const name of NAMES) {
    const listener = (message: unknown): void => void seen.push([name, message as Record<string, unknown>])
    listeners.set(name, listener)
    subscribe(`kafkajs-resilient-producer:${name}`, listener)
  }
})
afterEach(async () => {
  for (const [name, listener] of listeners) unsubscribe(`kafkajs-resilient-producer:${name}`, listener)
  await producer.disconnect({ timeoutMs: 0 })
  await cluster.close({ clients: 'may-stay' })
})

const of = (name: Name) => seen.filter(([each]) => each === name).map(([, message]) => message)
const send = (records: number) =>
  producer.send({ topic: 't', messages: Array.from({ length: records }, () => ({ value: 'x' })) })

test('tell batches, connections, created topics and the waits for them', async () => {
  await producer.connect()
  await send(3)
  expect(of('batch')).toEqual([{ topic: 't', records: 3, elapsedMs: expect.any(Number) }])
  expect(of('connection')).toEqual([{ broker: 0, outcome: 'ok' }])
  expect(of('topic-created')).toEqual([{ topic: 't', by: 'broker' }])
  expect(of('wait').filter(each => each.for === 'topic')).toMatchObject([
    { state: 'began', topic: 't' },
    { state: 'over', topic: 't', error: 'UNKNOWN_TOPIC_OR_PARTITION' },
  ])
})

test('tell retries with their reason, and the wait for them', async () => {
  await producer.connect()
  await send(1)
  seen.length = 0
  cluster.on('Produce', errorCode(19), { times: 2 })
  await send(4)
  const retry = { topic: 't', records: 4, reason: 'NOT_ENOUGH_REPLICAS' }
  expect(of('retry')).toEqual([retry, retry])
  expect(of('wait').map(({ state, for: kind }) => [state, kind])).toEqual([
    ['began', 'retry'],
    ['changed', 'retry'],
    ['over', 'retry'],
  ])
})

test('make no message while nobody subscribes', () => {
  for (const [name, listener] of listeners) unsubscribe(`kafkajs-resilient-producer:${name}`, listener)
  listeners.clear()
  const reports: unknown[][] = []
  const observer = publishing({ ...silentObserver, batchDelivered: (...report) => reports.push(report) })
  observer.batchDelivered('t', 1, 2)
  expect(reports).toEqual([['t', 1, 2]])
  expect(seen).toEqual([])
})
