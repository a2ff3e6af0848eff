import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { gate, type ScriptedCluster } from '../metadata/scriptedCluster.js'
import { end, pass, type Seen, startDirectory, watch } from './harness.js'

describe('a topic that is waited for', () => {
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

  it('logs the retries of an answer as one debug line, with attempt and next delay of each topic', async () => {
    started.log.readAtOnce()
    resolve('t')
    resolve('u')
    await pass(300)
    const retries = started.log.lines.filter(each => each.message === 'Topics are not available yet')
    const of = (attempt: number, delayMs: number) => expect.objectContaining({ attempt, delayMs })
    expect(retries[0]).toMatchObject({
      level: 'debug',
      extra: { topics: { t: of(1, 50), u: of(1, 50) } },
    })
    expect(retries[1]).toMatchObject({ extra: { topics: { t: of(2, 100), u: of(2, 100) } } })
  })

  it('warns of many topics with one line, and says with one line when they are there', async () => {
    const topics = Array.from({ length: 300 }, (_, index) => resolve(`slow-${index}`))
    await pass(15_000)
    const warnings = () => started.log.lines.filter(each => each.level === 'warn')
    expect(warnings()).toHaveLength(1)
    expect(warnings()[0]).toMatchObject({
      message: expect.stringContaining('300 topics ("slow-0", "slow-1",'),
      extra: { waitingFor: 'topic', count: 300 },
    })
    cluster.missing = () => undefined
    await pass(3000)
    expect(topics.filter(each => each.view)).toHaveLength(300)
    const infos = started.log.lines.filter(each => each.level === 'info')
    expect(infos).toMatchObject([{ message: expect.stringContaining('300 available') }])
    expect(warnings()).toHaveLength(1)
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
    expect(topic.error).toMatchObject({ topic: 't', retriable: false, cause: bug })
  })
})
