import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  InvalidTopicError,
  MetadataRetriesExceededError,
  TopicAuthorizationError,
  TopicCreationError,
  UnknownTopicError,
} from '../../src/errors/index.js'
import { connectionError, gate, type ScriptedCluster, saslError } from '../metadata/scriptedCluster.js'
import { end, pass, type Seen, startDirectory, watch } from './harness.js'

let started: ReturnType<typeof startDirectory>
let cluster: ScriptedCluster

const begin = (...args: Parameters<typeof startDirectory>) => {
  started = startDirectory(...args)
  cluster = started.cluster
}
const resolve = (name: string): Seen => watch(started.directory.resolve(name))

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(async () => {
  expect(cluster.asked.filter(each => each.create)).toEqual([])
  await end(started.directory)
  vi.useRealTimers()
})

describe("topics: { create: 'never' }", () => {
  it('fails at once without waitForMs, after one request without the creation flag', async () => {
    begin({ create: 'never', waitForMs: 0 })
    cluster.addTopic('there')
    const missing = resolve('missing')
    const there = resolve('there')
    await pass(2)
    expect(missing.error).toBeInstanceOf(UnknownTopicError)
    expect(missing.error).toMatchObject({
      topic: 'missing',
      attempts: 1,
      message: expect.stringContaining('create'),
    })
    expect(there.view?.name).toBe('there')
    await pass(5000)
    expect(cluster.asked).toHaveLength(1)
    expect(cluster.creations).toEqual([])
    expect(cluster.probes).toEqual([])
  })

  it('gives somebody else waitForMs to create it', async () => {
    begin({ create: 'never', waitForMs: 1000 })
    const topic = resolve('t')
    await pass(700)
    expect(topic.error).toBeUndefined()
    cluster.addTopic('t')
    await pass(600)
    expect(topic.view?.name).toBe('t')
    expect(started.created).toEqual([])
  })

  it('fails when nobody did, and names waitForMs', async () => {
    begin({ create: 'never', waitForMs: 1000 })
    const topic = resolve('t')
    await pass(900)
    expect(topic.error).toBeUndefined()
    await pass(2000)
    expect(topic.error).toBeInstanceOf(UnknownTopicError)
    expect(topic.error.message).toContain('waitForMs (1000 ms)')
    expect(topic.error.attempts).toBeGreaterThan(2)
  })

  it('does not charge waitForMs with a cluster that does not answer', async () => {
    begin({ create: 'never', waitForMs: 0 })
    cluster.addTopic('t')
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    const topic = resolve('t')
    await pass(5000)
    expect(topic.error).toBeUndefined()
    cluster.beforeMetadata = () => {}
    await pass(2000)
    expect(topic.view?.name).toBe('t')
  })

  it('waits for the leaders of a topic that exists beyond waitForMs', async () => {
    begin({ create: 'never', waitForMs: 0 })
    cluster.addTopic('t', { leader: -1 })
    const topic = resolve('t')
    await pass(5000)
    expect(topic.error).toBeUndefined()
    cluster.addTopic('t')
    await pass(2000)
    expect(topic.view?.name).toBe('t')
  })

  it('fails a forbidden topic as such', async () => {
    begin({ create: 'never' })
    cluster.missing = () => 29
    const topic = resolve('t')
    await pass(2)
    expect(topic.error).toBeInstanceOf(TopicAuthorizationError)
  })
})

