import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MIN_TIMEOUT_MS, RefresherWorld, turn, watch } from './refresherWorld.js'

describe('the pace of MetadataRefresher', () => {
  let world: RefresherWorld
  let { cluster, cache, refresher } = {} as RefresherWorld
  beforeEach(() => {
    world = RefresherWorld.start()
    ;({ cluster, cache, refresher } = world)
  })
  afterEach(() => world.end())

  const create = (name: string, attempt = 1) => world.lookup(name, true, attempt)
  const look = (name: string, attempt = 1) => world.lookup(name, false, attempt)

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
