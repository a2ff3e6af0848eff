import { ERROR } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addPartitionsToTxnApi } from '../../src/protocol/messages/addPartitionsToTxn.js'
import { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import { CONFIG_RESOURCE, describeConfigsApi } from '../../src/protocol/messages/describeConfigs.js'
import { endTxnApi } from '../../src/protocol/messages/endTxn.js'
import { findCoordinatorApi } from '../../src/protocol/messages/findCoordinator.js'
import { initProducerIdApi } from '../../src/protocol/messages/initProducerId.js'
import { LIST_OFFSETS_TIMESTAMP, listOffsetsApi } from '../../src/protocol/messages/listOffsets.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { batch, sequenced } from '../testing/support/batches.js'
import { produce } from '../testing/support/produce.js'
import { RawClient } from '../testing/support/rawClient.js'
import { MAX_MESSAGE_BYTES, refusedBatches } from '../testing/support/refusedBatches.js'
import { refusedTopics, spec, type TopicSpec } from '../testing/support/refusedTopics.js'
import { sequenceCases } from '../testing/support/sequenceCases.js'
import { forEachBroker, uniqueTopic } from './suite.js'

/** What the embedded cluster answers is what a real broker answers: the same raw requests to both. */
forEachBroker('a broker', { real: { brokers: 2 } }, broker => {
  const clients: RawClient[] = []
  let client: RawClient

  const connect = async (address: string): Promise<RawClient> => {
    const made = await RawClient.connect(address)
    clients.push(made)
    return made
  }

  beforeAll(async () => {
    client = await RawClient.connect(broker.bootstrap[0]!)
  })

  afterEach(async () => {
    for (const each of clients.splice(0)) await each.close()
  })

  afterAll(() => client.close())

  const create = async (topics: TopicSpec[], validateOnly = false) =>
    (await client.call(createTopicsApi, 7, { topics, timeoutMs: 5000, validateOnly }))!.topics

  const ask = async (name: string, through: RawClient, create_ = false) => {
    const response = await through.call(metadataApi, 9, {
      topics: [{ name }],
      allowAutoTopicCreation: create_,
    })
    return { brokers: response!.brokers, topic: response!.topics[0]! }
  }

  const endOf = async (name: string, through: RawClient) => {
    const partitions = [{ partitionIndex: 0, timestamp: LIST_OFFSETS_TIMESTAMP.latest }]
    const response = await through.call(listOffsetsApi, 4, { replicaId: -1, topics: [{ name, partitions }] })
    return response!.topics[0]!.partitions[0]!
  }

  /** Makes a topic of one partition and connects to its leader, once that one knows. */
  const lead = async (
    configs: Record<string, string> = {},
  ): Promise<{ topic: string; leader: RawClient }> => {
    const topic = uniqueTopic('parity')
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    expect(await create([spec(topic, { configs: entries })])).toMatchObject([{ errorCode: 0 }])
    for (;;) {
      const seen = await ask(topic, client)
      const partition = seen.topic.partitions[0]
      const address = seen.brokers.find(({ nodeId }) => nodeId === partition?.leaderId)
      if (!address) continue
      const leader = await connect(`${address.host}:${address.port}`)
      // Its own view may be behind: only a leader that knows it is one tells the end of its log.
      while ((await endOf(topic, leader)).errorCode !== 0);
      return { topic, leader }
    }
  }

  describe('checks the sequences of producers:', () => {
    test.each(sequenceCases)('%s', async (_name, steps) => {
      const { topic, leader } = await lead()
      const answers: unknown[] = []
      for (const [[sequence, count, epoch]] of steps) {
        const { errorCode, baseOffset } = await produce(leader, sequenced(sequence, count, epoch), { topic })
        answers.push([errorCode, Number(baseOffset)])
      }
      expect(answers).toEqual(steps.map(([, errorCode, baseOffset]) => [errorCode, baseOffset ?? -1]))
    })
  })

  describe('refuses', () => {
    test.each(refusedBatches)('%s', async (_name, records, errorCode) => {
      const { topic, leader } = await lead({ 'max.message.bytes': `${MAX_MESSAGE_BYTES}` })
      expect((await produce(leader, records, { topic })).errorCode).toBe(errorCode)
    })

    test('zstd before version 7, acks that are none, and partitions that are none', async () => {
      const { topic, leader } = await lead()
      const codes = [
        await produce(leader, batch({ attributes: 4 }), { topic, version: 6 }),
        await produce(leader, batch(), { topic, acks: 2 }),
        await produce(leader, batch(), { topic, partition: 5 }),
        await produce(leader, batch(), { topic: uniqueTopic('none') }),
      ].map(({ errorCode }) => errorCode)
      expect(codes).toEqual([
        ERROR.UNSUPPORTED_COMPRESSION_TYPE,
        ERROR.INVALID_REQUIRED_ACKS,
        ERROR.UNKNOWN_TOPIC_OR_PARTITION,
        ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      ])
    })

    test('records from the future, by their index', async () => {
      const { topic, leader } = await lead({ 'message.timestamp.after.max.ms': '1000' })
      const now = Date.now()
      const timestamps = [now, now + 7_200_000, now]
      const answer = await produce(leader, batch({ values: ['a', 'b', 'c'], timestamps }), { topic })
      expect(answer.errorCode).toBe(ERROR.INVALID_TIMESTAMP)
      expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
    })

    test('a leader of another broker, with a hint from version 10 on', async () => {
      const topic = uniqueTopic('parity')
      const placed = { numPartitions: -1, replicationFactor: -1 }
      const nodes = (await ask(topic, client)).brokers.map(({ nodeId }) => nodeId).sort()
      const assignments = nodes.map((node, partitionIndex) => ({ partitionIndex, brokerIds: [node] }))
      expect(await create([spec(topic, { ...placed, assignments })])).toMatchObject([{ errorCode: 0 }])
      let seen = await ask(topic, client)
      while (seen.topic.partitions.length < 2) seen = await ask(topic, client)
      const own = client
      const hints: unknown[] = []
      for (const { partitionIndex, leaderId, leaderEpoch } of seen.topic.partitions) {
        const answer = await produce(own, batch(), { topic, partition: partitionIndex, version: 10 })
        if (answer.errorCode !== 0)
          hints.push([answer.errorCode, answer.currentLeader, { leaderId, leaderEpoch }])
      }
      expect(hints).toHaveLength(1)
      const [code, hint, expected] = hints[0] as [number, unknown, unknown]
      expect(code).toBe(ERROR.NOT_LEADER_OR_FOLLOWER)
      expect(hint).toEqual(expected)
    })
  })

  describe('refuses to create', () => {
    beforeAll(async () => {
      await create([spec('there'), spec('a_b')])
    })

    test.each(refusedTopics)('%s, in these words', async (_name, wrong, errorCode, errorMessage) => {
      for (const validateOnly of [true, false]) {
        expect(await create([wrong], validateOnly)).toMatchObject([{ errorCode, errorMessage }])
      }
    })

    test('a name that stands twice, and more than 10,000 partitions at once', async () => {
      const [once, twice] = [uniqueTopic('once'), uniqueTopic('twice')]
      const answers = await create([spec(twice), spec(once), spec(twice)], true)
      expect(answers.map(({ name, errorCode }) => [name, errorCode]).sort()).toEqual(
        [[once, 0], ...new Array(answers.length - 1).fill([twice, ERROR.INVALID_REQUEST])].sort(),
      )
      const many = await create([spec(once, { numPartitions: 9_999 }), spec(twice, { numPartitions: 2 })])
      expect(many.map(({ errorCode }) => errorCode)).toEqual([ERROR.POLICY_VIOLATION, ERROR.POLICY_VIOLATION])
    })

    test('by metadata what collides: it stays unknown', async () => {
      for (let i = 0; i < 3; i++) {
        expect((await ask('a.b', client, true)).topic.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
      }
    })

    test.each(['', '.', 'a b', 'x'.repeat(250)])('by metadata the name %j', async name => {
      for (const flag of [true, false]) {
        expect((await ask(name, client, flag)).topic.errorCode).toBe(ERROR.INVALID_TOPIC_EXCEPTION)
      }
    })
  })

  test('describes its own settings, not another’s, and nothing for an empty name', async () => {
    const describeBroker = async (resourceName: string) => {
      const response = await client.call(describeConfigsApi, 4, {
        resources: [
          {
            resourceType: CONFIG_RESOURCE.broker,
            resourceName,
            configurationKeys: ['auto.create.topics.enable'],
          },
        ],
      })
      const { errorCode, errorMessage, configs } = response!.results[0]!
      return [errorCode, errorMessage, configs.map(({ name, value }) => [name, value])]
    }
    const nodes = (await ask('none', client)).brokers.map(({ nodeId }) => nodeId)
    const answers = await Promise.all(nodes.map(node => describeBroker(`${node}`)))
    const own = answers.findIndex(([errorCode]) => errorCode === 0)
    const other = answers.findIndex(([errorCode]) => errorCode !== 0)
    expect(answers[own]?.[2]).toEqual([['auto.create.topics.enable', 'true']])
    expect(answers[other]).toEqual([
      ERROR.INVALID_REQUEST,
      `Unexpected broker id, expected ${nodes[own]} or empty string, but received ${nodes[other]}`,
      [],
    ])
    expect((await describeBroker(''))[0]).toBe(0)
    expect((await describeBroker(''))[2]).toEqual([])
  })

  test('gives an idempotent producer a new id each time, the one it has notwithstanding', async () => {
    const init = async (producerId: bigint, producerEpoch: number) =>
      (await client.call(initProducerIdApi, 4, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId,
        producerEpoch,
      }))!
    let first = await init(-1n, -1)
    while (first.errorCode === ERROR.COORDINATOR_LOAD_IN_PROGRESS) first = await init(-1n, -1)
    expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    const second = await init(-1n, -1)
    expect(second.producerId).not.toBe(first.producerId)
    const third = await init(first.producerId, first.producerEpoch)
    expect(third).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(third.producerId).not.toBe(first.producerId)
  })

  describe('coordinates transactions:', () => {
    const { NONE, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR } = ERROR
    const { CONCURRENT_TRANSACTIONS, UNKNOWN_TOPIC_OR_PARTITION } = ERROR
    const passing: number[] = [
      COORDINATOR_LOAD_IN_PROGRESS,
      COORDINATOR_NOT_AVAILABLE,
      NOT_COORDINATOR,
      CONCURRENT_TRANSACTIONS,
    ]

    /** Asks again while the coordinator is on its way, as clients do. */
    const settled = async <T>(call: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> => {
      for (;;) {
        const answer = await call()
        if (!passing.includes(codeOf(answer))) return answer
      }
    }

    const begin = async () => {
      const transactionalId = uniqueTopic('tx')
      const found = await settled(
        async () =>
          (await client.call(findCoordinatorApi, 4, { keyType: 1, coordinatorKeys: [transactionalId] }))!
            .coordinators[0]!,
        ({ errorCode }) => errorCode,
      )
      const coordinator = await connect(`${found.host}:${found.port}`)
      const init = () =>
        settled(
          async () =>
            (await coordinator.call(initProducerIdApi, 4, {
              transactionalId,
              transactionTimeoutMs: 60_000,
            }))!,
          ({ errorCode }) => errorCode,
        )
      const identify = async () => {
        const { producerId, producerEpoch, errorCode } = await init()
        expect(errorCode).toBe(NONE)
        return { transactionalId, producerId, producerEpoch }
      }
      type Producer = Awaited<ReturnType<typeof identify>>
      const add = async (producer: Producer, topic: string, partitions = [0], version = 3) => {
        const codes = await settled(
          async () => {
            const response = await coordinator.call(addPartitionsToTxnApi, version, {
              ...producer,
              topics: [{ name: topic, partitions }],
            })
            return response!.results[0]!.partitions.map(({ errorCode }) => errorCode)
          },
          ([errorCode]) => errorCode!,
        )
        return codes.sort()
      }
      const end = async (producer: Producer, committed: boolean, version = 3) =>
        settled(
          async () => (await coordinator.call(endTxnApi, version, { ...producer, committed }))!.errorCode,
          errorCode => errorCode,
        )
      return { identify, add, end }
    }

    const write = async (
      {
        transactionalId,
        producerId,
        producerEpoch,
      }: { transactionalId: string; producerId: bigint; producerEpoch: number },
      at: { topic: string; leader: RawClient },
      sequence: number,
      version = 11,
    ) => {
      const attributes = 0x10
      const records = batch({ producerId: Number(producerId), epoch: producerEpoch, sequence, attributes })
      return (await produce(at.leader, records, { topic: at.topic, version, transactionalId })).errorCode
    }

    test('partitions are added before their records', async () => {
      const at = await lead()
      const { identify, add, end } = await begin()
      const producer = await identify()
      const seen = [
        await write(producer, at, 0, 10),
        await write(producer, at, 0, 11),
        await add(producer, at.topic, [0, 9]),
        await add(producer, at.topic),
        await write(producer, at, 0),
        await end(producer, true),
        await end(producer, true),
        await end(producer, false),
      ]
      expect(seen).toEqual([
        ERROR.INVALID_TXN_STATE,
        ERROR.TRANSACTION_ABORTABLE,
        [UNKNOWN_TOPIC_OR_PARTITION, ERROR.OPERATION_NOT_ATTEMPTED],
        [NONE],
        NONE,
        NONE,
        NONE,
        ERROR.INVALID_TXN_STATE,
      ])
      expect(await endOf(at.topic, at.leader)).toMatchObject({ offset: 2n })
    })

    test('a successor fences its predecessor, whose transaction is aborted', async () => {
      const at = await lead()
      const { identify, add, end } = await begin()
      const old = await identify()
      await add(old, at.topic)
      await write(old, at, 0)
      const successor = await identify()
      expect(successor.producerId).toBe(old.producerId)
      expect(successor.producerEpoch).toBeGreaterThan(old.producerEpoch)
      expect(await endOf(at.topic, at.leader)).toMatchObject({ offset: 2n })
      const seen = [
        await write(old, at, 1),
        await add(old, at.topic),
        await add(old, at.topic, [0], 1),
        await end(old, true),
        await end(old, true, 1),
        await end({ ...old, producerId: 987_654n }, true),
        await add(successor, at.topic),
        await write(successor, at, 0),
        await end(successor, true),
      ]
      expect(seen).toEqual([
        ERROR.INVALID_PRODUCER_EPOCH,
        [ERROR.PRODUCER_FENCED],
        [ERROR.INVALID_PRODUCER_EPOCH],
        ERROR.PRODUCER_FENCED,
        ERROR.INVALID_PRODUCER_EPOCH,
        ERROR.INVALID_PRODUCER_ID_MAPPING,
        [NONE],
        NONE,
        NONE,
      ])
    })
  })
})
