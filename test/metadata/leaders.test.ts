import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MetadataCache, type TopicChange } from '../../src/metadata/cache/cache.js'
import { LeaderRefresh } from '../../src/metadata/leaders.js'
import { MetadataRefresher } from '../../src/metadata/requests/refresher.js'
import { MetadataUpkeep } from '../../src/metadata/upkeep.js'
import { recordingLogger } from './logs.js'
import { connectionError, gate, performanceClock, ScriptedCluster } from './scriptedCluster.js'

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
  const moveLeader = (name: string, leader: number, epoch: number) => {
    const partition = cluster.topics.get(name)!.partitions[0]!
    Object.assign(partition, { leader, epoch })
  }

  describe('after a leadership error', () => {
    it('asks for that topic alone, at once, and tells the new leader', async () => {
      await learn('t', 'u')
      moveLeader('t', 2, 1)
      leaders.request('t')
      await settle()
      expect(cluster.asked.map(each => [each.names, each.create])).toEqual([[['t'], false]])
      expect(changes).toEqual([{ topic: cache.peek('t') }])
      expect(cache.peek('t')?.partitions[0]).toMatchObject({ leader: 2, leaderEpoch: 1 })
      expect(refreshed).toEqual([['leader', 'ok']])
    })

    it('asks for many topics in one request', async () => {
      await learn('a', 'b', 'c')
      for (const name of ['a', 'b', 'c', 'a']) leaders.request(name)
      await settle()
      expect(cluster.asked.map(each => each.names)).toEqual([['a', 'b', 'c']])
    })

    it('begins to ask for thousands over several turns of the event loop', async () => {
      const names = Array.from({ length: 2000 }, (_, i) => `t${i}`)
      for (const name of names) cluster.addTopic(name)
      await Promise.all([
        ...names.map(name => refresher.lookup(name, { create: false, trigger: 'topic' })),
        vi.advanceTimersByTimeAsync(100),
      ])
      const ask = vi.spyOn(upkeep, 'ask')
      cluster.metadata.length = 0
      for (const name of names) leaders.request(name)
      for (const name of names) leaders.request(name)
      const inOneTurn = ask.mock.calls.length
      expect(inOneTurn).toBeGreaterThan(0)
      expect(inOneTurn).toBeLessThanOrEqual(500)
      await vi.advanceTimersByTimeAsync(20)
      expect(new Set(cluster.asked.flatMap(each => each.names)).size).toBe(2000)
    })

    it('asks through another broker than the silent one', async () => {
      await learn('t')
      leaders.request('t', 1)
      await settle()
      expect(cluster.asked[0]?.node).toBe(2)
    })

    it('backs off per topic while nothing changes, however often it is asked', async () => {
      await learn('t', 'u')
      const pester = setInterval(() => leaders.request('t'), 1)
      await vi.advanceTimersByTimeAsync(5000)
      clearInterval(pester)
      const starts = cluster.asked.map(each => each.at)
      const gaps = starts.slice(1).map((start, index) => start - starts[index]!)
      gaps.forEach((gap, index) => {
        expect(gap).toBeGreaterThanOrEqual(Math.min(1000, 50 * 2 ** index))
      })
      expect(starts.length).toBeGreaterThan(5)
      // Another topic's trouble is not held back by it.
      leaders.request('u')
      await settle()
      expect(cluster.asked.at(-1)?.names).toEqual(['u'])
    })

    it('asks for many that wait on a common beat, in one request each time', async () => {
      const names = Array.from({ length: 60 }, (_, i) => `t${i}`)
      await learn(...names)
      for (const name of names) {
        leaders.request(name)
        await vi.advanceTimersByTimeAsync(1)
      }
      const first = cluster.asked.length
      const pester = setInterval(() => {
        for (const name of names) leaders.request(name)
      }, 10)
      await vi.advanceTimersByTimeAsync(5000)
      clearInterval(pester)
      const repeats = cluster.asked.slice(first)
      expect(new Set(repeats.flatMap(each => each.names)).size).toBe(60)
      const beats = repeats.map(({ at }) => Math.floor(at / 50))
      expect(beats.filter((beat, i) => beat === beats[i - 1])).toEqual([])
    })

    it('repeats on the first beat after the backoff, and not one later', async () => {
      await learn('t')
      moveLeader('t', -1, 1)
      // As a real clock, it has gone on whenever it is read.
      const now = performance.now.bind(performance)
      let reads = 0
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ++reads / 1e6)
      const starts: number[] = []
      const ask = upkeep.ask.bind(upkeep)
      vi.spyOn(upkeep, 'ask').mockImplementation((...asked) => {
        starts.push(performance.now())
        return ask(...asked)
      })
      leaders.request('t')
      await vi.advanceTimersByTimeAsync(5000)
      // The first answer is a change: from then on nothing changes.
      starts.shift()
      const beats = starts.slice(1).map(start => Math.floor(start / 50))
      const due = starts.map((start, index) => Math.ceil((start + Math.min(1000, 50 * 2 ** index)) / 50))
      expect(beats.length).toBeGreaterThan(5)
      expect(beats).toEqual(due.slice(0, -1))
      clock.mockRestore()
    })

    it('asks at once again after a change', async () => {
      await learn('t')
      for (let attempt = 0; attempt < 6; attempt++) {
        leaders.request('t')
        await vi.advanceTimersByTimeAsync(1000)
      }
      cluster.metadata.length = 0
      cache.applyTopic(
        't',
        {
          errorCode: 0,
          name: 't',
          topicId: cache.peek('t')!.topicId,
          isInternal: false,
          topicAuthorizedOperations: 0,
          partitions: [
            {
              errorCode: 0,
              partitionIndex: 0,
              leaderId: 3,
              leaderEpoch: 9,
              replicaNodes: [],
              isrNodes: [],
              offlineReplicas: [],
            },
          ],
        },
        performance.now(),
        1,
      )
      leaders.request('t')
      await settle()
      expect(cluster.asked).toHaveLength(1)
    })

    it('asks again after an ask that was in flight when the error came: its answer may be older', async () => {
      await learn('t')
      const held = gate()
      cluster.beforeMetadata = () => held.opened
      leaders.request('t')
      await settle()
      leaders.request('t')
      held.open()
      await vi.advanceTimersByTimeAsync(100)
      expect(cluster.asked).toHaveLength(2)
    })

    it('goes on by itself while a partition has no leader, and ends when it has one', async () => {
      await learn('t')
      moveLeader('t', -1, 1)
      leaders.request('t')
      await vi.advanceTimersByTimeAsync(3000)
      expect(cluster.asked.length).toBeGreaterThan(3)
      expect(cache.peek('t')?.available).toEqual([])
      moveLeader('t', 3, 2)
      await vi.advanceTimersByTimeAsync(1100)
      expect(cache.peek('t')?.available).toEqual([0])
      cluster.metadata.length = 0
      await vi.advanceTimersByTimeAsync(10_000)
      expect(cluster.asked).toEqual([])
    })

    it('goes on by itself after a request without an answer', async () => {
      await learn('t')
      moveLeader('t', 2, 1)
      let failures = 2
      cluster.beforeMetadata = () => {
        if (failures-- > 0) throw connectionError()
      }
      leaders.request('t')
      await vi.advanceTimersByTimeAsync(2000)
      expect(cache.peek('t')?.partitions[0]?.leader).toBe(2)
    })

    it('gives up on an offline partition that nobody asks for any more', async () => {
      await learn('t')
      moveLeader('t', -1, 1)
      leaders.request('t')
      await vi.advanceTimersByTimeAsync(40_000)
      cluster.metadata.length = 0
      await vi.advanceTimersByTimeAsync(60_000)
      expect(cluster.asked).toEqual([])
    })

    it('leaves no timer behind once it has found what it looked for', async () => {
      await learn('t')
      const timers = vi.getTimerCount()
      leaders.request('t')
      await vi.advanceTimersByTimeAsync(2000)
      expect(vi.getTimerCount()).toBe(timers)
    })
  })
})
