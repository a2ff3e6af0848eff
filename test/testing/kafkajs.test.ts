import { ConfigResourceTypes, type Consumer, Kafka, logLevel } from 'kafkajs'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let cluster: EmbeddedKafka
let kafka: Kafka

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 3, autoCreate: { style: 'zk', partitions: 2 } })
  kafka = new Kafka({ clientId: 'tests', brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
})

afterEach(() => cluster.close())

const values = (topic: string) => cluster.records(topic).map(({ value }) => value?.toString())

/** Collects what a consumer gets, and resolves when there are so many. */
const collect = async (consumer: Consumer, count: number): Promise<string[]> => {
  const got: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message, partition }) => {
          got.push(`${partition}:${message.offset}:${message.value}`)
          if (got.length === count) resolve()
        },
      })
      .catch(reject)
  })
  return got
}

describe('an unmodified kafkajs producer', () => {
  test.each([
    ['plain', {}],
    ['idempotent', { idempotent: true, maxInFlightRequests: 1 }],
  ])('%s: writes keys, values and headers', async (_name, options) => {
    const producer = kafka.producer(options)
    await producer.connect()
    const first = await producer.send({
      topic: 'events',
      messages: [
        {
          key: 'k',
          value: 'one',
          headers: { a: 'b', list: ['x', 'y'] },
          partition: 1,
          timestamp: '1700000000000',
        },
        { value: null, partition: 1 },
      ],
    })
    const second = await producer.send({ topic: 'events', messages: [{ value: 'two', partition: 1 }] })
    await producer.disconnect()
    expect(first).toEqual([expect.objectContaining({ partition: 1, errorCode: 0, baseOffset: '0' })])
    expect(second).toEqual([expect.objectContaining({ partition: 1, errorCode: 0, baseOffset: '2' })])
    const records = cluster.records('events', 1)
    expect(records.map(({ offset, value }) => [offset, value?.toString()])).toEqual([
      [0, 'one'],
      [1, undefined],
      [2, 'two'],
    ])
    expect(records[0]).toMatchObject({ timestamp: 1700000000000, key: Buffer.from('k') })
    expect(records[0]?.headers.map(({ key, value }) => [key, value?.toString()])).toEqual([
      ['a', 'b'],
      ['list', 'x'],
      ['list', 'y'],
    ])
    expect(records.map(({ sequence }) => sequence)).toEqual(
      'idempotent' in options ? [0, 1, 2] : [-1, -1, -1],
    )
  })

  test('writes gzip, which is read back', async () => {
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'zipped', compression: 1, messages: [{ value: 'a'.repeat(1000) }] })
    await producer.disconnect()
    expect(values('zipped')).toEqual(['a'.repeat(1000)])
  })

  test('writes with acks 0, unanswered', async () => {
    cluster.createTopic('fast')
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'fast', acks: 0, messages: [{ value: 'x' }] })
    await cluster.journal.until(() => cluster.journal.of('Produce').some(({ answered }) => answered))
    await producer.disconnect()
    expect(values('fast')).toEqual(['x'])
    expect(cluster.journal.of('Produce').map(({ answered }) => answered?.outcome)).toEqual(['none'])
  })
})

