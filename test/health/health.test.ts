import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  type ProducerHealth,
  type ResilientProducer,
} from 'kafkajs-resilient-producer'
import { EmbeddedKafka, errorCode, hang } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

let cluster: EmbeddedKafka
let producer: ResilientProducer
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: false })
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  producer = createResilientProducer(kafka, {
    topics: { create: 'never', waitForMs: 60_000 },
    metadataRequestTimeoutMs: 500,
    requestTimeoutMs: 60_000,
    bufferBytes: 1_000_000,
  })
})
afterEach(async () => {
  await producer.disconnect({ timeoutMs: 0 })
  await cluster.close({ clients: 'may-stay' })
})

const send = (topic = 't', records = 1): Promise<unknown> => {
  const sent = producer.send({ topic, messages: Array.from({ length: records }, () => ({ value: 'x' })) })
  sent.catch(() => {})
  return sent
}

/** Waits until the report satisfies. */
const reports = (check: (health: ProducerHealth) => void): Promise<void> =>
  vi.waitFor(() => check(producer.health()), { timeout: 10_000, interval: 20 })

const topic = (leader = 0): void => {
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  cluster.moveLeader('t', 0, leader)
}

test('follows the producer from connect to disconnect', async () => {
  topic()
  expect(producer.health()).toMatchObject({ status: 'disconnected', healthy: false, brokersAnswer: false })
  const connected = producer.connect()
  expect(producer.health().status).toBe('connecting')
  await connected
  await send()
  expect(producer.health()).toEqual({
    status: 'connected',
    healthy: true,
    brokersAnswer: true,
    problems: [],
    brokers: [
      expect.objectContaining({
        broker: 0,
        host: '127.0.0.1',
        state: 'connected',
        answeredMsAgo: expect.any(Number),
      }),
      { broker: 1, host: '127.0.0.1', port: expect.any(Number), state: 'idle' },
    ],
    waits: [],
    waitCount: 0,
    buffer: { records: 0, bytes: 0, limitBytes: 1_000_000 },
    oldestRecordMs: 0,
  })
  await producer.disconnect()
  expect(producer.health()).toMatchObject({ status: 'disconnected', healthy: false, brokers: [], waits: [] })
})

describe('a wait', () => {
  test('for topics names each, with its records and the reason', async () => {
    await producer.connect()
    const waiting = [send('a', 2), send('b', 3)]
    await reports(({ waits }) => {
      expect(waits.map(({ topic: name, records }) => [name, records])).toEqual([
        ['a', 2],
        ['b', 3],
      ])
      for (const each of waits) {
        expect(each).toMatchObject({
          for: 'topic',
          reason: expect.stringContaining('UNKNOWN_TOPIC_OR_PARTITION'),
        })
        expect(each.remedy).not.toBe('')
      }
    })
    expect(producer.health()).toMatchObject({
      healthy: true,
      problems: [],
      buffer: { records: 5 },
      waitCount: 2,
    })
    for (const name of ['a', 'b']) cluster.createTopic(name)
    await Promise.all(waiting)
    expect(producer.health()).toMatchObject({ waits: [], oldestRecordMs: 0 })
  })

  test('of more than 5 s is a problem, in the words of the log', async () => {
    topic()
    await producer.connect()
    await send()
    cluster.moveLeader('t', 0, -1)
    const waiting = send()
    await reports(({ problems }) => {
      expect(problems).toEqual([
        expect.stringMatching(/^Still waiting for a leader of topic "t", partition 0 /),
      ])
    })
    expect(producer.health().healthy).toBe(false)
    cluster.moveLeader('t', 0, 0)
    await waiting
    expect(producer.health()).toMatchObject({ healthy: true, problems: [] })
  })

  test('for a retry has the broker’s words', async () => {
    topic()
    await producer.connect()
    await send()
    let few = true
    cluster.on('Produce', (request, next) => (few ? errorCode(19)(request, next) : next()), {
      times: Infinity,
    })
    const waiting = send('t', 4)
    await reports(({ waits }) =>
      expect(waits).toMatchObject([
        {
          for: 'retry',
          topic: 't',
          partition: 0,
          records: 4,
          reason: expect.stringContaining('broker 0 answered NOT_ENOUGH_REPLICAS'),
          remedy: expect.stringContaining('min.insync.replicas'),
        },
      ]),
    )
    few = false
    await waiting
  })

  test('leaves the report bounded, however many topics there are', async () => {
    await producer.connect()
    for (let i = 0; i < 300; i++) send(`missing-${i}`)
    await reports(({ waitCount }) => expect(waitCount).toBe(300))
    const { waits } = producer.health()
    expect(waits).toHaveLength(100)
    expect(waits[0]!.topic).toBe('missing-0')
  })
})

describe('a broker', () => {
  test('that cannot be reached is told with the error, and others are not', async () => {
    topic(1)
    await producer.connect()
    await send()
    await cluster.stopBroker(1)
    cluster.moveLeader('t', 0, 1)
    const waiting = send()
    await reports(({ brokers }) =>
      expect(brokers.find(({ broker }) => broker === 1)).toMatchObject({
        state: 'unreachable',
        forMs: expect.any(Number),
        reason: expect.stringContaining('ECONNREFUSED'),
      }),
    )
    expect(producer.health().brokers.find(({ broker }) => broker === 0)).not.toHaveProperty('reason')
    expect(producer.health()).toMatchObject({ brokersAnswer: true })
    await cluster.startBroker(1)
    await waiting
    await reports(({ brokers }) =>
      expect(brokers.find(({ broker }) => broker === 1)).toMatchObject({ state: 'connected' }),
    )
  })

  test('that answers nothing is silent', async () => {
    topic()
    await producer.connect()
    await send()
    cluster.on('Produce', hang, { times: Infinity })
    send()
    await reports(({ brokers }) =>
      expect(brokers.find(({ broker }) => broker === 0)).toMatchObject({ state: 'silent' }),
    )
  })

  test('none of which answers is said with the reason, and since when', async () => {
    await producer.connect()
    for (const node of [0, 1]) await cluster.stopBroker(node)
    send('missing')
    await reports(health =>
      expect(health).toMatchObject({
        healthy: false,
        brokersAnswer: false,
        notAnsweringForMs: expect.any(Number),
        notAnsweringReason: expect.stringContaining('ECONNREFUSED'),
      }),
    )
    for (const node of [0, 1]) await cluster.startBroker(node)
    await reports(health => expect(health.brokersAnswer).toBe(true))
  })
})

test('is plain data, made without prom-client and without asking anybody', async () => {
  topic()
  await producer.connect()
  await send()
  const asked = cluster.journal.entries.length
  const health = producer.health()
  expect(JSON.parse(JSON.stringify(health))).toEqual(health)
  for (let i = 0; i < 100; i++) producer.health()
  expect(cluster.journal.entries.length).toBe(asked)
})
