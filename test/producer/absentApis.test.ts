import {
  IdempotenceRefusedError,
  ProducerIdUnavailableError,
  TransactionRefusedError,
  UnsupportedApiError,
} from 'kafkajs-resilient-producer'
import { type ApiName, dropBeforeApply, ERROR, errorCode, hang } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, World } from '../delivery/support/world.js'
import { TX } from './transactions/support.js'

let world: World
afterEach(() => world.end())

const RETRY = { metadataRetry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 } }

const warnings = () => world.log.filter(({ level }) => level === 'WARN').map(({ message }) => message)

const sendTo = async (producer: Awaited<ReturnType<World['connect']>>) => {
  await producer.send({ topic: TOPIC, messages: [{ value: 'a' }] })
  expect(world.stored()).toContain('a')
}

describe('brokers without InitProducerId', () => {
  test('are sent to without idempotence, with one warning', async () => {
    world = await World.start({ maxVersions: { InitProducerId: 'none' } })
    world.topic()
    const producer = await world.connect()
    await sendTo(producer)
    await sendTo(producer)
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^The producer continues without idempotence: .*does not have InitProducerId.*idempotent: false/,
      ),
    ])
    expect(world.sent().every(({ producerId }) => producerId === -1)).toBe(true)
  })

  test('are sent to in silence where that was asked for', async () => {
    world = await World.start({ maxVersions: { InitProducerId: 'none' } })
    world.topic()
    await sendTo(await world.connect({ idempotent: false }))
    expect(warnings()).toEqual([])
  })

  test('refuse a producer that has to be idempotent, with a typed error that names the remedy', async () => {
    world = await World.start({ maxVersions: { InitProducerId: 'none' } })
    const error = await world.connect({ idempotent: true }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(IdempotenceRefusedError)
    expect(error).toMatchObject({
      code: ERROR.UNSUPPORTED_VERSION,
      message: expect.stringMatching(/does not have InitProducerId.*idempotent: false/),
      cause: expect.any(UnsupportedApiError),
    })
  })
})

describe.each([
  ['UNKNOWN_SERVER_ERROR', errorCode(ERROR.UNKNOWN_SERVER_ERROR)],
  ['COORDINATOR_NOT_AVAILABLE', errorCode(ERROR.COORDINATOR_NOT_AVAILABLE)],
  ['COORDINATOR_LOAD_IN_PROGRESS', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS)],
  ['the end of the connection', dropBeforeApply],
  ['nothing', hang],
] as const)('an InitProducerId that is always answered with %s', (_, fault) => {
  const options = { ...RETRY, ...(fault === hang ? { metadataRequestTimeoutMs: 300 } : {}) }

  test('is retried, then done without, with one warning', async () => {
    world = await World.start()
    world.topic()
    world.cluster.on('InitProducerId', fault, { times: Infinity })
    await sendTo(await world.connect(options))
    expect(world.cluster.journal.of('InitProducerId').length).toBeGreaterThan(1)
    expect(warnings()).toEqual([
      expect.stringMatching(/^The producer continues without idempotence: .*3 attempts.*idempotent: false/),
    ])
  })

  test('ends connect() with a typed error where the producer has to be idempotent', async () => {
    world = await World.start()
    world.cluster.on('InitProducerId', fault, { times: Infinity })
    const error = await world.connect({ ...options, idempotent: true }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ProducerIdUnavailableError)
    expect(error).toMatchObject({ attempts: 3, message: expect.stringContaining('idempotent: false') })
  })
})

test('an InitProducerId that is refused for a while gives an id in the end', async () => {
  world = await World.start()
  world.topic()
  world.cluster.on('InitProducerId', errorCode(ERROR.UNKNOWN_SERVER_ERROR), { times: 2 })
  await sendTo(await world.connect(RETRY))
  expect(warnings()).toEqual([])
  expect(world.sent()[0]?.producerId).toBeGreaterThan(0)
})

