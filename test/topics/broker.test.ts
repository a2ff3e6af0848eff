import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  InvalidTopicError,
  MetadataRetriesExceededError,
  TopicAuthorizationError,
} from '../../src/errors/index.js'
import { connectionError, type ScriptedCluster } from '../metadata/scriptedCluster.js'
import { end, pass, type Seen, startDirectory, watch } from './harness.js'

describe("topics: { create: 'broker' }", () => {
  let started: ReturnType<typeof startDirectory>
  let cluster: ScriptedCluster

  const begin = (...args: Parameters<typeof startDirectory>) => {
    started = startDirectory(...args)
    cluster = started.cluster
  }
  const resolve = (name: string): Seen => watch(started.directory.resolve(name))

  beforeEach(() => {
    vi.useFakeTimers()
    begin()
  })
  afterEach(async () => {
    await end(started.directory)
    vi.useRealTimers()
  })

  it('is answered at once, and once, for topics that exist', async () => {
    cluster.addTopic('t', { partitions: 3 })
    const all = ['t', 't', 't'].map(resolve)
    await pass(2)
    expect(all.map(each => each.view?.available)).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ])
    expect(cluster.asked).toHaveLength(1)
    expect(cluster.asked[0]).toMatchObject({ names: ['t'], create: true })
    expect(started.directory.topic('t')).toBe(all[0]?.view)
    expect(started.waited).toEqual([['t', 'available']])
    expect(started.created).toEqual([])
    resolve('t')
    await pass(2)
    expect(cluster.asked).toHaveLength(1)
  })

  it.each([
    ['kraft', 3],
    ['zk', 5],
  ])('waits for a topic in creation, in the way of %s', async (_, code) => {
    let answers = 0
    cluster.missing = (_name, create) => (create && ++answers > 4 ? undefined : code)
    const topic = resolve('new')
    await pass(3000)
    expect(topic.view?.name).toBe('new')
    expect(answers).toBe(5)
    expect(cluster.asked.every(each => each.create)).toBe(true)
    expect(started.created).toEqual([['new', 'broker']])
    expect(new Set(started.retried.map(each => each[1]))).toEqual(
      new Set([code === 3 ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'LEADER_NOT_AVAILABLE']),
    )
  })

  it('waits for leaders that come later than the topic', async () => {
    cluster.addTopic('new', { partitions: 2, leader: -1 })
    const topic = resolve('new')
    await pass(500)
    expect(topic.view).toBeUndefined()
    cluster.topics.get('new')!.partitions[1]!.leader = 2
    await pass(2000)
    expect(topic.view?.available).toEqual([1])
  })

  it('is served early by a request for another topic, in the middle of its backoff', async () => {
    cluster.missing = name => (name === 'slow' || name === 'other' ? 3 : undefined)
    const slow = resolve('slow')
    await pass(4000)
    expect(slow.view).toBeUndefined()
    const asked = cluster.asked.length
    cluster.missing = () => undefined
    resolve('unrelated')
    await pass(2)
    expect(cluster.asked).toHaveLength(asked + 1)
    expect(slow.view?.name).toBe('slow')
    cluster.metadata.length = 0
    await pass(10_000)
    expect(cluster.asked).toEqual([])
  })

  it('waits although one broker does not see the topic yet', async () => {
    cluster.addTopic('t')
    const { Metadata } = cluster.handlers
    let blind = 3
    cluster.handlers.Metadata = (request, node) =>
      blind-- > 0
        ? { brokers: cluster.brokers, topics: [{ errorCode: 3, name: 't', partitions: [] }] }
        : Metadata(request, node)
    const topic = resolve('t')
    await pass(3000)
    expect(topic.view?.name).toBe('t')
  })

  it('ends with the spent budget and the last answer when the topic never comes', async () => {
    begin({}, { retries: 4 })
    const topic = resolve('never')
    await pass(60_000)
    expect(topic.error).toBeInstanceOf(MetadataRetriesExceededError)
    expect(topic.error).toMatchObject({
      topic: 'never',
      attempts: 5,
      outcome: 'not-written',
      message: expect.stringContaining('metadataRetry'),
      cause: { type: 'UNKNOWN_TOPIC_OR_PARTITION', message: expect.stringContaining('broker 1 answered') },
    })
    expect(started.waited).toEqual([['never', 'failed']])
  })

  it('outlasts failures of the transport', async () => {
    let failures = 5
    cluster.missing = () => undefined
    cluster.beforeMetadata = () => {
      if (failures-- > 0) throw connectionError()
    }
    const topic = resolve('t')
    await pass(5000)
    expect(topic.view?.name).toBe('t')
    expect(started.retried.map(each => each[1])).toEqual(Array(5).fill('KafkaJSConnectionError'))
  })

  it('surfaces a bug as itself, at once', async () => {
    const bug = new TypeError('fetch failed')
    cluster.beforeMetadata = () => {
      throw bug
    }
    const topic = resolve('t')
    await pass(10)
    expect(topic.error).toBe(bug)
    expect(cluster.asked).toHaveLength(1)
  })

  it('fails a forbidden topic at once, and no other', async () => {
    cluster.missing = name => (name === 'forbidden' ? 29 : undefined)
    const forbidden = resolve('forbidden')
    const other = resolve('other')
    await pass(2)
    expect(forbidden.error).toBeInstanceOf(TopicAuthorizationError)
    expect(forbidden.error).toMatchObject({ topic: 'forbidden', message: expect.stringContaining('CREATE') })
    expect(other.view?.name).toBe('other')
  })

  it("fails a topic refused as invalid, with the cluster's reason where it gives one", async () => {
    cluster.missing = () => 17
    cluster.handlers.CreateTopics = ({ topics }) => ({
      topics: topics.map(({ name }) => ({ name, errorCode: 17, errorMessage: 'it collides with a_b' })),
    })
    const topic = resolve('a.b')
    await pass(5)
    expect(topic.error).toBeInstanceOf(InvalidTopicError)
    expect(topic.error.message).toContain('it collides with a_b')
    expect(cluster.creations.map(each => each.validateOnly)).toEqual([true])
  })

  it.each(['', '..', 'a b', 'x'.repeat(250)])('refuses the name %j without asking anybody', async name => {
    const topic = resolve(name)
    await pass(2)
    expect(topic.error).toBeInstanceOf(InvalidTopicError)
    expect(cluster.metadata).toEqual([])
  })

  it('gives each topic its own budget: one that comes late is not charged with the others', async () => {
    begin({}, { maxRetryTimeMs: 5000 })
    const first = resolve('first')
    await pass(4000)
    const second = resolve('second')
    await pass(3000)
    expect(first.error).toBeInstanceOf(MetadataRetriesExceededError)
    expect(second.error).toBeUndefined()
    cluster.missing = () => undefined
    await pass(1100)
    expect(second.view?.name).toBe('second')
  })

  it('delivers 300 new topics, created one after another, in at most 10 requests', async () => {
    begin({}, { jitter: true })
    const bornAt = new Map<string, number>()
    cluster.missing = name => {
      if (!bornAt.has(name)) bornAt.set(name, performance.now() + bornAt.size * 1.5)
      return performance.now() >= bornAt.get(name)! ? undefined : 3
    }
    const topics = Array.from({ length: 300 }, (_, index) => resolve(`new-${index}`))
    await pass(2000)
    expect(topics.filter(each => each.view)).toHaveLength(300)
    expect(cluster.metadata.length).toBeLessThanOrEqual(10)
    expect(cluster.probes).toHaveLength(1)
    expect(cluster.creations).toEqual([])
  })
})
