import '../support/production.js'
import { type ICustomPartitioner, type Message, Partitioners } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { until } from '../../kafka/cluster/wait.js'
import { forEachBroker, type TestBroker, uniqueTopic } from '../../kafka/suite.js'
import { leadersOf, readLogs } from '../../kafka/support/logs.js'
import { range } from '../../kafka/support/producing.js'
import { clientsOf } from '../support/clients.js'
import { createTopics } from '../support/topics.js'

const keyless = (count: number): Message[] => range(count, index => ({ value: `${index}` }))

/** Takes away the broker that leads the partition, its only replica. */
const takeLeader = async (broker: TestBroker, topic: string, partition: number) => {
  const leaderOf = async () =>
    (await leadersOf(broker.bootstrap, [topic])).find(each => each.partition === partition)?.leader
  if (broker.kind === 'embedded') broker.embedded.moveLeader(topic, partition, -1)
  else {
    const leader = await leaderOf()
    await broker.cluster.nodes.find(({ id }) => id === leader)?.kill()
  }
  await until('a partition without a leader', async () => ((await leaderOf()) === -1 ? true : undefined), {
    timeoutMs: 60_000,
  })
}

const suite = (spec: string, title: string, createPartitioner: ICustomPartitioner) =>
  forEachBroker(spec, { real: { brokers: 3 } }, broker => {
    const { connected } = clientsOf(broker)

    const newTopic = async (numPartitions: number) => {
      const topic = uniqueTopic('partitioned')
      // The cluster's own minimum is two.
      const configEntries = [{ name: 'min.insync.replicas', value: '1' }]
      await createTopics(broker, { topic, numPartitions, replicationFactor: 1, configEntries })
      return topic
    }

    /** How many of the topic's records are in each partition. */
    const counts = async (topic: string, partitions: readonly number[]) => {
      const stored = await readLogs(broker.bootstrap, [topic])
      return partitions.map(partition => stored.filter(record => record.partition === partition).length)
    }

    describe(title, () => {
      test('same key yields same partition', async () => {
        const topic = await newTopic(3)
        const producer = await connected({ createPartitioner })
        const message = { key: 'test-key', value: 'a' }
        const [first] = await producer.send({ topic, messages: [message] })
        const [second] = await producer.send({ topic, messages: [message] })
        expect(second?.partition).toBe(first?.partition)
      })

      test('round-robin', async () => {
        const topic = await newTopic(3)
        await (await connected({ createPartitioner })).send({ topic, messages: keyless(30) })
        expect(await counts(topic, [0, 1, 2])).toEqual([10, 10, 10])
      })

      test('messages are partitioned in a round-robin fashion for each topic', async () => {
        const topics = [await newTopic(2), await newTopic(2)]
        const producer = await connected({ createPartitioner })
        const sends = keyless(30).flatMap(message =>
          topics.map(topic => producer.send({ topic, messages: [message] })),
        )
        await Promise.all(sends)
        for (const topic of topics) expect(await counts(topic, [0, 1])).toEqual([15, 15])
      })

      test('returns the configured partition if it exists', async () => {
        const topic = await newTopic(100)
        const producer = await connected({ createPartitioner })
        const sent = await producer.send({ topic, messages: [{ key: '1', partition: 99, value: 'a' }] })
        expect(sent).toMatchObject([{ partition: 99, baseOffset: '0' }])
      })

      test('returns the configured partition even if the partition is falsy', async () => {
        const topic = await newTopic(100)
        const producer = await connected({ createPartitioner })
        const sent = await producer.send({ topic, messages: [{ key: '1', partition: 0, value: 'a' }] })
        expect(sent).toMatchObject([{ partition: 0, baseOffset: '0' }])
      })

      // The last one: it leaves a real cluster without one of its brokers.
      test('round-robin with unavailable partitions', async () => {
        const topic = await newTopic(3)
        await takeLeader(broker, topic, 1)
        const producer = await connected({ createPartitioner })
        const sent = await producer.send({ topic, messages: keyless(100) })
        expect(sent.map(({ partition }) => partition).toSorted()).toEqual([0, 2])
        // Its log cannot be read as a whole: the offset of the next record counts those before it.
        const after = await producer.send({
          topic,
          messages: [0, 2].map(partition => ({ partition, value: 'last' })),
        })
        expect(after.map(({ baseOffset }) => baseOffset)).toEqual(['50', '50'])
      })
    })
  })

suite(
  'src/producer/partitioners/default/index.spec.js',
  'Producer > Partitioner > Default',
  Partitioners.DefaultPartitioner,
)
suite(
  'src/producer/partitioners/legacy/index.spec.js',
  'Producer > Partitioner > Legacy',
  Partitioners.LegacyPartitioner,
)
