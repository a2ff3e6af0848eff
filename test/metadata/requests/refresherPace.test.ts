import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MetadataCache } from '../../../src/metadata/cache/cache.js'
import type { TopicAnswer } from '../../../src/metadata/requests/answer.js'
import { MetadataRefresher } from '../../../src/metadata/requests/refresher.js'
import { recordingLogger } from '../logs.js'
import { performanceClock, ScriptedCluster } from '../scriptedCluster.js'

const MIN_TIMEOUT_MS = 50

describe('the pace of MetadataRefresher', () => {
  let cluster: ScriptedCluster
  let cache: MetadataCache
  let refresher: MetadataRefresher
  let log: ReturnType<typeof recordingLogger>
  let refreshed: [string, string][]

  beforeEach(() => {
    vi.useFakeTimers()
    cluster = new ScriptedCluster()
    log = recordingLogger()
    refreshed = []
    cache = new MetadataCache({
      onBrokers: brokers => cluster.setBrokers(brokers),
      onListenerError: error => {
        throw error
      },
    })
    refresher = new MetadataRefresher({
      transport: cluster,
      cache,
      clock: performanceClock,
      logger: log.logger,
      observer: { metadataRefreshed: (trigger, outcome) => refreshed.push([trigger, outcome]) },
      requestTimeoutMs: 3000,
      pace: { minTimeoutMs: MIN_TIMEOUT_MS, maxTimeoutMs: 1000 },
    })
  })

  afterEach(() => {
    expect(cluster.mostConcurrent).toBeLessThanOrEqual(1)
    refresher.close(new Error('the test has ended'))
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  /** What is set on an immediate while the clock runs fires one fake ms later. */
  const turn = () => vi.advanceTimersByTimeAsync(1)
  const create = (name: string, attempt = 1) =>
    refresher.lookup(name, {
      create: true,
      trigger: 'topic',
      attempt,
      pace: attempt === 1 ? 'first' : 'again',
    })
  const look = (name: string, attempt = 1) =>
    refresher.lookup(name, {
      create: false,
      trigger: 'topic',
      attempt,
      pace: attempt === 1 ? 'first' : 'again',
    })
  /** The outcome of a lookup that may still be open. */
  const watch = (lookup: Promise<TopicAnswer>) => {
    const seen: { answer?: TopicAnswer; error?: unknown } = {}
    lookup.then(
      answer => Object.assign(seen, { answer }),
      error => Object.assign(seen, { error }),
    )
    return seen
  }

  it('paces what is asked again: the starts lie minTimeoutMs apart, then twice that', async () => {
    // Asked again at once after each answer:
    cluster.beforeMetadata = () => {
      if (cluster.asked.length < 8) watch(create('t', 2))
    }
    watch(create('t'))
    await vi.advanceTimersByTimeAsync(2000)
    const starts = cluster.asked.map(each => each.at)
    expect(starts).toHaveLength(8)
    const gaps = starts.slice(1).map((start, index) => start - starts[index]!)
    expect(gaps[0]).toBeGreaterThanOrEqual(MIN_TIMEOUT_MS)
    for (const gap of gaps.slice(1)) expect(gap).toBeGreaterThanOrEqual(2 * MIN_TIMEOUT_MS)
  })

  it('asks for a first-time name at once when no topic is being created', async () => {
    for (const name of ['a', 'b', 'c']) {
      cluster.addTopic(name)
      const lookup = watch(create(name))
      await turn()
      expect(lookup.answer).toMatchObject({ kind: 'available' })
    }
  })

  it('holds a first-time name back only while somebody waits for a topic in creation', async () => {
    refresher.wait('missing', true)
    watch(create('missing'))
    await turn()
    cluster.addTopic('a')
    const held = watch(create('a'))
    await turn()
    expect(held.answer).toBeUndefined()
    refresher.unwait('missing', true)
    watch(create('a'))
    await turn()
    expect(held.answer).toMatchObject({ kind: 'available' })
  })

  it('does not hold leader lookups back behind topics that are awaited', async () => {
    watch(look('missing'))
    await turn()
    watch(look('missing', 2))
    cluster.addTopic('t')
    const leader = watch(refresher.lookup('t', { create: false, trigger: 'leader' }))
    await turn()
    expect(leader.answer).toMatchObject({ kind: 'available' })
  })

  it('needs at most 10 requests for 300 topics first sent to, and created, over half a second', async () => {
    const bornAt = new Map<string, number>()
    cluster.missing = name => {
      if (!bornAt.has(name)) bornAt.set(name, performance.now() + 20 + (bornAt.size % 30))
      return performance.now() >= bornAt.get(name)! ? undefined : 3
    }
    const pending = new Set<string>()
    cache.subscribe(change => 'topic' in change && pending.delete(change.topic.name))
    const pursue = async (name: string) => {
      refresher.wait(name, true)
      pending.add(name)
      for (let attempt = 1; pending.has(name); attempt++) {
        const answer = await create(name, attempt)
        if (answer.kind === 'available') break
        await new Promise(resolve => setTimeout(resolve, MIN_TIMEOUT_MS))
      }
      refresher.unwait(name, true)
    }
    const all: Promise<void>[] = []
    for (let sent = 0; sent < 300; sent++) {
      all.push(pursue(`new-${sent}`))
      if (sent % 3 === 2) await vi.advanceTimersByTimeAsync(5)
    }
    await vi.advanceTimersByTimeAsync(1000)
    await Promise.all(all)
    expect(cache.size).toBe(300)
    expect(cluster.asked.length).toBeLessThanOrEqual(10)
  })
})
