import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, test } from 'vitest'
import { ERROR } from '../../../src/protocol/errorCodes.js'
import type { ProduceFault } from '../support/faults.js'

const TOPICS = 300

let cluster: EmbeddedKafka
let end = async (): Promise<void> => {}
afterEach(() => end())

const start = async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: false, maxVersions: { Produce: 12 } })
  const producer = createResilientProducer(
    new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }),
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
  (isUnaware: (topicIndex: number) => boolean, refused: () => void): ProduceFault =>
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
          currentLeader: { leaderId: 0, leaderEpoch: 0 },
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
