import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MetadataCache, type TopicChange } from '../../src/metadata/cache/cache.js'
import { LeaderRefresh } from '../../src/metadata/leaders.js'
import { MetadataRefresher } from '../../src/metadata/requests/refresher.js'
import { MetadataUpkeep } from '../../src/metadata/upkeep.js'
import { recordingLogger } from './logs.js'
import { connectionError, performanceClock, ScriptedCluster } from './scriptedCluster.js'

const MAX_AGE_MS = 300_000

describe('metadata of topics in use', () => {
  let cluster: ScriptedCluster
  let cache: MetadataCache
  let refresher: MetadataRefresher
  let upkeep: MetadataUpkeep
  let leaders: LeaderRefresh
  let log: ReturnType<typeof recordingLogger>
  let changes: TopicChange[]
  let refreshed: [string, string][]

  const begin = (metadataMaxAgeMs = MAX_AGE_MS, metadataMaxIdleMs = MAX_AGE_MS) => {
    cache = new MetadataCache({ onBrokers: () => {}, onListenerError: () => {} })
    const observer = {
      metadataRefreshed: (trigger: string, outcome: string) => refreshed.push([trigger, outcome]),
    }
    refresher = new MetadataRefresher({
      transport: cluster,
      cache,
      clock: performanceClock,
      logger: log.logger,
      observer,
      requestTimeoutMs: 3000,
      pace: { minTimeoutMs: 50, maxTimeoutMs: 1000 },
    })
    upkeep = new MetadataUpkeep({ cache, refresher, logger: log.logger, metadataMaxAgeMs, metadataMaxIdleMs })
    const retry = { minTimeoutMs: 50, maxTimeoutMs: 1000, factor: 2, jitter: false }
    leaders = new LeaderRefresh({ cache, upkeep, logger: log.logger, retry })
    cache.subscribe(() => upkeep.arm())
    cache.subscribe(change => changes.push(change))
  }

  beforeEach(() => {
    vi.useFakeTimers()
    cluster = new ScriptedCluster()
    log = recordingLogger()
    changes = []
    refreshed = []
    begin()
  })

  afterEach(() => {
    leaders.close()
    upkeep.close()
    refresher.close(new Error('the test has ended'))
    expect(vi.getTimerCount()).toBe(0)
    expect(log.lines.filter(each => each.level === 'error')).toEqual([])
    vi.useRealTimers()
  })

  const settle = () => vi.advanceTimersByTimeAsync(5)
  const learn = async (...names: readonly string[]) => {
    for (const name of names) {
      if (!cluster.topics.has(name)) cluster.addTopic(name)
      await Promise.all([refresher.lookup(name, { create: false, trigger: 'topic' }), settle()])
    }
    cluster.metadata.length = 0
    changes.length = 0
    refreshed.length = 0
  }

  describe('by age', () => {
    it('asks for all topics in use again, by name and without the creation flag, in one request', async () => {
      await learn('a', 'b')
      await vi.advanceTimersByTimeAsync(MAX_AGE_MS)
      expect(cluster.asked.map(each => [each.names, each.create])).toEqual([[['a', 'b'], false]])
      expect(refreshed).toEqual([['age', 'ok']])
    })

    it('lets no topic in use grow older than the maximum age', async () => {
      await learn('a')
      await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 2)
      await learn('b')
      for (let step = 0; step < 60; step++) {
        cache.topic('a')
        cache.topic('b')
        await vi.advanceTimersByTimeAsync(MAX_AGE_MS / 10)
        for (const name of ['a', 'b'])
          expect(performance.now() - cache.peek(name)!.fetchedAt).toBeLessThanOrEqual(MAX_AGE_MS + 10)
      }
    })

    it('forgets topics that are not used, then sleeps: no timer is left', async () => {
      await learn('a')
      await vi.advanceTimersByTimeAsync(3 * MAX_AGE_MS)
      expect(cache.size).toBe(0)
      expect(vi.getTimerCount()).toBe(0)
      expect(cluster.asked.length).toBeLessThanOrEqual(2)
    })

    it('wakes at most once per maximum age', async () => {
      await learn('a', 'b', 'c')
      expect(vi.getTimerCount()).toBe(1)
      vi.advanceTimersToNextTimer()
      expect(performance.now()).toBeGreaterThanOrEqual(MAX_AGE_MS)
      await settle()
    })

    it('does without the topics that failed to refresh, until the next time', async () => {
      await learn('a')
      const used = setInterval(() => cache.topic('a'), 1000)
      cluster.beforeMetadata = () => {
        throw connectionError()
      }
      await vi.advanceTimersByTimeAsync(MAX_AGE_MS + 10)
      expect(cluster.asked).toHaveLength(1)
      expect(cache.has('a')).toBe(true)
      cluster.beforeMetadata = () => {}
      await vi.advanceTimersByTimeAsync(MAX_AGE_MS + 10)
      expect(performance.now() - cache.peek('a')!.fetchedAt).toBeLessThan(1000)
      clearInterval(used)
    })

    it('survives ages beyond what a timer can hold', async () => {
      upkeep.close()
      begin(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
      await learn('a')
      await vi.advanceTimersByTimeAsync(1000)
      expect(cluster.asked).toEqual([])
    })
  })

  describe('a topic that is not known any more', () => {
    it('is gone when two answers say so, the second of another broker', async () => {
      await learn('t')
      cluster.topics.delete('t')
      leaders.request('t')
      await settle()
      expect(cluster.asked.map(each => each.node)).toEqual([1, 2])
      expect(changes).toEqual([{ gone: 't' }])
      expect(cache.topic('t')).toBeUndefined()
    })

    it('is not gone when only one broker has not heard of it', async () => {
      await learn('t')
      const { Metadata } = cluster.handlers
      cluster.handlers.Metadata = (request, node) =>
        node === 1
          ? { brokers: cluster.brokers, topics: [{ errorCode: 3, name: 't', partitions: [] }] }
          : Metadata(request, node)
      leaders.request('t')
      await settle()
      expect(cluster.asked.map(each => each.node)).toEqual([1, 2])
      expect(changes).toEqual([])
      expect(cache.topic('t')).toBeDefined()
    })

    it('does not take others with it', async () => {
      await learn('t', 'u')
      cluster.topics.delete('t')
      await vi.advanceTimersByTimeAsync(MAX_AGE_MS)
      await settle()
      expect(changes).toEqual([{ gone: 't' }])
      expect(cache.has('u')).toBe(true)
    })

    it('stays as it is when it is forbidden or without leaders', async () => {
      await learn('t')
      for (const code of [29, 5]) {
        const { Metadata } = cluster.handlers
        cluster.handlers.Metadata = () => ({
          brokers: cluster.brokers,
          topics: [{ errorCode: code, name: 't', partitions: [] }],
        })
        leaders.request('t')
        await vi.advanceTimersByTimeAsync(2000)
        cluster.handlers.Metadata = Metadata
      }
      expect(changes).toEqual([])
      expect(cache.has('t')).toBe(true)
    })
  })
})