test('what InitProducerId was answered with is said', async () => {
  world = await World.start()
  world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_NOT_AVAILABLE), { times: Infinity })
  const error = await world.connect({ ...RETRY, idempotent: true }).catch((e: unknown) => e)
  expect(error).toMatchObject({
    message: expect.stringContaining('InitProducerId was answered with COORDINATOR_NOT_AVAILABLE'),
    cause: { type: 'COORDINATOR_NOT_AVAILABLE', code: ERROR.COORDINATOR_NOT_AVAILABLE },
  })
})

test('brokers that answer nothing else either are not gone on without idempotence', async () => {
  world = await World.start()
  world.cluster.on(
    'InitProducerId',
    async request => {
      world.cluster.on('Metadata', dropBeforeApply, { times: Infinity })
      request.drop()
      return null
    },
    { times: Infinity },
  )
  const error = await world.connect(RETRY).catch((e: unknown) => e)
  expect(error).toMatchObject({ name: 'BrokersUnreachableError' })
  expect(warnings()).toEqual([])
})

test('a producer that goes on without an id does not wait for one', async () => {
  world = await World.withClock({ maxVersions: { InitProducerId: 'none' } })
  world.topic()
  await sendTo(await world.connect())
  await pass(60_000)
  expect(warnings()).toEqual([expect.stringMatching(/^The producer continues without idempotence/)])
})

describe('brokers that are too old', () => {
  test.each([
    ['Kafka 0.10', { Produce: 2, Metadata: 2, InitProducerId: 'none' }, 'Produce'],
    ['a Produce of 0.10 alone', { Produce: 2 }, 'Produce'],
    ['a Metadata of 0.10 alone', { Metadata: 3 }, 'Metadata'],
  ] as const)('%s: connect() says so at once', async (_, maxVersions, apiName) => {
    world = await World.start({ maxVersions })
    const error = await world.connect().catch((e: unknown) => e)
    expect(error).toBeInstanceOf(UnsupportedApiError)
    expect(error).toMatchObject({ apiName, retriable: false, message: expect.stringContaining('Kafka 0.11') })
  })
})

describe('a transaction', () => {
  type Producer = Awaited<ReturnType<World['connect']>>
  const part: Record<'send' | 'sendOffsets' | 'commit', (producer: Producer) => Promise<unknown>> = {
    send: producer =>
      producer.transaction().then(tx => tx.send({ topic: TOPIC, messages: [{ value: 'x' }] })),
    sendOffsets: producer =>
      producer.transaction().then(tx =>
        tx.sendOffsets({
          consumerGroupId: 'g',
          topics: [{ topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] }],
        }),
      ),
    commit: async producer => {
      const tx = await producer.transaction()
      await tx.send({ topic: TOPIC, messages: [{ value: 'x' }] })
      await tx.commit()
    },
  }

  test.each([
    ['FindCoordinator', 'connect'],
    ['InitProducerId', 'connect'],
    ['AddPartitionsToTxn', 'send'],
    ['AddOffsetsToTxn', 'sendOffsets'],
    ['TxnOffsetCommit', 'sendOffsets'],
    ['EndTxn', 'commit'],
  ] as const)('without %s ends its %s with the API and the remedy', async (api, step) => {
    world = await World.start({ maxVersions: { [api]: 'none' } as Partial<Record<ApiName, 'none'>> })
    world.topic()
    const connected = world.connect({ ...TX, idempotent: true })
    const error = await (step === 'connect' ? connected : connected.then(part[step])).catch((e: unknown) => e)
    expect(error).toMatchObject({ message: expect.stringContaining(`does not have ${api}`) })
    if (api !== 'InitProducerId') {
      expect(error).toBeInstanceOf(TransactionRefusedError)
      expect(error).toMatchObject({ message: expect.stringContaining('remove transactionalId') })
    }
  })

  test('offsets of a topic that does not exist end soon, with that reason', async () => {
    world = await World.start()
    world.topic()
    const producer = await world.connect(TX)
    const transaction = await producer.transaction()
    const error = await transaction
      .sendOffsets({
        consumerGroupId: 'g',
        topics: [
          { topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] },
          { topic: 'no-such', partitions: [{ partition: 0, offset: '1' }] },
        ],
      })
      .catch((e: unknown) => e)
    expect(error).toMatchObject({
      name: 'OffsetsRefusedError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'no-such',
      partition: 0,
    })
    const asked = world.cluster.journal.of('TxnOffsetCommit')
    expect(asked.length).toBeLessThanOrEqual(25)
    // What was taken is not asked for again.
    expect(asked.at(-1)?.topics).toEqual(['no-such'])
    await transaction.abort()
  })
})

