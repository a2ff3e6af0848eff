import {
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  ERROR,
  kafkaVersions,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { served } from '../../src/testing/apis/registry.js'
import { apiNames } from '../../src/testing/model/apiNames.js'
import { listedBy } from '../../src/testing/model/versions.js'
import { batch, sequenced } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'
import { spec } from './support/refusedTopics.js'

let cluster: EmbeddedKafka
const clients: RawClient[] = []
afterEach(async () => {
  for (const each of clients.splice(0)) await each.close()
  await cluster.close()
})

const start = async (options: EmbeddedKafkaOptions) => {
  cluster = await EmbeddedKafka.start(options)
  const client = await RawClient.connect(cluster.bootstrap[0]!)
  clients.push(client)
  return client
}

const nameByKey = new Map(apiNames.map(name => [served[name].api.key, name]))

const listed = async (client: RawClient): Promise<Record<string, string>> => {
  const answer = await client.call(apiVersionsApi, 0, {})
  return Object.fromEntries(
    answer!.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
      nameByKey.get(apiKey),
      `${minVersion}-${maxVersion}`,
    ]),
  )
}

// As Kafka's own brokers of these releases answer ApiVersions, cut to what is implemented here.
test.each([
  ['0.11', { Produce: '0-3', Metadata: '0-4', InitProducerId: '0-0', DescribeConfigs: '0-0', EndTxn: '0-0' }],
  ['1.1', { Produce: '0-5', Metadata: '0-5', CreateTopics: '0-2', SaslAuthenticate: '0-0' }],
  ['2.4', { Produce: '0-8', Metadata: '0-9', CreateTopics: '0-5', InitProducerId: '0-2' }],
  ['2.8.2', { Produce: '0-9', Metadata: '0-11', InitProducerId: '0-4', DescribeCluster: '0-0' }],
  ['3.9.1', { Produce: '0-11', Metadata: '0-12', InitProducerId: '0-5', TxnOffsetCommit: '0-4' }],
  ['4.0', { Produce: '0-12', Metadata: '0-13', CreateTopics: '2-7', DescribeConfigs: '1-4' }],
  ['4.4.0', { Produce: '0-13', Metadata: '0-13', JoinGroup: '0-9' }],
] as const)('Kafka %s lists what it has', async (version, expected) => {
  expect(await listed(await start({ version }))).toMatchObject(expected)
})

test('an API that came later is not listed', async () => {
  const client = await start({ version: '0.11' })
  const names = Object.keys(await listed(client))
  for (const later of [
    'SaslAuthenticate',
    'CreatePartitions',
    'DeleteGroups',
    'IncrementalAlterConfigs',
    'DescribeCluster',
  ])
    expect(names).not.toContain(later)
})

test('a single limit goes before the version', async () => {
  const client = await start({
    version: '2.8',
    maxVersions: { Produce: 5, InitProducerId: 'none', DescribeQuorum: 1 },
  })
  const apis = await listed(client)
  expect(apis).toMatchObject({ Produce: '0-5', Metadata: '0-11', DescribeQuorum: '0-1' })
  expect(apis).not.toHaveProperty('InitProducerId')
})

test('no version of an API is taken away by a newer release, but for the old ones of Kafka 4', () => {
  for (const api of apiNames) {
    let before = -1
    for (const version of kafkaVersions) {
      const range = listedBy(version, api)
      expect(range?.maxVersion ?? -1).toBeGreaterThanOrEqual(before)
      if (!version.startsWith('4.')) expect(range?.minVersion ?? 0).toBe(0)
      before = range?.maxVersion ?? -1
    }
    expect(before).toBeGreaterThanOrEqual(0)
  }
})

test.each([{ version: '0.10' }, { version: '5.0' }, { version: '2' }, { version: '4.44' }])(
  'what cannot be played is refused: %o',
  async options => {
    cluster = await EmbeddedKafka.start()
    await expect(EmbeddedKafka.start(options as never)).rejects.toThrow(/plays Kafka 0\.11 to 4\.4/)
  },
)

test('a profile that is not known is refused, with those that are', async () => {
  cluster = await EmbeddedKafka.start()
  await expect(EmbeddedKafka.start({ profile: 'toString' as never })).rejects.toThrow(
    /event-hubs.*warpstream/,
  )
})

describe('min.insync.replicas above the replicas of a topic', () => {
  test.each([
    ['3.6', ERROR.NOT_ENOUGH_REPLICAS],
    ['3.7', ERROR.NONE],
    ['4.4', ERROR.NONE],
  ] as const)('Kafka %s answers %i', async (version, expected) => {
    const client = await start({ version, config: { 'min.insync.replicas': '2' } })
    cluster.createTopic('t')
    expect((await produce(client, batch())).errorCode).toBe(expected)
    expect((await produce(client, batch(), { acks: 1 })).errorCode).toBe(ERROR.NONE)
  })

  test('replicas that are there and not in sync still refuse', async () => {
    const client = await start({ version: '4.4', brokers: 2, config: { 'min.insync.replicas': '3' } })
    cluster.createTopic('t', { replicationFactor: 2, leaders: [0] })
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NONE)
    await cluster.stopBroker(1)
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NOT_ENOUGH_REPLICAS)
  })
})

test.each([
  ['0.11', ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER],
  ['2.4', ERROR.UNKNOWN_PRODUCER_ID],
  ['2.5', ERROR.NONE],
] as const)('Kafka %s answers %i to a producer that it does not know', async (version, expected) => {
  const client = await start({ version })
  cluster.createTopic('t')
  expect((await produce(client, sequenced(0), { version: 3 })).errorCode).toBe(ERROR.NONE)
  cluster.forgetProducers('t', 0)
  expect((await produce(client, sequenced(1), { version: 3 })).errorCode).toBe(expected)
})

test.each([
  ['2.8', ERROR.LEADER_NOT_AVAILABLE],
  ['3.3', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
] as const)('Kafka %s answers %i while it creates a topic', async (version, expected) => {
  const client = await start({ version })
  const answer = await client.call(metadataApi, 5, {
    topics: [{ name: 'new' }],
    allowAutoTopicCreation: true,
  })
  expect(answer?.topics[0]?.errorCode).toBe(expected)
})

test.each([
  ['2.3', ERROR.INVALID_PARTITIONS],
  ['2.4', ERROR.NONE],
] as const)('Kafka %s answers %i to a topic without counts', async (version, expected) => {
  const client = await start({ version })
  const topics = [spec('t', { numPartitions: -1, replicationFactor: -1 })]
  const answer = await client.call(createTopicsApi, 3, { topics, timeoutMs: 1000, validateOnly: false })
  expect(answer?.topics[0]?.errorCode).toBe(expected)
})
