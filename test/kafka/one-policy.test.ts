import { type KafkaConfig, logLevel } from 'kafkajs'
import {
  ResilientKafka,
  type ResilientKafkaOptions,
  TopicCreationDisabledError,
  TopicCreationError,
  UnknownTopicError,
} from 'kafkajs-resilient-producer'
import { expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { failureOf } from './support/producing.js'
import { helperClientId } from './testBroker.js'

const PATIENCE = { timeoutMs: 60_000 }

type Client = { disconnect(): Promise<void> }

const kafkaOf = (
  broker: TestBroker,
  options?: ResilientKafkaOptions,
  config: Partial<KafkaConfig> = {},
): ResilientKafka =>
  new ResilientKafka({ brokers: broker.bootstrap, logLevel: logLevel.NOTHING, ...config }, options)

/** kafkajs's admins ask for all topics, and so does a consumer with a pattern. */
const askingForAll = { clientId: helperClientId }

/** Runs with clients that are disconnected in any case. */
const withClients = async (
  run: (ends: <C extends Client>(client: C) => C) => Promise<void>,
): Promise<void> => {
  const clients: Client[] = []
  try {
    await run(client => {
      clients.push(client)
      return client
    })
  } finally {
    await Promise.all(clients.map(each => each.disconnect()))
  }
}

/** A consumer that has joined its group with the topics, and takes what comes. */
const taking = async (
  consumer: ReturnType<ResilientKafka['consumer']>,
  topics: (string | RegExp)[],
): Promise<string[]> => {
  const taken: string[] = []
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ topic, message }) => void taken.push(`${topic}:${message.value}`),
  })
  return taken
}

const exists = (broker: TestBroker, topic: string): Promise<boolean> =>
  withAdmin(broker, async admin => (await admin.listTopics()).includes(topic))

const settings = { config: { 'num.partitions': '2', 'group.initial.rebalance.delay.ms': '0' }, brokers: 3 }

forEachBroker('one policy on a cluster that creates topics', { real: settings }, broker => {
  const group = () => ({ groupId: uniqueTopic('group'), maxWaitTimeInMs: 100 })

  test("'never': nobody brings a topic into being, whatever is asked of it", async () => {
    const topic = uniqueTopic('never')
    const kafka = kafkaOf(broker, { topics: { create: 'never', waitForMs: 200 } }, askingForAll)
    await withClients(async ends => {
      const producer = ends(kafka.producer())
      await producer.connect()
      expect(await failureOf(producer.send({ topic, messages: [{ value: 'x' }] }))).toBeInstanceOf(
        UnknownTopicError,
      )
      const consumer = ends(kafka.consumer(group()))
      await consumer.connect()
      const error = await failureOf(consumer.subscribe({ topic }))
      expect(error).toBeInstanceOf(UnknownTopicError)
      expect(error).toMatchObject({ topic })
      const admin = ends(kafka.admin({ retry: { retries: 0 } }))
      await admin.connect()
      await failureOf(admin.fetchTopicMetadata({ topics: [topic] }))
      await failureOf(admin.fetchTopicOffsets(topic))
      await failureOf(admin.resetOffsets({ groupId: 'any', topic, earliest: true }))
      expect(await exists(broker, topic)).toBe(false)
      // It is theirs to decide who calls it.
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
      await producer.send({ topic, messages: [{ value: 'made' }] })
      const taken = await taking(consumer, [topic])
      await until('the record', async () => taken[0], PATIENCE)
    })
  })

  test("'never': a consumer that waits gets what somebody else creates", async () => {
    const topic = uniqueTopic('awaited')
    const kafka = kafkaOf(broker, { topics: { create: 'never', waitForMs: 600_000 } })
    await withClients(async ends => {
      const consumer = ends(kafka.consumer(group()))
      const taken = taking(consumer, [topic])
      await createTopics(broker, { topic })
      const producer = ends(kafka.producer())
      await producer.connect()
      await producer.send({ topic, messages: [{ value: 'a' }] })
      const values = await taken
      await until('the record', async () => values[0], PATIENCE)
      expect(values).toEqual([`${topic}:a`])
    })
  })

  test("'admin': a consumer's topics are made by the rules, and refused with the cluster's reason", async () => {
    const topic = uniqueTopic('admin')
    const kafka = kafkaOf(broker, {
      topics: {
        create: 'admin',
        partitions: 3,
        replicationFactor: 2,
        rules: [{ match: 'too-many-*', replicationFactor: 9 }],
      },
    })
    await withClients(async ends => {
      const consumer = ends(kafka.consumer(group()))
      await consumer.subscribe({ topic })
      const { topics } = await withAdmin(broker, admin => admin.fetchTopicMetadata({ topics: [topic] }))
      expect(topics[0]?.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2])
      const error = await failureOf(consumer.subscribe({ topic: uniqueTopic('too-many') }))
      expect(error).toBeInstanceOf(TopicCreationError)
      expect(error).toMatchObject({ type: 'INVALID_REPLICATION_FACTOR' })
    })
  })

  test("'broker': 20 consumers subscribe to a new topic each, asking any broker, and get their records", async () => {
    const topics = Array.from({ length: 20 }, () => uniqueTopic('broker'))
    await withClients(async ends => {
      const kafka = kafkaOf(broker)
      const producer = ends(kafka.producer())
      await producer.connect()
      const taken = await Promise.all(
        topics.map((topic, index) => {
          const brokers = [broker.bootstrap[index % broker.bootstrap.length]!]
          return taking(ends(kafkaOf(broker, {}, { brokers }).consumer(group())), [topic])
        }),
      )
      await producer.sendBatch({
        topicMessages: topics.map(topic => ({ topic, messages: [{ value: 'a' }] })),
      })
      await until(
        'a record each',
        async () => taken.every(values => values.length === 1) || undefined,
        PATIENCE,
      )
    })
  })

  test('a regular expression finds what is there, and creates nothing', async () => {
    const prefix = uniqueTopic('pattern')
    await createTopics(broker, { topic: `${prefix}-there` })
    await withClients(async ends => {
      const consumer = ends(kafkaOf(broker, {}, askingForAll).consumer(group()))
      await taking(consumer, [new RegExp(`^${prefix}`)])
      const topics = await withAdmin(broker, admin => admin.listTopics())
      expect(topics.filter(each => each.startsWith(prefix))).toEqual([`${prefix}-there`])
    })
  })
})

forEachBroker(
  'one policy on a cluster that creates no topics',
  { real: { config: { 'auto.create.topics.enable': 'false' } } },
  broker => {
    test("'broker': a consumer is told at once that its topic will never be there", async () => {
      const topic = uniqueTopic('missing')
      await withClients(async ends => {
        const consumer = ends(kafkaOf(broker).consumer({ groupId: uniqueTopic('group') }))
        const error = await failureOf(consumer.subscribe({ topic }))
        expect(error).toBeInstanceOf(TopicCreationDisabledError)
        expect(error).toMatchObject({ topic })
      })
    })
  },
)