test('a broker that refuses ApiVersions in every version is named, with the remedy, at once', async () => {
  world = await World.start()
  world.cluster.on('ApiVersions', errorCode(ERROR.UNSUPPORTED_VERSION), { times: Infinity })
  const producer = world.producer()
  const error = await producer.connect().catch((e: unknown) => e)
  expect(error).toBeInstanceOf(UnsupportedApiError)
  expect(error).toMatchObject({
    retriable: false,
    message: `The broker ${world.cluster.bootstrap[0]} does not have ApiVersions. This producer needs Kafka 0.11 or newer: use newer brokers.`,
  })
})

describe('topics by admin', () => {
  const options = { topics: { create: 'admin' } } as const

  test('without CreateTopics end with the topic and the remedy', async () => {
    world = await World.start({ maxVersions: { CreateTopics: 'none' } })
    const producer = await world.connect(options)
    const error = await producer.send({ topic: 'new', messages: [{ value: 'a' }] }).catch((e: unknown) => e)
    expect(error).toMatchObject({
      name: 'TopicCreationError',
      topic: 'new',
      outcome: 'not-written',
      type: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining("create: 'broker'"),
    })
  })

  test('without the broker’s counts, before Kafka 2.4, say to give them', async () => {
    world = await World.start({ version: '2.3' })
    const producer = await world.connect(options)
    const error = await producer.send({ topic: 'new', messages: [{ value: 'a' }] }).catch((e: unknown) => e)
    expect(error).toMatchObject({
      topic: 'new',
      outcome: 'not-written',
      message: expect.stringMatching(/Kafka before 2\.4.*topics/),
    })
  })
})

describe('optional APIs', () => {
  test.each([
    'DescribeConfigs',
    'CreateTopics',
    'DescribeCluster',
    'OffsetForLeaderEpoch',
    'IncrementalAlterConfigs',
    'DescribeQuorum',
    'FindCoordinator',
    'AddPartitionsToTxn',
    'EndTxn',
  ] as const)('without %s new topics are sent to, in silence', async api => {
    world = await World.start({
      autoCreate: {},
      maxVersions: { [api]: 'none' } as Partial<Record<ApiName, 'none'>>,
    })
    const producer = await world.connect()
    await producer.send({ topic: 'new', messages: [{ value: 'a' }] })
    expect(world.stored(0, 'new')).toEqual(['a'])
    expect(warnings()).toEqual([])
  })

  test.each([
    ['UNSUPPORTED_VERSION', errorCode(ERROR.UNSUPPORTED_VERSION)],
    ['SASL_AUTHENTICATION_FAILED', errorCode(ERROR.SASL_AUTHENTICATION_FAILED)],
    ['CLUSTER_AUTHORIZATION_FAILED', errorCode(ERROR.CLUSTER_AUTHORIZATION_FAILED)],
    ['the end of the connection', dropBeforeApply],
  ] as const)(
    'a DescribeConfigs and a CreateTopics that are answered with %s keep no topic back',
    async (_, fault) => {
      world = await World.start({ autoCreate: { createdAfter: 4 } })
      world.cluster.on('DescribeConfigs', fault, { times: Infinity })
      world.cluster.on('CreateTopics', fault, { times: Infinity })
      const producer = await world.connect()
      await producer.send({ topic: 'new', messages: [{ value: 'a' }] })
      expect(world.stored(0, 'new')).toEqual(['a'])
    },
  )
})
