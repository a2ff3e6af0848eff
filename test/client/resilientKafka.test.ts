import { connect } from 'node:net'
import kafkajs, { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  InvalidOptionsError,
  ResilientKafka,
  type ResilientKafkaOptions,
  UnknownTopicError,
} from 'kafkajs-resilient-producer'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { consume, failureOf, Place } from './support/client.js'

const NEVER = { create: 'never', waitForMs: 0 } as const
const unreachable = { brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING }

afterEach(() => vi.unstubAllEnvs())

describe('ResilientKafka', () => {
  test('is a Kafka, with kafkajs’s logger', () => {
    const lines: string[] = []
    const kafka = new ResilientKafka({
      ...unreachable,
      logLevel: logLevel.INFO,
      logCreator:
        level =>
        ({ namespace, log }) =>
          void lines.push(`${level} ${namespace} ${log.message}`),
    })
    expect(kafka).toBeInstanceOf(Kafka)
    expect(kafka).toBeInstanceOf(ResilientKafka)
    kafka.logger().info('a')
    kafka.producer().logger().info('b')
    kafka.consumer({ groupId: 'g' }).logger().info('c')
    kafka.admin().logger().info('d')
    expect(lines).toEqual(['4 undefined a', '4 Producer b', '4 Consumer c', '4 Admin d'])
  })

  test('checks its options at once, and those of each producer', () => {
    const make = () => new ResilientKafka(unreachable, { lingerMs: -1, topics: { create: 'no' } } as never)
    expect(make).toThrow(InvalidOptionsError)
    expect(make).toThrow(/lingerMs[\s\S]*topics\.create/)
    const kafka = new ResilientKafka(unreachable)
    expect(() => kafka.producer({}, { lingerMs: -1 })).toThrow(InvalidOptionsError)
    expect(() => kafka.producer({ maxInFlightRequests: 0 })).toThrow(/maxInFlightPerBroker/)
    expect(() => kafka.producer({ idempotent: true, retry: { retries: 0 } })).toThrow(
      'Idempotent producer must allow retries to protect against transient errors',
    )
    expect(() => kafka.consumer(undefined as never)).toThrow('Consumer groupId must be a non-empty string.')
  })

  test('says when options of ours stand in the place of kafkajs’s', () => {
    const lines: string[] = []
    const logCreator = () => (entry: kafkajs.LogEntry) => void lines.push(entry.log.message)
    const kafka = new ResilientKafka({ ...unreachable, logLevel: logLevel.WARN, logCreator })
    kafka.producer({ idempotent: false, retry: {}, acks: 1, topics: NEVER, whatever: 1 } as never)
    expect(lines).toEqual([
      "producer() ignores acks, topics, no field of kafkajs's ProducerConfig: give it as the second argument.",
    ])
  })

  test('refuses an environment that says no policy, where the options say none either', () => {
    vi.stubEnv('RESILIENT_KAFKA_TOPICS', 'off')
    expect(() => new ResilientKafka(unreachable)).toThrow(/RESILIENT_KAFKA_TOPICS .* "off"/)
    expect(() => createResilientProducer(new Kafka(unreachable))).toThrow(/RESILIENT_KAFKA_TOPICS/)
    expect(() => new ResilientKafka(unreachable, { topics: NEVER })).not.toThrow()
    expect(() => createResilientProducer(new Kafka(unreachable), { topics: NEVER })).not.toThrow()
  })
})

describe('one policy', () => {
  const place = Place.forEachTest()
  const sendTo = async (kafka: Kafka, topic: string, make = (each: Kafka) => each.producer()) => {
    const producer = place.ends(make(kafka))
    await producer.connect()
    return producer.send({ topic, messages: [{ value: 'x' }] })
  }

  test('is the environment’s for producer and consumer, as it was when the Kafka was made', async () => {
    vi.stubEnv('RESILIENT_KAFKA_TOPICS', 'never')
    const kafka = place.kafka({ topics: { waitForMs: 0 } })
    vi.stubEnv('RESILIENT_KAFKA_TOPICS', 'broker')
    expect(await failureOf(sendTo(kafka, 'a'))).toBeInstanceOf(UnknownTopicError)
    const consumer = place.ends(kafka.consumer({ groupId: 'g' }))
    expect(await failureOf(consumer.subscribe({ topic: 'a' }))).toBeInstanceOf(UnknownTopicError)
    expect(place.cluster.topics).toEqual([])
    // What is made later goes by what is said then.
    await sendTo(place.kafka(), 'b')
    expect(place.cluster.topics).toEqual(['b'])
  })

  test('is the environment’s for the producer of a plain Kafka too', async () => {
    vi.stubEnv('RESILIENT_KAFKA_TOPICS', 'never')
    const plain = new Kafka({ brokers: place.cluster.bootstrap, logLevel: logLevel.NOTHING })
    const producer = createResilientProducer(plain, { topics: { waitForMs: 0 } })
    expect(await failureOf(sendTo(plain, 'a', () => producer))).toBeInstanceOf(UnknownTopicError)
  })

  test('is that of the options before the environment’s', async () => {
    vi.stubEnv('RESILIENT_KAFKA_TOPICS', 'never')
    await sendTo(place.kafka({ topics: { create: 'admin', partitions: 3 } }), 'a')
    expect(place.cluster.leaderOf('a', 2)).toBe(0)
    expect(place.allowed).toEqual([])
  })

  test.each<[string, (kafka: Kafka) => kafkajs.Producer]>([
    ['by its own method', kafka => kafka.producer()],
    ['by createResilientProducer', kafka => createResilientProducer(kafka)],
    ['behind a Proxy', kafka => createResilientProducer(new Proxy(kafka, {}))],
    ['behind a Proxy, by its own method', kafka => new Proxy(kafka, {}).producer()],
  ])('holds for a producer made %s', async (_, make) => {
    const error = await failureOf(sendTo(place.kafka({ topics: NEVER }), 'a', make))
    expect(error).toBeInstanceOf(UnknownTopicError)
    expect(place.allowed).toEqual([])
  })

  test('gives way to allowAutoTopicCreation, of a producer and of a consumer', async () => {
    const never = place.kafka({ topics: NEVER })
    await sendTo(never, 'a', kafka => kafka.producer({ allowAutoTopicCreation: true }))
    const creating = place.ends(never.consumer({ groupId: 'g', allowAutoTopicCreation: true }))
    await creating.subscribe({ topic: 'b' })
    const broker = place.kafka({ topics: { waitForMs: 0 } })
    const missing = await failureOf(
      sendTo(broker, 'c', kafka => kafka.producer({ allowAutoTopicCreation: false })),
    )
    expect(missing).toBeInstanceOf(UnknownTopicError)
    const waiting = place.ends(broker.consumer({ groupId: 'g', allowAutoTopicCreation: false }))
    expect(await failureOf(waiting.subscribe({ topic: 'd' }))).toBeInstanceOf(UnknownTopicError)
    expect(place.cluster.topics).toEqual(['a', 'b'])
  })
})

