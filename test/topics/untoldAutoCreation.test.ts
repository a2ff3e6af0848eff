import kafkajs from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  MetadataRetriesExceededError,
  TopicCreationDisabledError,
  TopicCreationError,
} from '../../src/errors/index.js'
import type { ScriptedCluster } from '../metadata/scriptedCluster.js'
import { end, pass, type Seen, startDirectory, watch } from './harness.js'

/** Confluent Cloud, MSK Serverless: auto-creation is off, and the right to read that is given to nobody. */
describe('where brokers do not tell whether they create topics', () => {
  let started: ReturnType<typeof startDirectory>
  let cluster: ScriptedCluster

  const begin = (...args: Parameters<typeof startDirectory>) => {
    started = startDirectory(...args)
    cluster = started.cluster
    cluster.handlers.DescribeConfigs = () => ({
      throttleTimeMs: 0,
      results: [{ errorCode: 31, errorMessage: 'no', resourceType: 4, resourceName: '1', configs: [] }],
    })
  }
  const resolve = (name: string): Seen => watch(started.directory.resolve(name))
  const validated = (errorCode: number, errorMessage: string | null = null) => {
    cluster.handlers.CreateTopics = ({ topics }) => ({
      topics: topics.map(({ name }) => ({ name, errorCode, errorMessage })),
    })
  }

  beforeEach(() => {
    vi.useFakeTimers()
    begin()
  })
  afterEach(async () => {
    await end(started.directory)
    vi.useRealTimers()
  })

  it.each([
    ['could be created', 0],
    ['may not be created by this principal', 29],
    ['may not be created, by the cluster', 31],
  ])('fails a topic that the controller twice does not know, and names the cause: it %s', async (_, code) => {
    validated(code)
    const topic = resolve('nope')
    await pass(1000)
    expect(topic.error).toBeUndefined()
    await pass(2500)
    expect(topic.error).toBeInstanceOf(TopicCreationDisabledError)
    expect(topic.error).toMatchObject({ topic: 'nope', outcome: 'not-written' })
    expect(topic.error.message).toMatch(
      /auto\.create\.topics\.enable cannot be read, and is most likely false/,
    )
    expect(topic.error.message).toContain("create: 'admin'")
    expect(cluster.creations.map(each => each.validateOnly)).toEqual([true, true])
  })

  it('remembers it for a minute: the next topics fail at their first attempt', async () => {
    resolve('nope')
    await pass(4000)
    cluster.metadata.length = 0
    const next = ['a', 'b', 'c'].map(resolve)
    await pass(20)
    for (const { error } of next) {
      expect(error).toBeInstanceOf(TopicCreationDisabledError)
      expect(error.attempts).toBe(1)
    }
    expect(cluster.asked).toHaveLength(1)
    await pass(61_000)
    const later = resolve('d')
    await pass(1000)
    expect(later.error).toBeUndefined()
  })

  it('goes on waiting for a topic that the controller knows: brokers have not heard of it yet', async () => {
    validated(36)
    const topic = resolve('slow')
    await pass(10_000)
    expect(topic.error).toBeUndefined()
    expect(cluster.creations).toHaveLength(1)
    cluster.missing = () => undefined
    await pass(2000)
    expect(topic.view?.name).toBe('slow')
  })

  it('goes on waiting where another topic was created: auto-creation works', async () => {
    let answers = 0
    cluster.missing = name => (name === 'quick' && ++answers > 1 ? undefined : 3)
    const quick = resolve('quick')
    await pass(500)
    expect(quick.view?.name).toBe('quick')
    const slow = resolve('slow')
    await pass(20_000)
    expect(slow.error).toBeUndefined()
    cluster.missing = () => undefined
    await pass(2000)
    expect(slow.view?.name).toBe('slow')
  })

  it('forgets what it remembers once a topic is created', async () => {
    resolve('nope')
    await pass(4000)
    validated(36)
    let answers = 0
    cluster.missing = name => (name === 'quick' && ++answers > 1 ? undefined : 3)
    const quick = resolve('quick')
    await pass(500)
    expect(quick.view?.name).toBe('quick')
    validated(0)
    const slow = resolve('slow')
    await pass(10_000)
    expect(slow.error).toBeUndefined()
  })

  it("fails with the cluster's own reason where the controller gives one", async () => {
    validated(44, 'not like this')
    const topic = resolve('t')
    await pass(1500)
    expect(topic.error).toBeInstanceOf(TopicCreationError)
    expect(topic.error.message).toContain('not like this')
  })

  it('names the likely cause after the whole budget where the controller tells nothing, and then fails early', async () => {
    const unsupported = Reflect.construct(kafkajs.KafkaJSServerDoesNotSupportApiKey, [
      'The Kafka server does not support the requested API version',
      { apiKey: 19, apiName: 'CreateTopics' },
    ])
    cluster.handlers.CreateTopics = () => {
      throw unsupported
    }
    const topic = resolve('nope')
    await pass(10_000)
    const warnings = started.log.lines.filter(each => each.level === 'warn')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.message).toContain('auto.create.topics.enable')
    expect(topic.error).toBeUndefined()
    await pass(25_000)
    expect(topic.error).toBeInstanceOf(MetadataRetriesExceededError)
    expect(topic.error.message).toContain('auto.create.topics.enable')
    const next = resolve('nope')
    await pass(1500)
    expect(next.error).toBeInstanceOf(TopicCreationDisabledError)
    expect(next.error.attempts).toBeGreaterThanOrEqual(3)
  })

  it('does not take a topic that the broker leaves out of its answers for one that is not created', async () => {
    const { Metadata } = cluster.handlers
    cluster.handlers.Metadata = async (request, node) => {
      const answer = await Metadata(request, node)
      return { ...answer, topics: answer.topics.filter(each => each.name !== 'left-out') }
    }
    const topic = resolve('left-out')
    await pass(5000)
    expect(topic.error).toBeUndefined()
    expect(started.directory.problemOf('left-out')?.message).toContain('left topic "left-out" out')
    expect(cluster.creations).toEqual([])
    await pass(30_000)
    expect(topic.error).toBeInstanceOf(MetadataRetriesExceededError)
  })
})
