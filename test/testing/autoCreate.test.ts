import { type AutoCreateOptions, EmbeddedKafka, ERROR, Gate } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { RawClient } from './support/rawClient.js'

const { NONE, UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, TOPIC_AUTHORIZATION_FAILED } = ERROR
const { INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR } = ERROR

const running: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close()
})

const start = async (autoCreate: AutoCreateOptions | false, brokers = 1) => {
  const cluster = await EmbeddedKafka.start({ brokers, autoCreate })
  running.push(cluster)
  const clients = await Promise.all(cluster.bootstrap.map(address => RawClient.connect(address)))
  running.push(...clients)
  /** Asks a broker for one topic and tells the topic's error code, and its partitions' after it. */
  const ask = async (name: string, { node = 0, create = true, version = 9 } = {}) => {
    const response = await clients[node]!.call(metadataApi, version, {
      topics: [{ name }],
      allowAutoTopicCreation: create,
    })
    const [topic] = response!.topics
    return [
      topic!.errorCode,
      ...topic!.partitions.map(({ errorCode, leaderId }) => `${errorCode}/${leaderId}`),
    ]
  }
  return { cluster, clients, ask }
}

describe('auto-creation', () => {
  test.each([
    ['kraft', UNKNOWN_TOPIC_OR_PARTITION],
    ['zk', LEADER_NOT_AVAILABLE],
  ] as const)('in the style of %s answers %i until the topic is there', async (style, code) => {
    const { ask } = await start({ style, createdAfter: 3, partitions: 2 })
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await ask('t'))
    expect(answers).toEqual([[code], [code], [code], [NONE, '0/0', '0/0']])
  })

  test('needs the flag: requests without it neither count nor create', async () => {
    const { ask, cluster } = await start({ createdAfter: 1 })
    expect(await ask('t')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    for (let i = 0; i < 3; i++)
      expect(await ask('t', { create: false })).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    expect(cluster.topics).toEqual([])
    expect(await ask('t')).toEqual([NONE, '0/0'])
    expect(await ask('t', { create: false })).toEqual([NONE, '0/0'])
  })

  test('is always on before version 4, and within the first answer when told so', async () => {
    const { ask } = await start({ createdAfter: 0 })
    expect(await ask('t', { create: false, version: 3 })).toEqual([NONE, '0/0'])
  })

  test('counts each topic apart', async () => {
    const { ask } = await start({ createdAfter: 2 })
    expect([await ask('a'), await ask('b'), await ask('a'), await ask('a')].map(([code]) => code)).toEqual([
      3, 3, 3, 0,
    ])
    expect(await ask('b')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
  })

  test.each([9, 0])('never happens by a request for all topics (version %i)', async version => {
    const { ask, clients, cluster } = await start({ createdAfter: 1 })
    await ask('t')
    for (let i = 0; i < 3; i++) {
      const all = await clients[0]!.call(metadataApi, version, {
        topics: version === 0 ? [] : null,
        allowAutoTopicCreation: true,
      })
      expect(all?.topics).toEqual([])
    }
    expect(cluster.journal.allTopicsRequests()).toHaveLength(3)
    expect(cluster.topics).toEqual([])
  })

  test('of brokers only (an empty list) creates and lists nothing', async () => {
    const { clients, cluster } = await start({})
    cluster.createTopic('there')
    const none = await clients[0]!.call(metadataApi, 9, { topics: [], allowAutoTopicCreation: true })
    expect(none?.topics).toEqual([])
    expect(none?.brokers).toHaveLength(1)
    expect(cluster.journal.allTopicsRequests()).toEqual([])
  })

  test('shows a topic without leaders as often as it is told', async () => {
    const { ask, cluster } = await start({ createdAfter: 0, leaderAfter: 2, partitions: 2 })
    const leaderless = [NONE, '5/-1', '5/-1']
    expect([await ask('t'), await ask('t'), await ask('t')]).toEqual([
      leaderless,
      leaderless,
      [NONE, '0/0', '0/0'],
    ])
    expect(cluster.leaderOf('t', 1)).toBe(0)
  })

  test('waits at gates, for the topic and for its leaders', async () => {
    const created = new Gate()
    const led = new Gate()
    const { ask } = await start({ createdAfter: created, leaderAfter: led })
    expect(await ask('t')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    await created.arrived
    expect(await ask('t')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    created.open()
    expect(await ask('t')).toEqual([NONE, '5/-1'])
    led.open()
    expect(await ask('t')).toEqual([NONE, '0/0'])
  })

  test('by time needs no second request', async () => {
    const { ask, cluster } = await start({ createdAfterMs: 1 })
    expect(await ask('t')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    let code: unknown = UNKNOWN_TOPIC_OR_PARTITION
    while (code !== NONE) [code] = await ask('t', { create: false })
    expect(cluster.topics).toEqual(['t'])
  })

  test('never, denied, and by ACL', async () => {
    const { ask, cluster } = await start({ never: t => t === 'n', denied: t => t === 'd' })
    cluster.deny('acl', ['create'])
    for (let i = 0; i < 3; i++) {
      expect(await ask('n')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
      expect(await ask('d')).toEqual([TOPIC_AUTHORIZATION_FAILED])
      expect(await ask('acl')).toEqual([TOPIC_AUTHORIZATION_FAILED])
    }
    expect(await ask('d', { create: false })).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    expect(cluster.topics).toEqual([])
  })

  test('off: unknown for ever, whatever the flag', async () => {
    const { ask, cluster } = await start(false)
    for (let i = 0; i < 3; i++) expect(await ask('t')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    expect(cluster.topics).toEqual([])
  })

  test.each([
    ['kraft', UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION],
    ['zk', INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR],
  ] as const)('of what the controller refuses: %s', async (style, collision, replication) => {
    const { ask, cluster } = await start({ style })
    cluster.createTopic('a_b')
    for (let i = 0; i < 3; i++) expect(await ask('a.b')).toEqual([collision])
    const { ask: askOther } = await start({ style, replicationFactor: 3 })
    for (let i = 0; i < 3; i++) expect(await askOther('t')).toEqual([replication])
  })

  test.each(['', '.', '..', 'a b', 'ä', 'x'.repeat(250), 'a/b'])('refuses the name %j', async name => {
    const { ask } = await start({})
    expect(await ask(name)).toEqual([INVALID_TOPIC_EXCEPTION])
    expect(await ask(name, { create: false })).toEqual([INVALID_TOPIC_EXCEPTION])
  })

  test('once more, with another id, after the topic was deleted', async () => {
    const { ask, cluster, clients } = await start({ createdAfter: 1 })
    const idOf = async () =>
      (await clients[0]!.call(metadataApi, 10, { topics: [{ name: 't' }] }))!.topics[0]!.topicId
    await ask('t')
    await ask('t')
    const first = await idOf()
    cluster.deleteTopic('t')
    expect(await ask('t')).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    expect(await ask('t')).toEqual([NONE, '0/0'])
    expect(await idOf()).not.toBe(first)
  })
})

describe('a broker that does not see a topic yet', () => {
  test('answers unknown, by its own view, and refuses records', async () => {
    const { ask, cluster } = await start({ createdAfter: 0 }, 2)
    cluster.hideTopic('t', 1)
    expect((await ask('t'))[0]).toBe(NONE)
    expect(await ask('t', { node: 1 })).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    expect(await ask('t', { node: 1, create: false })).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
    cluster.showTopic('t', 1)
    expect((await ask('t', { node: 1 }))[0]).toBe(NONE)
  })

  test('in the style of zk says that it is being created', async () => {
    const { ask, cluster } = await start({ style: 'zk' }, 2)
    cluster.createTopic('t')
    cluster.hideTopic('t', 1)
    expect(await ask('t', { node: 1 })).toEqual([LEADER_NOT_AVAILABLE])
    expect(await ask('t', { node: 1, create: false })).toEqual([UNKNOWN_TOPIC_OR_PARTITION])
  })
})

test('one broker may have auto-creation off', async () => {
  const cluster = await EmbeddedKafka.start({
    brokers: 2,
    autoCreate: { createdAfter: 0 },
    brokerConfig: { 1: { 'auto.create.topics.enable': 'false' } },
  })
  running.push(cluster)
  const clients = await Promise.all(cluster.bootstrap.map(address => RawClient.connect(address)))
  running.push(...clients)
  const request = { topics: [{ name: 't' }], allowAutoTopicCreation: true }
  expect((await clients[1]!.call(metadataApi, 9, request))?.topics[0]?.errorCode).toBe(3)
  expect((await clients[0]!.call(metadataApi, 9, request))?.topics[0]?.errorCode).toBe(0)
})
