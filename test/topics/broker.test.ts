import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  InvalidTopicError,
  MetadataRetriesExceededError,
  TopicAuthorizationError,
  TopicCreationDisabledError,
  TopicCreationError,
} from '../../src/errors/index.js'
import { connectionError, gate, type ScriptedCluster } from '../metadata/scriptedCluster.js'
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

  describe('where brokers do not create topics', () => {
    beforeEach(() => {
      cluster.autoCreate = 'false'
    })

    it('fails 20 topics after at most two metadata requests and one DescribeConfigs; good topics pass', async () => {
      cluster.addTopic('good')
      await Promise.all([started.directory.connect(), pass(2)])
      const bad = Array.from({ length: 20 }, (_, index) => `bad-${index}`)
      const seen = bad.map(resolve)
      const good = resolve('good')
      await pass(2)
      expect(good.view?.name).toBe('good')
      await pass(20)
      for (const [index, each] of seen.entries()) {
        expect(each.error).toBeInstanceOf(TopicCreationDisabledError)
        expect(each.error).toMatchObject({ topic: bad[index], attempts: 1 })
        expect(each.error.message).toContain('broker 1')
        expect(each.error.message).toContain('auto.create.topics.enable')
      }
      await pass(60_000)
      expect(cluster.metadata).toHaveLength(2)
      expect(cluster.probes).toHaveLength(1)
      expect(cluster.probes[0]).toMatchObject({
        node: 1,
        request: {
          resources: [
            { resourceType: 4, resourceName: '1', configurationKeys: ['auto.create.topics.enable'] },
          ],
        },
      })
    })

    it('remembers what a broker answered, for five minutes', async () => {
      resolve('a')
      await pass(10)
      const again = resolve('b')
      await pass(10)
      expect(again.error).toBeInstanceOf(TopicCreationDisabledError)
      expect(cluster.probes).toHaveLength(1)
      await pass(301_000)
      resolve('c')
      await pass(10)
      expect(cluster.probes).toHaveLength(2)
    })

    it('fails a topic in its backoff too, when the broker tells late', async () => {
      const held = gate()
      const { DescribeConfigs } = cluster.handlers
      cluster.handlers.DescribeConfigs = async (request, node) => {
        await held.opened
        return DescribeConfigs(request, node)
      }
      const topic = resolve('t')
      await pass(1000)
      // It goes on meanwhile: the probe must not hold a topic up that is being created.
      expect(cluster.asked.length).toBeGreaterThan(1)
      expect(topic.error).toBeUndefined()
      held.open()
      await pass(1)
      expect(topic.error).toBeInstanceOf(TopicCreationDisabledError)
      expect(cluster.probes).toHaveLength(1)
    })

    it('goes on where a broker that does create topics answered first: this one may only lag behind', async () => {
      const { DescribeConfigs } = cluster.handlers
      cluster.handlers.DescribeConfigs = (request, node) => {
        cluster.autoCreate = node === 1 ? 'true' : 'false'
        return DescribeConfigs(request, node)
      }
      const topic = resolve('t')
      await pass(60)
      cluster.brokers = cluster.brokers.slice(1)
      await pass(5000)
      expect(cluster.asked.some(each => each.node === 2)).toBe(true)
      expect(topic.error).toBeUndefined()
      cluster.missing = () => undefined
      await pass(2000)
      expect(topic.view?.name).toBe('t')
    })

    it('does not call an existing topic without leaders missing', async () => {
      cluster.addTopic('offline', { leader: -1 })
      const topic = resolve('offline')
      await pass(5000)
      expect(topic.error).toBeUndefined()
      expect(cluster.probes).toEqual([])
    })
  })

  describe('where a broker does not tell whether it creates topics', () => {
    const empty = { throttleTimeMs: 0, results: [] }
    const refused = (errorCode: number) => ({
      throttleTimeMs: 0,
      results: [{ errorCode, errorMessage: 'no', resourceType: 4, resourceName: '1', configs: [] }],
    })

    it.each([
      ['not authorized', () => refused(31)],
      ['no such setting', () => refused(0)],
      ['an empty answer', () => empty],
      [
        'no answer',
        () => {
          throw connectionError()
        },
      ],
    ])('keeps asking for the topic: %s', async (_, answer) => {
      cluster.handlers.DescribeConfigs = answer
      const topic = resolve('t')
      await pass(2000)
      expect(topic.error).toBeUndefined()
      cluster.missing = () => undefined
      await pass(2000)
      expect(topic.view?.name).toBe('t')
      expect(cluster.creations).toEqual([])
    })

    it('surfaces a bug in the asking', async () => {
      const bug = new TypeError('x is undefined')
      cluster.handlers.DescribeConfigs = () => {
        throw bug
      }
      const topic = resolve('t')
      await pass(10)
      expect(topic.error).toBe(bug)
    })
  })

  it('does not ask a seed broker whose id is unknown for its setting', async () => {
    cluster.brokers = [{ nodeId: -1, host: '127.0.0.1', port: 1, rack: null }]
    resolve('t')
    await pass(1000)
    expect(cluster.asked.length).toBeGreaterThan(1)
    expect(cluster.probes).toEqual([])
  })

  describe('a topic that stays unknown although brokers create topics', () => {
    it.each([
      ['a name collision', 17, "Topic 'a.b' collides with existing topics: a_b"],
      ['a replication factor', 38, 'Replication factor: 3 larger than available brokers: 1.'],
      ['a policy', 44, 'not like this'],
      ['a number of partitions', 37, 'too many'],
      ['a configuration', 40, 'no such setting'],
    ])("fails with the cluster's own reason: %s", async (_, errorCode, errorMessage) => {
      cluster.handlers.CreateTopics = ({ topics }) => ({
        topics: topics.map(({ name }) => ({ name, errorCode, errorMessage })),
      })
      const topic = resolve('a.b')
      await pass(3000)
      expect(topic.error).toBeInstanceOf(TopicCreationError)
      expect(topic.error).toMatchObject({ topic: 'a.b', code: errorCode, outcome: 'not-written' })
      expect(topic.error.message).toContain(errorMessage)
      expect(cluster.creations).toMatchObject([
        { validateOnly: true, topics: [{ name: 'a.b', numPartitions: -1, replicationFactor: -1 }] },
      ])
      expect(cluster.topics.has('a.b')).toBe(false)
    })

    it.each([
      ['nothing against it', 0],
      ['a missing right', 29],
      ['a missing right on the cluster', 31],
      ['an existing topic', 36],
      ['another controller', 41],
      ['a quota', 89],
    ])('goes on after %s, and asks only once', async (_, errorCode) => {
      cluster.handlers.CreateTopics = ({ topics }) => ({
        topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
      })
      const topic = resolve('t')
      await pass(10_000)
      expect(topic.error).toBeUndefined()
      expect(cluster.creations).toHaveLength(1)
      cluster.missing = () => undefined
      await pass(2000)
      expect(topic.view?.name).toBe('t')
    })

    it('asks the controller for many topics in few requests', async () => {
      cluster.controllerId = 3
      for (let index = 0; index < 250; index++) resolve(`t-${index}`)
      await pass(10_000)
      const sizes = cluster.creations.map(each => each.topics.length)
      expect(sizes.reduce((sum, each) => sum + each, 0)).toBe(250)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100)
      expect(new Set(cluster.creationNodes)).toEqual(new Set([3]))
    })

    it('asks an old broker only what it understands, and one without validateOnly nothing', async () => {
      cluster.versions.CreateTopics = 3
      resolve('old')
      await pass(3000)
      expect(cluster.creations).toMatchObject([
        { validateOnly: true, topics: [{ numPartitions: 1, replicationFactor: 1 }] },
      ])
      cluster.versions.CreateTopics = 0
      const topic = resolve('older')
      await pass(3000)
      expect(cluster.creations).toHaveLength(1)
      expect(topic.error).toBeUndefined()
    })
  })

  describe('while it waits', () => {
    it('warns once per topic after five seconds, with what it waits for and why', async () => {
      resolve('slow"\n')
      resolve('slow')
      await pass(4000)
      expect(started.log.lines.filter(each => each.level === 'warn')).toEqual([])
      await pass(15_000)
      const warnings = started.log.lines.filter(each => each.level === 'warn')
      expect(warnings).toHaveLength(1)
      expect(warnings[0]?.message).toContain('topic "slow"')
      expect(warnings[0]?.message).toContain('UNKNOWN_TOPIC_OR_PARTITION')
      expect(started.log.lines.filter(each => each.level === 'error')).toEqual([])
    })

    it('logs each retry as a debug line with attempt and next delay', async () => {
      resolve('t')
      await pass(300)
      const retries = started.log.lines.filter(each => each.message === 'Topic is not available yet')
      expect(retries[0]).toMatchObject({ level: 'debug', extra: { topic: 't', attempt: 1, delayMs: 50 } })
      expect(retries[1]).toMatchObject({ extra: { attempt: 2, delayMs: 100 } })
    })

    it('tells onRetry each retry, and survives what that throws', async () => {
      const notices: unknown[] = []
      let calls = 0
      begin(
        {},
        {
          onRetry: notice => {
            notices.push(notice)
            if (++calls === 1) throw new Error('from onRetry')
            if (calls === 2) return Promise.reject(new Error('from onRetry')) as never
          },
        },
      )
      const topic = resolve('t')
      await pass(1000)
      cluster.missing = () => undefined
      await pass(1000)
      expect(topic.view?.name).toBe('t')
      expect(notices[0]).toMatchObject({ topic: 't', attempt: 1, delayMs: 50, error: expect.any(Error) })
      expect(notices.length).toBeGreaterThan(2)
      expect(started.log.lines.filter(each => each.level === 'error')).toHaveLength(2)
    })

    it('counts the topics it waits for', async () => {
      resolve('a')
      resolve('b')
      resolve('b')
      expect(started.directory.waitingTopics).toBe(2)
      cluster.missing = () => undefined
      await pass(1000)
      expect(started.directory.waitingTopics).toBe(0)
    })

    it('asks no more for a topic that nobody waits for, and begins anew when somebody does', async () => {
      const topic = resolve('t')
      await pass(500)
      started.directory.release('t')
      await pass(1)
      expect(topic.error).toMatchObject({ message: expect.stringContaining('Nobody waits') })
      cluster.metadata.length = 0
      await pass(10_000)
      expect(cluster.asked).toEqual([])
      expect(started.directory.waitingTopics).toBe(0)
      cluster.missing = () => undefined
      const again = resolve('t')
      await pass(2)
      expect(again.view?.name).toBe('t')
    })

    it('does not end a second wait by what the first one still had under way', async () => {
      const held = gate()
      cluster.beforeMetadata = () => held.opened
      resolve('t')
      await pass(2)
      started.directory.release('t')
      const second = resolve('t')
      cluster.missing = () => (cluster.asked.length === 1 ? 29 : undefined)
      held.open()
      await pass(200)
      expect(second.view?.name).toBe('t')
    })

    it('ends every wait with the error it is closed with', async () => {
      const topics = ['a', 'b'].map(resolve)
      await pass(500)
      const closed = new Error('closed')
      started.directory.close(closed)
      await pass(1)
      expect(topics.map(each => each.error)).toEqual([closed, closed])
      await expect(started.directory.resolve('c')).rejects.toBe(closed)
      cluster.metadata.length = 0
      await pass(10_000)
      expect(cluster.metadata).toEqual([])
    })

    it('rejects with what a rule of the policy throws', async () => {
      const bug = new Error('from a rule')
      begin({
        rules: [
          {
            match: () => {
              throw bug
            },
          },
        ],
      })
      const topic = resolve('t')
      await pass(1)
      expect(topic.error).toBe(bug)
    })
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
