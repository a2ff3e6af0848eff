import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  MetadataRetriesExceededError,
  TopicAuthorizationError,
  UnknownTopicError,
} from '../../src/errors/index.js'
import { connectionError, type ScriptedCluster } from '../metadata/scriptedCluster.js'
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

  it('waits for waitForMs also where that is longer than metadataRetry lasts', async () => {
    begin({ create: 'never', waitForMs: 300_000 }, { retries: 64, maxRetryTimeMs: 30_000 })
    const late = resolve('late')
    const never = resolve('never')
    await pass(290_000)
    expect(late.error).toBeUndefined()
    cluster.addTopic('late')
    await pass(3000)
    expect(late.view?.name).toBe('late')
    await pass(10_000)
    expect(never.error).toBeInstanceOf(UnknownTopicError)
    expect(never.error.message).toContain('waitForMs (300000 ms)')
  })

  it('says of a topic that nobody created that it is unknown, also where metadataRetry is used up first', async () => {
    begin({ create: 'never', waitForMs: 1000 }, { retries: 0 })
    const topic = resolve('t')
    await pass(2)
    expect(topic.error).toBeInstanceOf(UnknownTopicError)
    expect(topic.error).toMatchObject({ attempts: 1, cause: { type: 'UNKNOWN_TOPIC_OR_PARTITION' } })
    expect(topic.error.message).toContain('nobody else did within metadataRetry (1 attempt)')
  })

  it('leaves a cluster that does not answer to metadataRetry', async () => {
    begin({ create: 'never', waitForMs: 1000 }, { retries: 1 })
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    const topic = resolve('t')
    await pass(1000)
    expect(topic.error).toBeInstanceOf(MetadataRetriesExceededError)
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
