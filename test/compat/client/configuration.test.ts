import '../support/production.js'
import kafkajs, { Kafka, type LogEntry, logLevel, type ProducerConfig } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { describe, expect, test } from 'vitest'
import { combineOptions, sourcesOf } from '../../../src/producer/options/sources.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { failureOf } from '../../kafka/support/producing.js'
import { helperClientId } from '../../kafka/testBroker.js'
import { clientsOf } from '../support/clients.js'
import { batchesOf, refusal } from '../support/produceRequests.js'
import { createTopics } from '../support/topics.js'
import { Wiretap } from '../support/wiretap.js'

const NOT_LEADER_OR_FOLLOWER = 6
const messages = [{ value: 'a' }]

/** kafkajs's client and ours of the same configuration; kafkajs's requests go by the helper's name. */
const clients = [
  [
    'kafkajs',
    (config: ConstructorParameters<typeof Kafka>[0]) => new Kafka({ ...config, clientId: helperClientId }),
  ],
  ['ours', (config: ConstructorParameters<typeof Kafka>[0]) => new ResilientKafka(config)],
] as const

forEachBroker('what a call or a configuration says', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  const newTopic = async () => {
    const topic = uniqueTopic('configured')
    await createTopics(broker, { topic })
    return topic
  }

  test('of acks and of the broker’s time-out is in the request, as kafkajs’s', async () => {
    const topic = await newTopic()
    for (const [, make] of clients) {
      const tap = new Wiretap()
      const { socketFactory } = tap
      const producer = make({
        brokers: broker.bootstrap,
        logLevel: logLevel.NOTHING,
        socketFactory,
      }).producer()
      await producer.connect()
      await producer.send({ topic, messages, acks: 1, timeout: 4_321 })
      await producer.send({ topic, messages })
      await producer.disconnect()
      const said = tap.of('Produce').map(({ body }) => body)
      expect(said).toMatchObject([
        { acks: 1, timeoutMs: 4_321 },
        { acks: -1, timeoutMs: 30_000 },
      ])
    }
  })

  test('of idempotence: unset, kafkajs goes without, and this package with it', async () => {
    const topic = await newTopic()
    const identities: boolean[] = []
    for (const [, make] of clients) {
      const tap = new Wiretap()
      const { socketFactory } = tap
      const producer = make({
        brokers: broker.bootstrap,
        logLevel: logLevel.NOTHING,
        socketFactory,
      }).producer()
      await producer.connect()
      await producer.send({ topic, messages })
      identities.push(
        ...tap
          .of('Produce')
          .flatMap(batchesOf)
          .map(({ producerId }) => producerId >= 0n),
      )
      await producer.disconnect()
    }
    expect(identities).toEqual([false, true])
  })

  test('of a timestamp is in the record', async () => {
    const topic = await newTopic()
    const tap = new Wiretap()
    const producer = await connected({}, { kafka: { socketFactory: tap.socketFactory } })
    const timestamp = String(Date.now() - 5_000)
    await producer.send({ topic, messages: [{ value: 'a', timestamp }] })
    const [batch] = tap.of('Produce').flatMap(batchesOf)
    expect(batch?.records.map(record => String(record.timestamp))).toEqual([timestamp])
  })

  test('of requestTimeout counts unless it is not to be enforced', () => {
    const optionsOf = (config: object) =>
      combineOptions({ client: sourcesOf(new ResilientKafka({ brokers: ['127.0.0.1:1'], ...config })) })
    expect(optionsOf({ requestTimeout: 5_000 })).toMatchObject({ requestTimeoutMs: 5_000 })
    expect(optionsOf({ requestTimeout: 5_000, enforceRequestTimeout: false })).not.toHaveProperty(
      'requestTimeoutMs',
    )
  })

  describe('of the level of the log', () => {
    /** The levels of the lines that one transient error costs. */
    const linesOf = async (make: (typeof clients)[number][1], config: ProducerConfig, level: logLevel) => {
      const topic = await newTopic()
      const lines: LogEntry[] = []
      const tap = new Wiretap()
      const producer = make({
        brokers: broker.bootstrap,
        logLevel: level,
        logCreator: () => entry => void lines.push(entry),
        socketFactory: tap.socketFactory,
      }).producer(config)
      await producer.connect()
      tap.next('Produce', { instead: refusal(NOT_LEADER_OR_FOLLOWER) })
      await producer.send({ topic, messages })
      await producer.disconnect()
      return lines.map(line => line.level)
    }

    test('is kept', async () => {
      for (const [, make] of clients) {
        expect(await linesOf(make, {}, logLevel.NOTHING)).toEqual([])
        expect(await linesOf(make, {}, logLevel.DEBUG)).toContain(logLevel.DEBUG)
      }
    })

    test('an error that a retry mends is an ERROR of kafkajs, and no line above DEBUG here', async () => {
      const [[, makeTheirs], [, makeOurs]] = clients
      expect(await linesOf(makeTheirs, {}, logLevel.INFO)).toContain(logLevel.ERROR)
      expect(await linesOf(makeOurs, {}, logLevel.INFO)).toEqual([])
    })
  })
})

describe('no broker that answers', () => {
  test.each(clients)('ends connect of %s with an error of the same class', async (_, make) => {
    const retry = { retries: 1, initialRetryTime: 10, maxRetryTime: 20 }
    const producer = make({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING, retry }).producer()
    const error = await failureOf(producer.connect())
    expect(error).toBeInstanceOf(kafkajs.KafkaJSNumberOfRetriesExceeded)
    expect(error).toMatchObject({ retriable: false })
    await producer.disconnect()
  })
})
