import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { EmbeddedKafka, type EmbeddedKafkaOptions, hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, it } from 'vitest'
import {
  TopicAuthorizationError,
  TopicCreationDisabledError,
  TopicCreationError,
  UnknownTopicError,
} from '../../src/errors/index.js'
import { silentObserver } from '../../src/metrics/observer.js'
import {
  compileTopicPolicy,
  type MetadataRetrySettings,
  type TopicChange,
  TopicDirectory,
  type TopicPolicyOptions,
  type TopicView,
} from '../../src/topics/index.js'
import { createTransport } from '../../src/transport/index.js'
import { WaitRegistry } from '../../src/waits/registry.js'

interface Setting {
  readonly cluster?: EmbeddedKafkaOptions
  readonly topics?: TopicPolicyOptions
  readonly retry?: Partial<MetadataRetrySettings>
  readonly requestTimeoutMs?: number
  readonly kafka?: Partial<KafkaConfig>
  readonly maxAgeMs?: number
}

const cleanups: (() => Promise<void>)[] = []

/** A directory over kafkajs's connections to an embedded cluster. */
const start = async ({
  cluster: options = {},
  topics = {},
  retry = {},
  requestTimeoutMs = 3000,
  kafka: config = {},
  maxAgeMs = 300_000,
}: Setting = {}) => {
  const cluster = await EmbeddedKafka.start(options)
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING, ...config })
  const transport = createTransport(kafka)
  const created: [string, string][] = []
  const directory = new TopicDirectory({
    transport,
    policy: compileTopicPolicy(topics),
    metadataRetry: {
      retries: 64,
      minTimeoutMs: 50,
      maxTimeoutMs: 1000,
      factor: 2,
      jitter: true,
      maxRetryTimeMs: 30_000,
      ...retry,
    },
    metadataMaxAgeMs: maxAgeMs,
    metadataMaxIdleMs: 300_000,
    metadataRequestTimeoutMs: requestTimeoutMs,
    logger: kafka.logger(),
    waits: new WaitRegistry(),
    observer: { ...silentObserver, topicCreated: (topic, by) => created.push([topic, by]) },
  })
  cleanups.push(async () => {
    directory.close(new Error('the test has ended'))
    await transport.close()
    expect(cluster.journal.allTopicsRequests()).toEqual([])
    await cluster.close()
  })
  const metadata = () => cluster.journal.of('Metadata')
  const asked = (topic: string) => metadata().filter(each => each.topics?.includes(topic))
  const nextChange = () =>
    new Promise<TopicChange>(resolve => {
      const end = directory.subscribe(change => {
        end()
        resolve(change)
      })
    })
  return { cluster, directory, created, metadata, asked, nextChange }
}

const names = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const failure = (wait: Promise<TopicView>): Promise<Error> =>
  wait.then(
    () => {
      throw new Error('it was expected to fail')
    },
    error => error,
  )

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