describe('retry', () => {
  const attemptsOf = async (kafka: Kafka, options?: ResilientKafkaOptions): Promise<unknown> => {
    const error = await failureOf(createResilientProducer(kafka, options).connect())
    return (error as { attempts?: number }).attempts
  }
  const config = { ...unreachable, retry: { retries: 0 } }

  test('of a KafkaConfig bounds the connecting of its producers, also of a plain Kafka’s', async () => {
    expect(await attemptsOf(new Kafka(config))).toBe(1)
    expect(await attemptsOf(new ResilientKafka(config))).toBe(1)
    expect(await attemptsOf(new Kafka(config), { metadataRetry: { retries: 1, minTimeoutMs: 1 } })).toBe(2)
  })

  test('of a ProducerConfig stands above it', async () => {
    const kafka = new ResilientKafka(config, { metadataRetry: { minTimeoutMs: 1, maxTimeoutMs: 1 } })
    const producer = kafka.producer({ retry: { retries: 2, initialRetryTime: 20, multiplier: 1 } })
    const error = await failureOf(producer.connect())
    expect((error as { attempts?: number }).attempts).toBeGreaterThan(1)
  })
})

describe('what kafkajs lets one bring', () => {
  const place = Place.forEachTest({ brokers: 2, listeners: { sasl: { users: { alice: 'secret' } } } })
  const plain = { mechanism: 'plain', username: 'alice', password: 'secret' } as const

  /** Every kind of client of a Kafka does its work. */
  const useAll = async (config: Partial<KafkaConfig>): Promise<void> => {
    const kafka = place.kafka({}, config)
    const producer = place.ends(kafka.producer())
    await producer.connect()
    await producer.send({ topic: 'a', messages: [{ value: 'x' }] })
    const admin = place.ends(kafka.admin())
    await admin.connect()
    expect(await admin.listTopics()).toEqual(['a'])
    const consumer = place.ends(kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 100 }))
    await consumer.connect()
    await consumer.subscribe({ topic: 'a', fromBeginning: true })
    expect(await consume(consumer, 1)).toEqual(['x'])
  }

  test('a socket factory makes every socket', async () => {
    let sockets = 0
    await useAll({
      sasl: plain,
      socketFactory: ({ host, port, onConnect }) => {
        sockets++
        return connect({ host, port }, onConnect)
      },
    })
    const connections = new Set(place.cluster.journal.entries.map(({ connectionId }) => connectionId))
    expect(sockets).toBe(connections.size)
  })

  test('a SASL mechanism of one’s own authenticates every connection', async () => {
    let times = 0
    await useAll({
      sasl: {
        mechanism: 'PLAIN',
        authenticationProvider: ({ saslAuthenticate }) => ({
          authenticate: async () => {
            times++
            await saslAuthenticate({
              request: {
                encode: () => {
                  const text = Buffer.from('\0alice\0secret')
                  const size = Buffer.alloc(4)
                  size.writeInt32BE(text.length)
                  return Buffer.concat([size, text])
                },
              },
            })
          },
        }),
      },
    })
    expect(times).toBe(place.cluster.journal.of('SaslAuthenticate').length)
    expect(times).toBeGreaterThan(3)
  })

  test('a function of brokers is asked by each kind of client', async () => {
    const asked = vi.fn(async () => place.cluster.bootstrap)
    await useAll({ sasl: plain, brokers: asked })
    expect(asked.mock.calls.length).toBeGreaterThanOrEqual(3)
  })

  test('a log creator gets every line, of all of them', async () => {
    const namespaces = new Set<string>()
    const logCreator =
      () =>
      ({ namespace }: kafkajs.LogEntry) =>
        void namespaces.add(namespace)
    await useAll({ sasl: plain, logLevel: logLevel.DEBUG, logCreator })
    expect([...namespaces]).toEqual(
      expect.arrayContaining(['Producer', 'ConsumerGroup', 'Cluster', 'Connection']),
    )
  })
})
