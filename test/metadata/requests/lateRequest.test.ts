import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { end, pass, startDirectory, watch } from '../../topics/harness.js'
import { gate, type ScriptedCluster } from '../scriptedCluster.js'

let started: ReturnType<typeof startDirectory>
let cluster: ScriptedCluster
let held: ReturnType<typeof gate<void>>

beforeEach(async () => {
  vi.useFakeTimers()
  started = startDirectory()
  cluster = started.cluster
  await Promise.all([started.directory.connect(), pass(2)])
  cluster.metadata.length = 0
  held = gate()
  let requests = 0
  // The first broker is paused.
  cluster.beforeMetadata = () => (++requests === 1 ? held.opened : undefined)
})
afterEach(async () => {
  held.open()
  await end(started.directory)
  vi.useRealTimers()
})

const resolve = (name: string) => watch(started.directory.resolve(name))

it('asks a second broker after 250 ms: a topic that is there is found at once', async () => {
  cluster.addTopic('t')
  const topic = resolve('t')
  await pass(245)
  expect(cluster.asked).toHaveLength(1)
  await pass(10)
  expect(topic.view?.name).toBe('t')
  expect(cluster.asked).toHaveLength(2)
})

it('does not have the second broker create what the first may be creating', async () => {
  cluster.missing = (_name, create) => (create && cluster.asked.length > 2 ? undefined : 3)
  const topic = resolve('new')
  await pass(400)
  // The third request is the next attempt, to whom the topic is new again.
  expect(cluster.asked.map(each => each.create)).toEqual([true, false, true])
  expect(topic.view?.name).toBe('new')
  expect(cluster.probes).toEqual([])
})

it('asks nobody else where there is one broker only', async () => {
  cluster.brokers = cluster.brokers.slice(0, 1)
  held.open()
  resolve('warm')
  await pass(20)
  cluster.metadata.length = 0
  const slow = gate()
  cluster.beforeMetadata = () => slow.opened
  const asked = cluster.asked.length
  resolve('t')
  await pass(1000)
  expect(cluster.asked.length - asked).toBe(1)
  slow.open()
})

it('takes the late answer over where it knows more', async () => {
  cluster.missing = () => 3
  const topic = resolve('t')
  await pass(255)
  expect(cluster.asked).toHaveLength(2)
  cluster.addTopic('t')
  held.open()
  await pass(1)
  expect(topic.view?.name).toBe('t')
})

it('does not let a late answer bring a former topic back', async () => {
  cluster.addTopic('t', { topicId: 'b'.repeat(32), epoch: 0 })
  const { Metadata } = cluster.handlers
  let requests = 0
  cluster.handlers.Metadata = async (request, node) => {
    const answer = await Metadata(request, node)
    if (++requests === 1) return answer
    const topics = answer.topics.map(each => ({ ...each, topicId: 'a'.repeat(32) }))
    return { ...answer, topics }
  }
  const topic = resolve('t')
  await pass(255)
  held.open()
  await pass(10)
  expect(topic.view?.topicId).toBe('b'.repeat(32))
  expect(started.directory.topic('t')).toBe(topic.view)
})
