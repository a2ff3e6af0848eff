import fc from 'fast-check'
import type { ResilientProducer } from 'kafkajs-resilient-producer'
import {
  type ApiName,
  changed,
  ERROR,
  type Fault,
  garbage,
  partialAnswer,
  wrongCorrelation,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../delivery/support/world.js'
import { runs, seed } from '../protocol/support/runs.js'

let world: World
beforeEach(async () => {
  world = await World.start({ autoCreate: { createdAfter: 1 } })
})
afterEach(() => world.end())

const bytes = (...sizes: number[]) => {
  const buffer = Buffer.alloc(4 * sizes.length)
  for (const [i, size] of sizes.entries()) buffer.writeInt32BE(size, 4 * i)
  return buffer
}

const sendOne = (producer: ResilientProducer, value: string) =>
  producer.send({ topic: TOPIC, messages: [{ value }] })

const faults: [string, Fault][] = [
  ['a size that is never gathered', garbage(bytes(0x7fffffff))],
  ['a negative size', garbage(bytes(-1))],
  ['an answer without a correlation id', garbage(bytes(2, 0))],
  ['an empty answer', garbage(bytes(0))],
  ['an answer to another request', wrongCorrelation(7)],
  ['a part of an answer, then the end', partialAnswer(6)],
  ['a whole header and no body', partialAnswer(8)],
]
const apis = ['ApiVersions', 'Metadata', 'InitProducerId', 'Produce'] as const satisfies ApiName[]

describe.each(apis)('%s answered with', api => {
  test.each(faults)('%s: what is sent is delivered, once', async (_, fault) => {
    world.cluster.on(api, fault as never)
    const producer = await world.connect()
    await Promise.all(['a', 'b', 'c'].map(value => sendOne(producer, value)))
    await sendOne(producer, 'd')
    world.cluster.check(['a', 'b', 'c', 'd'].map(id => ({ topic: TOPIC, id }))).assert()
  })
})

describe('an answer that can be read and makes no sense', () => {
  /** What one partition is answered, in place of the truth. */
  const answerOnce = (change: (answer: Record<string, unknown>) => Record<string, unknown>[]) =>
    world.cluster.on(
      'Produce',
      changed(response => ({
        ...response,
        responses: response.responses.map(each => ({
          ...each,
          partitionResponses: each.partitionResponses.flatMap(change as never),
        })),
      })),
    )

  test.each([
    ['no partition', () => []],
    ['another partition', (answer: object) => [{ ...answer, index: 77 }]],
    ['a negative partition', (answer: object) => [{ ...answer, index: -1 }]],
  ])('to Produce, of %s, acknowledges nothing', async (_, change) => {
    const producer = await world.connect()
    await sendOne(producer, 'first')
    answerOnce(change)
    await sendOne(producer, 'a')
    world.cluster.check(['first', 'a'].map(id => ({ topic: TOPIC, id }))).assert()
    expect(world.sent().filter(({ values }) => values.includes('a'))).toHaveLength(2)
  })

  test('to Produce, of a leader that nobody knows, is not followed', async () => {
    const producer = await world.connect()
    await sendOne(producer, 'first')
    answerOnce(answer => [
      {
        ...answer,
        errorCode: ERROR.NOT_LEADER_OR_FOLLOWER,
        baseOffset: -1n,
        currentLeader: { leaderId: 0x7fffffff, leaderEpoch: 0x7fffffff },
      },
    ])
    await sendOne(producer, 'a')
    world.cluster.check(['first', 'a'].map(id => ({ topic: TOPIC, id }))).assert()
  })

  test('to Metadata, of brokers nowhere and partitions without end, is asked again', async () => {
    world.cluster.on(
      'Metadata',
      changed(response => ({
        ...response,
        brokers: [{ nodeId: -5, host: '', port: -1 }],
        controllerId: 99,
        topics: response.topics.map(each => ({
          ...each,
          errorCode: 0,
          partitions: [
            {
              errorCode: 0,
              partitionIndex: 0x7fffffff,
              leaderId: 42,
              leaderEpoch: 5,
              replicaNodes: [],
              isrNodes: [],
              offlineReplicas: [],
            },
          ],
        })),
      })),
      { topic: TOPIC },
    )
    const producer = await world.connect()
    await sendOne(producer, 'a')
    world.cluster.check([{ topic: TOPIC, id: 'a' }]).assert()
  })
})

test('whatever bytes stand in the place of an answer, nothing is lost and nothing hangs', async () => {
  const producer = await world.connect()
  await sendOne(producer, 'first')
  const sent = [{ topic: TOPIC, id: 'first' }]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('Produce', 'Metadata', 'InitProducerId', 'ApiVersions'),
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      async (api, content) => {
        // A frame to another request than the one that was made: no luck makes an acknowledgement of it.
        const framed = Buffer.concat([bytes(4 + content.length, -1), content])
        const remove = world.cluster.on(api, garbage(framed))
        // So that those are asked again that are not asked for every record.
        if (api !== 'Produce') world.cluster.cutConnections()
        const id = `${sent.length}`
        sent.push({ topic: TOPIC, id })
        await sendOne(producer, id)
        remove()
      },
    ),
    { seed, numRuns: runs(40) },
  )
  world.cluster.check(sent).assert()
})
