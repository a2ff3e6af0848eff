import { Kafka, logLevel } from 'kafkajs'
import { IncompatibleKafkajsError } from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConsumerRequests, seeingRequests } from '../../../src/transport/kafkajs/index.js'
import { CREATE_CLUSTER, symbolOf } from '../../../src/transport/kafkajs/privateMembers.js'

let cluster: EmbeddedKafka
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: { createdAfter: 0 } })
})
afterEach(() => cluster.close())

const newKafka = (): Kafka => new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })

const by = (mayCreate: ConsumerRequests['mayCreate']): ConsumerRequests => ({
  requested: () => {},
  mayCreate,
  joined: () => {},
})

describe('the creation flag', () => {
  test('goes by the names of each request, whatever kafkajs was told', async () => {
    const kafka = newKafka()
    const asked: (readonly string[])[] = []
    const consumer = seeingRequests(
      kafka,
      () => kafka.consumer({ groupId: 'g', allowAutoTopicCreation: false }),
      by(topics => {
        asked.push(topics)
        return topics.length === 1
      }),
    )
    await consumer.subscribe({ topic: 'a' })
    await expect(consumer.subscribe({ topic: 'b' })).rejects.toMatchObject({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await consumer.disconnect()
    expect(asked.map(topics => topics.toSorted())).toEqual([['a'], ['a', 'b']])
    expect(cluster.topics).toEqual(['a'])
  })

  test('leaves the other clients of the Kafka alone', async () => {
    const kafka = newKafka()
    seeingRequests(
      kafka,
      () => kafka.consumer({ groupId: 'g' }),
      by(() => false),
    )
    const plain = kafka.consumer({ groupId: 'g' })
    await plain.subscribe({ topic: 'a' })
    await plain.disconnect()
    expect(cluster.topics).toEqual(['a'])
  })

  test('leaves the Kafka as it was where no client can be made', () => {
    const kafka = newKafka()
    const before = Object.getOwnPropertyDescriptors(kafka)
    expect(() =>
      seeingRequests(
        kafka,
        () => kafka.consumer({ groupId: '' }),
        by(() => true),
      ),
    ).toThrow('groupId')
    expect(Object.getOwnPropertyDescriptors(kafka)).toEqual(before)
  })

  test.each<[string, (kafka: Record<symbol, unknown>, createCluster: symbol) => void, string]>([
    ['makes no cluster', () => {}, 'its Cluster is undefined'],
    ['has no function for it', (kafka, name) => void (kafka[name] = 1), 'createCluster'],
    ['has no broker pool', (kafka, name) => void (kafka[name] = () => ({})), 'brokerPool'],
    ['makes no brokers', (kafka, name) => void (kafka[name] = () => ({ brokerPool: {} })), 'createBroker'],
  ])('needs kafkajs’s inside: one that %s is named as incompatible', (what, change, words) => {
    const kafka = newKafka()
    change(kafka as unknown as Record<symbol, unknown>, symbolOf(kafka, CREATE_CLUSTER))
    const createCluster = (): unknown =>
      (kafka as unknown as Record<symbol, () => unknown>)[symbolOf(kafka, CREATE_CLUSTER)]!()
    const make = () =>
      seeingRequests(
        kafka,
        () => (what === 'makes no cluster' ? undefined : createCluster()),
        by(() => true),
      )
    expect(make).toThrow(IncompatibleKafkajsError)
    expect(make).toThrow(words)
  })
})
