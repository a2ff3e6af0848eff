import { ERROR } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { CONFIG_RESOURCE, describeConfigsApi } from '../../src/protocol/messages/describeConfigs.js'
import { initProducerIdApi } from '../../src/protocol/messages/initProducerId.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { batch, sequenced } from '../testing/support/batches.js'
import { produce } from '../testing/support/produce.js'
import { RawCluster } from '../testing/support/rawCluster.js'
import { MAX_MESSAGE_BYTES, refusedBatches } from '../testing/support/refusedBatches.js'
import { refusedTopics, spec } from '../testing/support/refusedTopics.js'
import { sequenceCases } from '../testing/support/sequenceCases.js'
import { forEachBroker, uniqueTopic } from './suite.js'

/** What the embedded cluster answers is what a real broker of Kafka 4 answers: the same raw requests to both. */
forEachBroker('a broker', { real: { brokers: 2 }, since: '4.0' }, broker => {
  let raw: RawCluster

  beforeAll(async () => {
    raw = await RawCluster.connect(broker.bootstrap)
  })
  afterEach(() => raw.closeOthers())
  afterAll(() => raw.close())

  const lead = (configs?: Record<string, string>) => raw.lead(uniqueTopic('parity'), configs)

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
      const nodes = (await raw.ask(topic)).brokers.map(({ nodeId }) => nodeId).sort()
      const assignments = nodes.map((node, partitionIndex) => ({ partitionIndex, brokerIds: [node] }))
      expect(await raw.create([spec(topic, { ...placed, assignments })])).toMatchObject([{ errorCode: 0 }])
      let seen = await raw.ask(topic)
      while (seen.topic.partitions.length < 2) seen = await raw.ask(topic)
      const own = raw.client
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

  test('takes records for a topic by its id, and none for one that had its name', async ({ skip }) => {
    const { apiKeys } = (await raw.client.call(apiVersionsApi, 0, {}))!
    const spoken = apiKeys.find(({ apiKey }) => apiKey === produceApi.key)!.maxVersion
    skip(spoken < 13, 'brokers before Kafka 4.1 take no topic ids')
    const { topic, leader } = await lead()
    const { topicId } = (await raw.ask(topic)).topic
    const byId = (id: string, partition = 0) =>
      produce(leader, batch(), { topicId: id, partition, version: 13 })
    const codes = [
      (await byId(topicId)).errorCode,
      (await byId(topicId, 5)).errorCode,
      (await byId('ab'.repeat(16))).errorCode,
    ]
    expect(codes).toEqual([0, ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.UNKNOWN_TOPIC_ID])
    expect(await raw.delete(topic)).toMatchObject({ errorCode: 0 })
    // The name is free a moment later.
    while ((await raw.create([spec(topic)]))[0]!.errorCode !== 0);
    let again = await raw.ask(topic, leader)
    while (again.topic.errorCode !== 0 || again.topic.topicId === topicId)
      again = await raw.ask(topic, leader)
    expect(await byId(topicId)).toMatchObject({ errorCode: ERROR.UNKNOWN_TOPIC_ID, baseOffset: -1n })
  })

  describe('refuses to create', () => {
    beforeAll(async () => {
      await raw.create([spec('there'), spec('a_b')])
    })

    test.each(refusedTopics)('%s, in these words', async (_name, wrong, errorCode, errorMessage) => {
      for (const validateOnly of [true, false]) {
        // Kafka 4.3 has added words.
        const words = broker.isOlderThan('4.3')
          ? errorMessage.replace(/ or some brokers have .* cordoned/, '')
          : errorMessage
        expect(await raw.create([wrong], validateOnly)).toMatchObject([{ errorCode, errorMessage: words }])
      }
    })

    test('a name that stands twice, and more than 10,000 partitions at once', async () => {
      const [once, twice] = [uniqueTopic('once'), uniqueTopic('twice')]
      const answers = await raw.create([spec(twice), spec(once), spec(twice)], true)
      expect(answers.map(({ name, errorCode }) => [name, errorCode]).sort()).toEqual(
        [[once, 0], ...new Array(answers.length - 1).fill([twice, ERROR.INVALID_REQUEST])].sort(),
      )
      const many = await raw.create([spec(once, { numPartitions: 9_999 }), spec(twice, { numPartitions: 2 })])
      expect(many.map(({ errorCode }) => errorCode)).toEqual([ERROR.POLICY_VIOLATION, ERROR.POLICY_VIOLATION])
    })

    test('by metadata what collides: it stays unknown', async () => {
      for (let i = 0; i < 3; i++) {
        expect((await raw.ask('a.b', undefined, true)).topic.errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
      }
    })

    test.each(['', '.', 'a b', 'x'.repeat(250)])('by metadata the name %j', async name => {
      for (const flag of [true, false]) {
        expect((await raw.ask(name, undefined, flag)).topic.errorCode).toBe(ERROR.INVALID_TOPIC_EXCEPTION)
      }
    })
  })

  test('describes its own settings, not another’s, and nothing for an empty name', async () => {
    const describeBroker = async (resourceName: string) => {
      const response = await raw.client.call(describeConfigsApi, 4, {
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
    const nodes = (await raw.ask('none')).brokers.map(({ nodeId }) => nodeId)
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
      (await raw.client.call(initProducerIdApi, 4, {
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
})