describe('an unmodified kafkajs admin', () => {
  test('makes, changes, lists and deletes topics', async () => {
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({
      topics: [
        {
          topic: 'made',
          numPartitions: 3,
          replicationFactor: 2,
          configEntries: [{ name: 'retention.ms', value: '1000' }],
        },
      ],
    })
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 5 }] })
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: 'made',
          configEntries: [{ name: 'max.message.bytes', value: '2000' }],
        },
      ],
    })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: 'made',
          configNames: ['retention.ms', 'max.message.bytes'],
        },
      ],
    })
    expect(topics[0]?.partitions).toHaveLength(5)
    expect(topics[0]?.partitions.every(({ replicas }) => replicas.length === 2)).toBe(true)
    expect(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    ).toEqual([
      ['max.message.bytes', '2000'],
      ['retention.ms', '604800000'],
    ])
    expect(await admin.listTopics()).toEqual(['made'])
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).toEqual([])
    await admin.disconnect()
  })

  test('reads offsets, deletes records, describes the cluster and its groups', async () => {
    cluster.createTopic('t', { partitions: 1 })
    const producer = kafka.producer()
    const admin = kafka.admin()
    await Promise.all([producer.connect(), admin.connect()])
    for (const [value, timestamp] of [
      ['a', '100'],
      ['b', '200'],
      ['c', '300'],
    ] as const) {
      await producer.send({ topic: 't', messages: [{ value, timestamp }] })
    }
    await producer.disconnect()
    expect(await admin.fetchTopicOffsets('t')).toEqual([{ partition: 0, offset: '3', high: '3', low: '0' }])
    expect(await admin.fetchTopicOffsetsByTimestamp('t', 150)).toEqual([{ partition: 0, offset: '1' }])
    await admin.deleteTopicRecords({ topic: 't', partitions: [{ partition: 0, offset: '2' }] })
    expect(await admin.fetchTopicOffsets('t')).toEqual([{ partition: 0, offset: '3', high: '3', low: '2' }])
    const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 20 })
    await consumer.connect()
    await consumer.subscribe({ topic: 't', fromBeginning: true })
    expect(await collect(consumer, 1)).toEqual(['0:2:c'])
    expect((await admin.describeGroups(['g'])).groups[0]).toMatchObject({ state: 'Stable', members: [{}] })
    await consumer.disconnect()
    expect(await admin.fetchOffsets({ groupId: 'g', topics: ['t'] })).toEqual([
      { topic: 't', partitions: [{ partition: 0, offset: '3', metadata: null }] },
    ])
    const described = await admin.describeCluster()
    expect(described.brokers.map(({ nodeId }) => nodeId)).toEqual([0, 1, 2])
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain('g')
    expect((await admin.describeGroups(['g'])).groups[0]).toMatchObject({ state: 'Empty' })
    await admin.deleteGroups(['g'])
    expect((await admin.listGroups()).groups).toEqual([])
    await admin.disconnect()
  })
})

describe('an unmodified kafkajs consumer group', () => {
  test('of one member reads everything, commits, and goes on from there', async () => {
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'in', messages: [1, 2, 3].map(n => ({ value: `${n}`, partition: 0 })) })
    const first = kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 20 })
    await first.connect()
    await first.subscribe({ topic: 'in', fromBeginning: true })
    expect(await collect(first, 3)).toEqual(['0:0:1', '0:1:2', '0:2:3'])
    await first.disconnect()
    await producer.send({ topic: 'in', messages: [{ value: '4', partition: 0 }] })
    const second = kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 20 })
    await second.connect()
    await second.subscribe({ topic: 'in', fromBeginning: true })
    expect(await collect(second, 1)).toEqual(['0:3:4'])
    await Promise.all([second.disconnect(), producer.disconnect()])
  })

  test('of two members shares the partitions, and the one that stays takes over', async () => {
    cluster.createTopic('shared', { partitions: 4 })
    const members = [0, 1].map(() =>
      kafka.consumer({ groupId: 'pair', heartbeatInterval: 20, maxWaitTimeInMs: 20 }),
    )
    const assigned = members.map(
      member =>
        new Promise<number[]>(resolve => {
          member.on(member.events.GROUP_JOIN, ({ payload }) => {
            const partitions = payload.memberAssignment.shared ?? []
            if (partitions.length === 2) resolve(partitions)
          })
        }),
    )
    const all = new Promise<void>(resolve => {
      members[0]!.on(members[0]!.events.GROUP_JOIN, ({ payload }) => {
        if (left && payload.memberAssignment.shared?.length === 4) resolve()
      })
    })
    let left = false
    const read = new Set<string>()
    const gotAll = new Promise<void>(resolve => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        read.add(`${message.value}`)
        if (read.size === 8) resolve()
      }
      for (const member of members) {
        void (async () => {
          await member.connect()
          await member.subscribe({ topic: 'shared', fromBeginning: true })
          await member.run({ eachMessage })
        })()
      }
    })
    const shares = await Promise.all(assigned)
    expect(shares.flat().sort()).toEqual([0, 1, 2, 3])
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic: 'shared',
      messages: Array.from({ length: 8 }, (_, i) => ({ value: `${i}`, partition: i % 4 })),
    })
    await gotAll
    left = true
    await members[1]!.disconnect()
    await all
    await Promise.all([members[0]!.disconnect(), producer.disconnect()])
  })
})