describe("topics: { create: 'admin' }", () => {
  it('creates the missing topics of one moment in one request, by the first rule that matches', async () => {
    begin({
      create: 'admin',
      replicationFactor: 2,
      rules: [
        { match: 'big.*', partitions: 12, configEntries: [{ name: 'retention.ms', value: '1000' }] },
        { match: 'small', partitions: 1, replicationFactor: 1 },
      ],
    })
    cluster.addTopic('there')
    cluster.controllerId = 2
    const topics = ['big.one', 'small', 'other', 'there'].map(resolve)
    await pass(20)
    expect(topics.map(each => each.view?.name)).toEqual(['big.one', 'small', 'other', 'there'])
    expect(cluster.creations).toMatchObject([
      {
        validateOnly: false,
        topics: [
          {
            name: 'big.one',
            numPartitions: 12,
            replicationFactor: 2,
            configs: [{ name: 'retention.ms', value: '1000' }],
          },
          { name: 'small', numPartitions: 1, replicationFactor: 1, configs: [] },
          { name: 'other', numPartitions: -1, replicationFactor: 2, configs: [] },
        ],
      },
    ])
    expect(cluster.creationNodes).toEqual([2])
    expect(started.created.map(each => each.join())).toEqual(['big.one,admin', 'small,admin', 'other,admin'])
  })

  it('gathers what is missing while a creation is under way into the next', async () => {
    begin({ create: 'admin' })
    const held = gate()
    const { CreateTopics } = cluster.handlers
    cluster.handlers.CreateTopics = async (request, node) => {
      await held.opened
      return CreateTopics(request, node)
    }
    resolve('a')
    await pass(10)
    const later = ['b', 'c'].map(resolve)
    await pass(200)
    expect(cluster.creations).toHaveLength(1)
    held.open()
    await pass(500)
    expect(cluster.creations.map(each => each.topics.map(topic => topic.name))).toEqual([['a'], ['b', 'c']])
    expect(later.every(each => each.view)).toBe(true)
  })

  it('takes a topic that exists already for created, and then waits for its metadata without creating again', async () => {
    begin({ create: 'admin' })
    cluster.handlers.CreateTopics = ({ topics }) => ({
      topics: topics.map(({ name }) => ({ name, errorCode: 36, errorMessage: 'exists' })),
    })
    const topic = resolve('t')
    await pass(3000)
    expect(topic.error).toBeUndefined()
    expect(cluster.creations).toHaveLength(1)
    cluster.addTopic('t')
    await pass(2000)
    expect(topic.view?.name).toBe('t')
    expect(started.created).toEqual([])
  })

  it.each([
    [
      'INVALID_REPLICATION_FACTOR',
      38,
      TopicCreationError,
      'Replication factor: 9 larger than available brokers: 3.',
    ],
    ['POLICY_VIOLATION', 44, TopicCreationError, 'names must begin with x'],
    ['INVALID_CONFIG', 40, TopicCreationError, 'Unknown topic config name: x'],
    ['INVALID_PARTITIONS', 37, TopicCreationError, 'too many'],
    ['TOPIC_AUTHORIZATION_FAILED', 29, TopicAuthorizationError, 'CREATE'],
    ['CLUSTER_AUTHORIZATION_FAILED', 31, TopicAuthorizationError, 'CREATE'],
    ['INVALID_TOPIC_EXCEPTION', 17, InvalidTopicError, "Topic 't.1' collides with existing topics: t_1"],
  ])('fails at once, typed, on %s, and takes no other topic with it', async (_, code, type, reason) => {
    begin({ create: 'admin' })
    const { CreateTopics } = cluster.handlers
    cluster.handlers.CreateTopics = async (request, node) => {
      const answer = await CreateTopics(request, node)
      return {
        topics: answer.topics.map(each =>
          each.name === 't.1' ? { name: 't.1', errorCode: code, errorMessage: reason } : each,
        ),
      }
    }
    const bad = resolve('t.1')
    const good = resolve('good')
    await pass(20)
    expect(bad.error).toBeInstanceOf(type)
    expect(bad.error).toMatchObject({ topic: 't.1', message: expect.stringContaining(reason) })
    expect(good.view?.name).toBe('good')
    await pass(5000)
    expect(cluster.creations).toHaveLength(1)
  })

  it('looks for the controller again after NOT_CONTROLLER', async () => {
    begin({ create: 'admin' })
    const { CreateTopics } = cluster.handlers
    cluster.handlers.CreateTopics = (request, node) => {
      if (node === 3) return CreateTopics(request, node)
      cluster.controllerId = 3
      return { topics: request.topics.map(({ name }) => ({ name, errorCode: 41, errorMessage: null })) }
    }
    const topic = resolve('t')
    await pass(1000)
    expect(cluster.creationNodes).toEqual([1, 3])
    expect(topic.view?.name).toBe('t')
  })

  it('asks any broker while the controller is unknown', async () => {
    begin({ create: 'admin' })
    cluster.controllerId = -1
    const topic = resolve('t')
    await pass(20)
    expect(topic.view?.name).toBe('t')
  })

  it('looks before it creates again after a time-out or a lost answer: the topic may be there', async () => {
    begin({ create: 'admin' })
    const { CreateTopics } = cluster.handlers
    cluster.handlers.CreateTopics = async (request, node) => {
      await CreateTopics(request, node)
      if (request.topics[0]?.name === 'lost') throw connectionError()
      return { topics: request.topics.map(({ name }) => ({ name, errorCode: 7, errorMessage: null })) }
    }
    const late = resolve('late')
    await pass(1000)
    const lost = resolve('lost')
    await pass(1000)
    expect(late.view?.name).toBe('late')
    expect(lost.view?.name).toBe('lost')
    expect(cluster.creations).toHaveLength(2)
  })

  it('creates nothing until a quota allows it again', async () => {
    begin({ create: 'admin' })
    const { CreateTopics } = cluster.handlers
    let throttled = true
    cluster.handlers.CreateTopics = (request, node) =>
      throttled
        ? {
            throttleTimeMs: 4000,
            topics: request.topics.map(({ name }) => ({ name, errorCode: 89, errorMessage: null })),
          }
        : CreateTopics(request, node)
    const topic = resolve('t')
    await pass(100)
    const other = resolve('other')
    await pass(3500)
    expect(cluster.creations).toHaveLength(1)
    throttled = false
    await pass(2500)
    expect(cluster.creations.length).toBeGreaterThan(1)
    expect([topic, other].map(each => each.view?.name)).toEqual(['t', 'other'])
  })

  it('ends with the quota as the cause when it lasts longer than the budget', async () => {
    begin({ create: 'admin' }, { maxRetryTimeMs: 2000 })
    cluster.handlers.CreateTopics = request => ({
      throttleTimeMs: 60_000,
      topics: request.topics.map(({ name }) => ({ name, errorCode: 89, errorMessage: null })),
    })
    const topic = resolve('t')
    await pass(5000)
    expect(topic.error).toBeInstanceOf(MetadataRetriesExceededError)
    expect(topic.error.cause).toMatchObject({ type: 'THROTTLING_QUOTA_EXCEEDED' })
  })

  it('stays below 10,000 partitions in each request', async () => {
    begin({ create: 'admin', partitions: 3000 })
    const topics = Array.from({ length: 10 }, (_, index) => resolve(`t-${index}`))
    await pass(500)
    expect(cluster.creations.map(each => each.topics.length)).toEqual([3, 3, 3, 1])
    expect(topics.every(each => each.view)).toBe(true)
  })

  it("splits a request that the broker's default number of partitions makes too large", async () => {
    begin({ create: 'admin' })
    const { CreateTopics } = cluster.handlers
    cluster.handlers.CreateTopics = (request, node) =>
      request.topics.length > 3
        ? {
            topics: request.topics.map(({ name }) => ({
              name,
              errorCode: 44,
              errorMessage: 'Excessively large number of partitions per request.',
            })),
          }
        : CreateTopics(request, node)
    const topics = Array.from({ length: 10 }, (_, index) => resolve(`t-${index}`))
    await pass(500)
    expect(topics.every(each => each.view)).toBe(true)
    expect(
      new Set(cluster.creations.slice(1).flatMap(each => each.topics.map(topic => topic.name))).size,
    ).toBe(10)
  })

  it('says what an old broker needs: it has no defaults for partitions and replicas', async () => {
    begin({ create: 'admin', rules: [{ match: 'full', partitions: 2, replicationFactor: 1 }] })
    cluster.versions.CreateTopics = 3
    const full = resolve('full')
    await pass(100)
    const bare = resolve('bare')
    await pass(100)
    expect(full.view?.partitions).toHaveLength(2)
    expect(bare.error).toMatchObject({ message: expect.stringContaining('give both in the option topics') })
  })

  it('surfaces a bug in the creation as itself', async () => {
    begin({ create: 'admin' })
    const bug = new TypeError('x is undefined')
    cluster.handlers.CreateTopics = () => {
      throw bug
    }
    const topic = resolve('t')
    await pass(20)
    expect(topic.error).toBe(bug)
  })
})