describe('topics on an embedded cluster', () => {
  it.each(['kraft', 'zk'] as const)(
    'waits for topics that a %s cluster creates after k answers',
    async style => {
      const { directory, created, asked } = await start({
        cluster: { brokers: 3, autoCreate: { style, createdAfter: 3, leaderAfter: 2, partitions: 2 } },
      })
      await directory.connect()
      const view = await directory.resolve('new')
      expect(view.partitions).toHaveLength(2)
      expect(view.available.length).toBeGreaterThan(0)
      expect(asked('new').every(each => each.allowAutoTopicCreation)).toBe(true)
      expect(created).toEqual([['new', 'broker']])
    },
  )

  it('needs at most 10 metadata requests for 300 new topics at once', async () => {
    const { directory, metadata } = await start({ cluster: { autoCreate: { createdAfterMs: 250 } } })
    await directory.connect()
    const views = await Promise.all(names(300, 'new-').map(name => directory.resolve(name)))
    expect(views.every(each => each.available.length > 0)).toBe(true)
    expect(metadata().length).toBeLessThanOrEqual(10)
  })

  it('names a topic that is asked for while a refresh is in flight in the next request', async () => {
    const { cluster, directory, metadata } = await start({ cluster: { autoCreate: { createdAfter: 0 } } })
    cluster.createTopic('known')
    await directory.connect()
    const gate = cluster.gate()
    cluster.on('Metadata', hold(gate))
    const known = directory.resolve('known')
    await gate.arrived
    const late = directory.resolve('late')
    gate.open()
    expect((await known).name).toBe('known')
    expect((await late).name).toBe('late')
    expect(metadata().map(each => [each.topics, each.allowAutoTopicCreation])).toEqual([
      [[], false],
      [['known'], true],
      [['late'], true],
    ])
  })

  it('ends 20 topics that will never be created after two metadata requests and one DescribeConfigs', async () => {
    const { cluster, directory, metadata } = await start({ cluster: { autoCreate: false } })
    cluster.createTopic('good')
    await directory.connect()
    const errors = names(20, 'bad-').map(name => failure(directory.resolve(name)))
    const good = directory.resolve('good')
    for (const error of await Promise.all(errors)) {
      expect(error).toBeInstanceOf(TopicCreationDisabledError)
      expect(error.message).toContain('auto.create.topics.enable')
    }
    expect((await good).available).toEqual([0])
    expect(metadata().length).toBeLessThanOrEqual(2)
    expect(cluster.journal.of('DescribeConfigs')).toHaveLength(1)
  })

  it("fails a topic whose name collides with the cluster's own reason", async () => {
    const { cluster, directory } = await start({ cluster: { autoCreate: { never: () => true } } })
    cluster.createTopic('a_b')
    const error = await failure(directory.resolve('a.b'))
    expect(error).toBeInstanceOf(TopicCreationError)
    expect(error.message).toContain('a_b')
    expect(cluster.topics).toEqual(['a_b'])
  })

  it('fails a forbidden topic at once, and no other', async () => {
    const { cluster, directory } = await start()
    cluster.createTopic('other')
    cluster.deny('secret')
    const [error, other] = await Promise.all([
      failure(directory.resolve('secret')),
      directory.resolve('other'),
    ])
    expect(error).toBeInstanceOf(TopicAuthorizationError)
    expect(other.name).toBe('other')
  })

  it('finds a topic although one broker does not see it', async () => {
    const { cluster, directory } = await start({
      cluster: { brokers: 3, autoCreate: false },
      topics: { create: 'never' },
    })
    cluster.createTopic('t', { partitions: 3 })
    cluster.hideTopic('t', 0)
    await directory.connect()
    expect((await directory.resolve('t')).available).toEqual([0, 1, 2])
  })

  it('goes to another broker when one hangs', async () => {
    const { cluster, directory } = await start({ cluster: { brokers: 3 }, requestTimeoutMs: 200 })
    cluster.createTopic('t')
    await directory.connect()
    const hanging = cluster.journal.of('Metadata')[0]!.node
    cluster.on('Metadata', hang, { node: hanging, times: Number.POSITIVE_INFINITY })
    for (const name of ['t', 'u', 'v', 'w']) expect((await directory.resolve(name)).name).toBe(name)
  })

  it('creates by admin with the partitions and configuration of the first rule that matches', async () => {
    const { cluster, directory, created, asked } = await start({
      cluster: { brokers: 3, autoCreate: false },
      topics: {
        create: 'admin',
        rules: [
          { match: 'big.*', partitions: 12, configEntries: [{ name: 'retention.ms', value: '1000' }] },
          { match: 'two', partitions: 2, replicationFactor: 3 },
        ],
      },
    })
    await directory.connect()
    const views = await Promise.all(['big.one', 'two', 'plain'].map(name => directory.resolve(name)))
    expect(views.map(each => each.partitions.length)).toEqual([12, 2, 1])
    expect(cluster.journal.of('CreateTopics')).toHaveLength(1)
    expect(created.map(each => each[1])).toEqual(['admin', 'admin', 'admin'])
    expect(asked('two').some(each => each.allowAutoTopicCreation)).toBe(false)
  })

  it("fails at once, by admin, with the cluster's reason, and takes no other topic with it", async () => {
    const { cluster, directory } = await start({
      topics: { create: 'admin', rules: [{ match: 'bad', replicationFactor: 9 }] },
    })
    const [error, good] = await Promise.all([failure(directory.resolve('bad')), directory.resolve('good')])
    expect(error).toBeInstanceOf(TopicCreationError)
    expect(error).toMatchObject({ type: 'INVALID_REPLICATION_FACTOR', topic: 'bad' })
    expect(good.name).toBe('good')
    expect(cluster.journal.of('CreateTopics')).toHaveLength(1)
  })

  it('creates nothing by never, and finds what somebody else creates', async () => {
    const { cluster, directory, metadata } = await start({
      topics: { create: 'never', waitForMs: 0, rules: [{ match: 'soon', waitForMs: 20_000 }] },
    })
    expect(await failure(directory.resolve('missing'))).toBeInstanceOf(UnknownTopicError)
    const soon = directory.resolve('soon')
    await cluster.journal.until(
      () => cluster.journal.of('Metadata').filter(each => each.topics?.includes('soon')).length > 1,
    )
    cluster.createTopic('soon')
    expect((await soon).name).toBe('soon')
    expect(metadata().filter(each => each.allowAutoTopicCreation)).toEqual([])
    expect(cluster.topics).toEqual(['soon'])
  })

  it('tells a new leader, and a stopped broker changes nothing for the others', async () => {
    const { cluster, directory, nextChange } = await start({ cluster: { brokers: 3 } })
    cluster.createTopic('t', { partitions: 1, replicationFactor: 3, leaders: [0] })
    const view = await directory.resolve('t')
    expect(view.partitions[0]).toMatchObject({ leader: 0 })
    const change = nextChange()
    await cluster.stopBroker(0)
    directory.refreshLeaders('t', { avoidNode: 0 })
    expect(await change).toEqual({ topic: view })
    expect(view.partitions[0]?.leader).toBe(cluster.leaderOf('t', 0))
    expect(view.partitions[0]?.leader).not.toBe(0)
  })

  it('tells that a topic is gone, and creates it anew', async () => {
    const { cluster, directory, nextChange } = await start()
    const first = await directory.resolve('t')
    cluster.deleteTopic('t')
    const change = nextChange()
    directory.refreshLeaders('t')
    expect(await change).toEqual({ gone: 't' })
    const second = await directory.resolve('t')
    expect(second).not.toBe(first)
    expect(second.topicId).not.toBe(first.topicId)
  })

  it('tells of a topic that was deleted and created again, with its new id', async () => {
    const { cluster, directory, nextChange } = await start()
    const first = await directory.resolve('t')
    cluster.recreateTopic('t')
    const change = nextChange()
    directory.refreshLeaders('t')
    expect(await change).toMatchObject({ topic: { name: 't' } })
    expect(directory.topic('t')?.topicId).not.toBe(first.topicId)
  })

  it('refreshes by age, by name', async () => {
    const { cluster, directory, metadata } = await start({ maxAgeMs: 100 })
    await Promise.all(['a', 'b'].map(name => directory.resolve(name)))
    const before = metadata().length
    await cluster.journal.until(() => metadata().length > before)
    const refresh = metadata()[before]
    expect([...(refresh?.topics ?? [])].sort()).toEqual(['a', 'b'])
    expect(refresh?.allowAutoTopicCreation).toBe(false)
  })

  it.each([4, 6, 8, 11])('works with brokers that speak Metadata up to version %i', async version => {
    const { directory } = await start({ cluster: { brokers: 2, maxVersions: { Metadata: version } } })
    await directory.connect()
    expect((await directory.resolve('t')).available).toEqual([0])
  })

  it('ends connect at once with a wrong password, and says so', async () => {
    const { cluster, directory } = await start({
      cluster: { listeners: { sasl: { users: { user: 'right' } } } },
      kafka: { sasl: { mechanism: 'plain', username: 'user', password: 'wrong' } },
    })
    await expect(directory.connect()).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
    expect(cluster.journal.of('Metadata')).toEqual([])
  })

  it('ends connect within its budget when no broker can be reached', async () => {
    const { cluster, directory } = await start({ retry: { maxRetryTimeMs: 300 } })
    await cluster.stopBroker(0)
    await expect(directory.connect()).rejects.toMatchObject({
      message: expect.stringMatching(/^No broker answered in \d+ attempts/),
      cause: { name: 'KafkaJSConnectionError' },
    })
  })
})
