import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  InvalidTopicError,
  MetadataRetriesExceededError,
  TopicAuthorizationError,
  TopicCreationError,
} from '../../src/errors/index.js'
import { connectionError, gate, type ScriptedCluster } from '../metadata/scriptedCluster.js'
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
    expect(bare.error).toMatchObject({
      topic: 'bare',
      message: expect.stringMatching(/topic "bare".*Give both in the option topics/),
    })
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

describe('a topic deleted while in use', () => {
  it('is gone, and then found or created anew by its policy', async () => {
    begin({ create: 'admin' })
    const changes: unknown[] = []
    started.directory.subscribe(change => changes.push('topic' in change ? change.topic.topicId : change))
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