describe('connect', () => {
  it('asks for the brokers alone, and hands them to the transport', async () => {
    begin()
    const connected = started.directory.connect()
    await pass(2)
    await connected
    expect(cluster.metadata.map(each => [each.names, each.create])).toEqual([[[], false]])
    expect(started.directory.brokers.map(each => each.nodeId)).toEqual([1, 2, 3])
    expect(cluster.setBrokersCalls).toEqual([started.directory.brokers])
  })

  it('waits for a broker to answer', async () => {
    begin()
    let failures = 3
    cluster.beforeMetadata = () => {
      if (failures-- > 0) throw connectionError()
    }
    const connected = started.directory.connect()
    await pass(2000)
    await connected
    expect(cluster.metadata).toHaveLength(4)
  })

  it('ends with one clear error when none does, after one warning', async () => {
    begin({}, { maxRetryTimeMs: 10_000 })
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    const failed = expect(started.directory.connect()).rejects.toMatchObject({
      message: expect.stringMatching(
        /^No broker answered in \d+ attempts .*ECONNREFUSED.*Look at the addresses/,
      ),
      retriable: false,
      cause: { name: 'KafkaJSConnectionError' },
    })
    await pass(12_000)
    await failed
    expect(started.log.lines.filter(each => each.level === 'warn')).toHaveLength(1)
  })

  it('ends at once on refused credentials', async () => {
    begin()
    const refused = saslError()
    cluster.beforeMetadata = () => {
      throw refused
    }
    const failed = expect(started.directory.connect()).rejects.toBe(refused)
    await pass(2)
    await failed
    expect(cluster.metadata).toHaveLength(1)
  })

  it('ends with the error it is closed with', async () => {
    begin()
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    const closed = new Error('closed')
    const failed = expect(started.directory.connect()).rejects.toBe(closed)
    await pass(500)
    started.directory.close(closed)
    await pass(1)
    await failed
  })
})

describe('a topic deleted while in use', () => {
  it('is gone, and then found or created anew by its policy', async () => {
    begin({ create: 'admin' })
    const changes: unknown[] = []
    started.directory.subscribe(change => changes.push('gone' in change ? change : change.topic.topicId))
    resolve('t')
    resolve('other')
    await pass(20)
    changes.length = 0
    cluster.topics.delete('t')
    started.directory.refreshLeaders('t')
    await pass(10)
    expect(changes).toEqual([{ gone: 't' }])
    expect(started.directory.topic('t')).toBeUndefined()
    expect(started.directory.topic('other')).toBeDefined()
    const again = resolve('t')
    await pass(20)
    expect(again.view?.name).toBe('t')
    expect(cluster.creations.flatMap(each => each.topics.map(topic => topic.name))).toEqual([
      't',
      'other',
      't',
    ])
  })
})
