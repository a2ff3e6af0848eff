import { PartitionNotFoundError, TopicCreationError } from 'kafkajs-resilient-producer'
import {
  type EmbeddedKafkaOptions,
  ERROR,
  errorAfterApply,
  errorCode,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { World } from '../delivery/support/world.js'

let world: World
afterEach(() => world.end())

/** What brokers of a version offer at most, and what they answer while a topic is created. */
const brokers: [string, EmbeddedKafkaOptions][] = [
  [
    'Kafka 2.8 on ZooKeeper',
    {
      autoCreate: { style: 'zk', createdAfter: 1, leaderAfter: 1 },
      maxVersions: { Produce: 9, Metadata: 11, InitProducerId: 4, CreateTopics: 7, FindCoordinator: 3 },
    },
  ],
  [
    'Kafka 3.9',
    {
      autoCreate: { createdAfter: 1, leaderAfter: 1 },
      maxVersions: { Produce: 11, Metadata: 12, FindCoordinator: 4 },
    },
  ],
  [
    'Kafka 1.0, before record errors and epochs of leaders',
    {
      autoCreate: { style: 'zk', createdAfter: 2, leaderAfter: 2 },
      maxVersions: {
        Produce: 5,
        Metadata: 5,
        InitProducerId: 0,
        CreateTopics: 2,
        DescribeConfigs: 0,
        ApiVersions: 1,
      },
    },
  ],
]

describe.each(brokers)('brokers of %s', (_, options) => {
  test('get new topics, and every record once and in order, through errors before and after the append', async () => {
    world = await World.start({ brokers: 3, ...options })
    const producer = await world.connect()
    const topics = Array.from({ length: 20 }, (_, i) => `topic-${i}`)
    const ids = Array.from({ length: 10 }, (_, i) => `${i}`)
    world.cluster.on('Produce', errorAfterApply(ERROR.REQUEST_TIMED_OUT))
    world.cluster.on('Produce', errorCode(ERROR.NOT_LEADER_OR_FOLLOWER))
    const send = (topic: string) =>
      Promise.all(ids.map(value => producer.send({ topic, messages: [{ value }] })))
    await Promise.all(topics.map(send))
    world.cluster.check(topics.flatMap(topic => ids.map(id => ({ topic, id })))).assert()
    expect(world.cluster.journal.allTopicsRequests()).toEqual([])
  })

  test('follow a leader that moves', async () => {
    world = await World.start({ brokers: 3, ...options })
    world.topic({ partitions: 1, leaders: [0] }, 'moving')
    const producer = await world.connect()
    for (const [at, leader] of [0, 1, 2, 0].entries()) {
      world.cluster.moveLeader('moving', 0, leader)
      await producer.send({ topic: 'moving', messages: [{ value: `${at}` }] })
    }
    expect(world.stored(0, 'moving')).toEqual(['0', '1', '2', '3'])
  })

  test('say why a topic cannot be, and which partition is none', async () => {
    world = await World.start({ brokers: 1, ...options })
    world.topic({}, 'a_b')
    const producer = await world.connect({ topics: { create: 'admin', replicationFactor: 5, partitions: 1 } })
    const refused = producer.send({ topic: 'new', messages: [{ value: 'x' }] })
    await expect(refused).rejects.toBeInstanceOf(TopicCreationError)
    await expect(refused).rejects.toMatchObject({ type: 'INVALID_REPLICATION_FACTOR' })
    const missing = producer.send({ topic: 'a_b', messages: [{ value: 'x', partition: 7 }] })
    await expect(missing).rejects.toBeInstanceOf(PartitionNotFoundError)
  })
})
