import './support/production.js'
import { Kafka, type KafkaConfig, logLevel, type ProducerConfig } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { expect, test } from 'vitest'
import { forEachBroker, type TestBroker, uniqueTopic } from '../kafka/suite.js'
import { helperClientId } from '../kafka/testBroker.js'
import { createTopics } from './support/topics.js'
import { Wiretap } from './support/wiretap.js'

interface Emitted {
  readonly id: number
  readonly type: string
  readonly timestamp: number
  readonly payload: object | undefined
}

/** What an event consists of, its values left out. */
const shapeOf = ({ id, timestamp, payload }: Emitted) => ({
  id: typeof id,
  timestamp: typeof timestamp,
  payload:
    payload === undefined || payload === null
      ? 'nothing'
      : Object.entries(payload)
          .map(([field, value]) => `${field}: ${typeof value}`)
          .sort(),
})

/** kafkajs has to ask for all topics: that goes by the helper's name. */
const makers: readonly [string, (config: KafkaConfig) => Kafka][] = [
  ['kafkajs', config => new Kafka({ ...config, clientId: helperClientId })],
  ['ours', config => new ResilientKafka({ ...config, clientId: 'compat' })],
]

/** Each kind of event that one client emits from its connecting to its end, while one request stays unanswered and others are held back. */
const emittedBy = async (make: (config: KafkaConfig) => Kafka, broker: TestBroker) => {
  const topics = [uniqueTopic('events'), uniqueTopic('events'), uniqueTopic('events')] as const
  await createTopics(broker, ...topics.map(topic => ({ topic })))
  const tap = new Wiretap()
  const config: ProducerConfig = { maxInFlightRequests: 1 }
  const producer = make({
    brokers: broker.bootstrap,
    logLevel: logLevel.NOTHING,
    requestTimeout: 1_100,
    socketFactory: tap.socketFactory,
  }).producer(config)
  const events: Emitted[] = []
  for (const name of Object.values(producer.events))
    producer.on(name as 'producer.connect', event => void events.push(event as unknown as Emitted))
  await producer.connect()
  const send = (topic: string) => producer.send({ topic, messages: [{ value: 'a' }] })
  // Ours asks on another connection while one is held back: both are.
  for (let i = 0; i < 2; i++)
    tap.next('Metadata', { changed: response => ({ ...response, throttleTimeMs: 1_000 }) })
  const sends: Promise<unknown>[] = []
  for (const [i, topic] of topics.entries()) {
    sends.push(send(topic))
    await expect.poll(() => tap.pending, { timeout: 10_000 }).toBe(Math.max(0, 1 - i))
  }
  await Promise.all(sends)
  tap.next('Produce', 'silence')
  await send(topics[0])
  await producer.disconnect()
  const kinds = new Map<string, ReturnType<typeof shapeOf>>()
  for (const event of events) kinds.set(event.type, shapeOf(event))
  return Object.fromEntries([...kinds].sort(([a], [b]) => a.localeCompare(b)))
}

forEachBroker('events', { real: 'shared' }, broker => {
  test('have the same names and consist of the same as those of kafkajs, one of each kind', async () => {
    const [theirs, ours] = [await emittedBy(makers[0]![1], broker), await emittedBy(makers[1]![1], broker)]
    expect(ours).toEqual(theirs)
    expect(Object.keys(ours)).toEqual([
      'producer.connect',
      'producer.disconnect',
      'producer.network.request',
      'producer.network.request_queue_size',
      'producer.network.request_timeout',
    ])
  })
})
