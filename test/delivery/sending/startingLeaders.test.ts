import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, type logCreator, logLevel } from 'kafkajs'
import { createResilientProducer, type ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, test } from 'vitest'
import { ERROR } from '../../../src/protocol/errorCodes.js'
import type { ProduceFault } from '../support/faults.js'

const TOPICS = 300

let cluster: EmbeddedKafka
let end = async (): Promise<void> => {}
afterEach(() => end())

const start = async (logCreator?: logCreator, options?: ResilientProducerOptions) => {
  cluster = await EmbeddedKafka.start({ autoCreate: false, maxVersions: { Produce: 12 } })
  const producer = createResilientProducer(
    new Kafka({
      brokers: cluster.bootstrap,
      logLevel: logCreator === undefined ? logLevel.NOTHING : logLevel.DEBUG,
      ...(logCreator === undefined ? {} : { logCreator }),
    }),
    options,
  )
  end = async () => {
    await producer.disconnect({ timeoutMs: 0 })
    await cluster.close()
  }
  const topics = Array.from({ length: TOPICS }, (_, index) => `t${index}`)
  for (const topic of topics) cluster.createTopic(topic, { partitions: 1 })
  await producer.connect()
  return { producer, topics }
}

/** Refuses batches as a broker does that has not heard yet which partitions it leads. */
const unaware =
  (isUnaware: (topicIndex: number) => boolean, refused: () => void, leaderId = 0): ProduceFault =>
  async (request, next) => {
    const { topicData } = request.body
    const isRefused = topicData.map(({ name }) => isUnaware(Number(name.slice(1))))
    const response = await next({ ...request.body, topicData: topicData.filter((_, at) => !isRefused[at]) })
    const answers = [...response!.responses]
    return {
      ...response!,
      responses: topicData.map((each, at) => {
        if (!isRefused[at]) return answers.shift()!
        refused()
        const answer = {
          index: 0,
          errorCode: ERROR.NOT_LEADER_OR_FOLLOWER,
          baseOffset: -1n,
          logAppendTimeMs: -1n,
          logStartOffset: -1n,
          recordErrors: [],
          errorMessage: null,
          currentLeader: { leaderId, leaderEpoch: Math.min(leaderId, 0) },
        }
        return { name: each.name, topicId: each.topicId, partitionResponses: [answer] }
      }),
    }
  }

test('a few batches probe whether a broker leads its new partitions yet; the others follow when it does', async () => {
  const { producer, topics } = await start()
  let isStarting = true
  let refusals = 0
  cluster.on(
    'Produce',
    unaware(
      () => isStarting,
      () => refusals++,
    ),
    { times: Number.POSITIVE_INFINITY },
  )
  const sends = topics.map(topic => producer.send({ topic, messages: [{ value: 'x' }] }))
  while (refusals < TOPICS + 100) await delay(10)
  const requests = cluster.journal.of('Produce').slice(-3)
  // All of them once, then the probes only.
  expect(Math.max(...requests.map(each => each.topics?.length ?? 0))).toBeLessThanOrEqual(40)
  isStarting = false
  await Promise.all(sends)
  for (const topic of topics) expect(cluster.records(topic)).toHaveLength(1)
})

test('those that are never led hold nobody up', async () => {
  const { producer, topics } = await start()
  let refusals = 0
  // The first to be refused are the first to probe, and none of them is ever taken.
  cluster.on(
    'Produce',
    unaware(
      index => index < 40 || refusals < TOPICS,
      () => refusals++,
    ),
    { times: Number.POSITIVE_INFINITY },
  )
  const sends = topics.map(topic => producer.send({ topic, messages: [{ value: 'x' }] }))
  for (const send of sends) send.catch(() => {})
  await Promise.all(sends.slice(40))
  for (const topic of topics.slice(40)) expect(cluster.records(topic)).toHaveLength(1)
})

test('a leader that names nobody while it makes a new partition is asked again soon, and not after the backoff of a sick one', async () => {
  const delays: number[] = []
  const { producer } = await start(() => ({ log }) => {
    if (log.message === 'A record batch will be sent again') delays.push(Number(log.delayMs))
  })
  const send = (value: string) => producer.send({ topic: 't0', messages: [{ value }] })
  let refusals = 0
  const refuse = () =>
    cluster.on(
      'Produce',
      unaware(
        () => true,
        () => refusals++,
        -1,
      ),
      { times: 5 },
    )
  refuse()
  await send('new')
  expect(refusals).toBe(5)
  expect(delays).toHaveLength(5)
  expect(Math.max(...delays)).toBeLessThanOrEqual(120)
  // Once it was written, the partition has a leader that knows it: another refusal is trouble.
  delays.length = 0
  refuse()
  await send('known')
  expect(Math.max(...delays)).toBeGreaterThan(120)
})

test.each([
  ['names itself', 0],
  ['names nobody', -1],
])('a leader that %s while it makes a new partition costs none of retry.retries', async (_, leaderId) => {
  const { producer } = await start(undefined, { retry: { retries: 1 } })
  let refusals = 0
  cluster.on(
    'Produce',
    unaware(
      () => true,
      () => refusals++,
      leaderId,
    ),
    { times: 6 },
  )
  await producer.send({ topic: 't0', messages: [{ value: 'x' }] })
  expect(refusals).toBe(6)
  expect(cluster.records('t0')).toHaveLength(1)
})
