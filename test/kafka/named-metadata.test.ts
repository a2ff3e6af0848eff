import { ERROR, type JournalEntry } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { describeEmbedded, type TestBroker, uniqueTopic } from './suite.js'
import { producing, range } from './support/producing.js'

/*
 * That no request was for all topics is asserted after each test, by the suite, on the journal. Here are the situations
 * in which clients make such requests, and what is asked for instead.
 */

/** The producer's metadata requests from now on. */
const watchMetadata = (broker: TestBroker) => {
  const { entries } = broker.embedded.journal
  const start = entries.length
  return (): JournalEntry[] =>
    entries.slice(start).filter(({ api, clientId }) => api === 'Metadata' && clientId === 'producer')
}

const named = (requests: readonly JournalEntry[]) => requests.filter(({ topics }) => topics?.length)

describeEmbedded('a producer', {}, broker => {
  test.each([undefined, true, false])(
    'that connects (idempotent: %s) asks for the brokers alone',
    async idempotent => {
      const requests = watchMetadata(broker)
      await producing(broker, { idempotent }, async () => {})
      expect(
        requests().map(({ topics, allowAutoTopicCreation }) => [topics, allowAutoTopicCreation]),
      ).toEqual([[[], false]])
    },
  )

  test('that is given nothing to send asks for nothing', async () => {
    await producing(broker, {}, async producer => {
      const requests = watchMetadata(broker)
      expect(await producer.sendBatch({ topicMessages: [] })).toEqual([])
      expect(await producer.send({ topic: uniqueTopic('empty'), messages: [] })).toEqual([])
      await producer.flush()
      expect(requests()).toEqual([])
    })
  })

  test("that creates topics by 'admin' names them, without the creation flag", async () => {
    const topics = range(30, () => uniqueTopic('made'))
    const requests = watchMetadata(broker)
    await producing(broker, { topics: { create: 'admin' } }, producer =>
      Promise.all(topics.map(topic => producer.send({ topic, messages: [{ value: 'x' }] }))),
    )
    expect(new Set(named(requests()).flatMap(each => each.topics ?? []))).toEqual(new Set(topics))
    expect(requests().filter(each => each.allowAutoTopicCreation)).toEqual([])
    expect(broker.embedded.journal.of('CreateTopics').map(each => each.topics?.length)).toEqual([30])
  })

  test('that refreshes what it uses by age names it, without the creation flag', async () => {
    const topics = range(5, () => uniqueTopic('used'))
    await producing(broker, { metadataMaxAgeMs: 50 }, async producer => {
      await Promise.all(topics.map(topic => producer.send({ topic, messages: [{ value: 'x' }] })))
      const requests = watchMetadata(broker)
      await broker.embedded.journal.until(() => requests().length >= 3)
      for (const request of requests()) {
        expect(request.topics?.toSorted()).toEqual(topics.toSorted())
        expect(request.allowAutoTopicCreation).toBe(false)
      }
    })
  })

  test('that has forgotten all it used, and uses it again, asks for it by name', async () => {
    const topic = uniqueTopic('rare')
    await producing(broker, { metadataMaxIdleMs: 30 }, async producer => {
      const send = () => producer.send({ topic, messages: [{ value: 'x' }] })
      await send()
      const requests = watchMetadata(broker)
      await until(
        'the topic to be asked for again',
        async () => {
          await send()
          return requests().length || undefined
        },
        { timeoutMs: 25_000, everyMs: 100 },
      )
      expect(requests()[0]?.topics).toEqual([topic])
    })
  })
})

describe.each([
  { version: 12, learnt: 'from the hint of its former leader' },
  // Leader hints came with version 10 (KIP-951).
  { version: 9, learnt: 'by asking for the topic' },
])('a leader that moves, for Produce $version', ({ version, learnt }) => {
  describeEmbedded('three brokers', { brokers: 3, maxVersions: { Produce: version } }, broker => {
    test(`is learnt ${learnt}`, async () => {
      const topic = uniqueTopic('moved')
      broker.embedded.createTopic(topic, { partitions: 1, replicationFactor: 3, leaders: [0] })
      await producing(broker, {}, async producer => {
        const send = () => producer.send({ topic, messages: [{ value: 'x' }] })
        await send()
        const requests = watchMetadata(broker)
        broker.embedded.moveLeader(topic, 0, 2)
        expect(await send()).toMatchObject([{ baseOffset: '1' }])
        const codes = broker.embedded.journal.of('Produce').flatMap(({ answered }) => answered?.errorCodes)
        expect(codes).toContain(ERROR.NOT_LEADER_OR_FOLLOWER)
        if (version >= 10) expect(requests()).toEqual([])
        else expect(named(requests()).map(each => each.topics)).toContainEqual([topic])
      })
    })
  })
})

describeEmbedded('a leader that is gone', { brokers: 3 }, broker => {
  test('because its broker has died is asked for by name, of another broker', async () => {
    const topic = uniqueTopic('orphaned')
    broker.embedded.createTopic(topic, { partitions: 3, replicationFactor: 3, leaders: [0, 1, 2] })
    await producing(broker, {}, async producer => {
      const sendAll = () =>
        Promise.all(range(3, partition => producer.send({ topic, messages: [{ value: 'x', partition }] })))
      await sendAll()
      for (const node of [0, 1, 2]) {
        const requests = watchMetadata(broker)
        await broker.embedded.stopBroker(node)
        await sendAll()
        expect(named(requests()).every(each => each.node !== node)).toBe(true)
        expect(named(requests()).length).toBeGreaterThan(0)
        await broker.embedded.startBroker(node)
      }
    })
  })

  test('because every broker was away is asked for by name once one is back', async () => {
    const topic = uniqueTopic('dark')
    broker.embedded.createTopic(topic, { partitions: 1, replicationFactor: 3, leaders: [1] })
    await producing(broker, {}, async producer => {
      const send = () => producer.send({ topic, messages: [{ value: 'x' }] })
      await send()
      for (const node of [0, 1, 2]) await broker.embedded.stopBroker(node)
      const sent = Promise.all([send(), send()])
      for (const node of [2, 1, 0]) await broker.embedded.startBroker(node)
      await sent
      await send()
    })
    expect(broker.embedded.records(topic)).toHaveLength(4)
  })
})
