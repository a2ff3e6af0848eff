import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TopicCreationDisabledError, TopicCreationError } from '../../src/errors/index.js'
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
      await pass(1000)
      expect(topic.error).toBeUndefined()
      cluster.missing = () => undefined
      await pass(2000)
      expect(topic.view?.name).toBe('t')
      expect(cluster.creations.every(each => each.validateOnly)).toBe(true)
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
})
