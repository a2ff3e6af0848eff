import { TopicCreationDisabledError, UnknownTopicError } from 'kafkajs-resilient-producer'
import { hold } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { describeEmbedded, forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { readLogs } from './support/logs.js'
import { failureOf, producing, range } from './support/producing.js'

const off = { 'auto.create.topics.enable': 'false', 'num.partitions': '2' }

const badTopics = () => {
  const prefix = uniqueTopic('missing')
  return range(20, index => `${prefix}-${index}`)
}

const goodTopics = async (broker: TestBroker, count: number) => {
  const topics = range(count, () => uniqueTopic('good'))
  await createTopics(broker, ...topics.map(topic => ({ topic })))
  return topics
}

/** Notes the order in which sends end. */
class Order {
  readonly ended: string[] = []

  watch<T>(topic: string, work: Promise<T>): Promise<T> {
    return work.finally(() => this.ended.push(topic))
  }
}

forEachBroker('a cluster that creates no topics', { real: { config: off } }, broker => {
  test('20 sends to missing topics end with the setting and the topic in the error, after two metadata requests and one DescribeConfigs', async () => {
    const bad = badTopics()
    const good = await goodTopics(broker, 3)
    await producing(broker, {}, async (producer, requests) => {
      const failures = bad.map(topic => failureOf(producer.send({ topic, messages: [{ value: 'lost' }] })))
      const sends = good.map(topic => producer.send({ topic, messages: [{ value: 'kept' }] }))
      for (const [index, error] of (await Promise.all(failures)).entries()) {
        expect(error).toBeInstanceOf(TopicCreationDisabledError)
        expect(error.message).toContain(JSON.stringify(bad[index]))
        expect(error.message).toContain('auto.create.topics.enable')
        expect(error).toMatchObject({ topic: bad[index], outcome: 'not-written', retriable: false })
      }
      for (const [metadata] of await Promise.all(sends)) expect(metadata?.baseOffset).toBe('0')
      // The first one asked for the brokers, on connect.
      expect(requests.count('Metadata')).toBeLessThanOrEqual(2)
      expect(requests.count('DescribeConfigs')).toBe(1)
      expect(requests.count('CreateTopics')).toBe(0)
    })
    expect((await readLogs(broker.bootstrap, good)).map(({ value }) => value?.toString())).toEqual(
      good.map(() => 'kept'),
    )
    expect(await withAdmin(broker, admin => admin.listTopics())).not.toEqual(expect.arrayContaining([bad[0]]))
  })

  test('sends to good topics end before those to missing ones that are waited for', async () => {
    const bad = badTopics()
    const good = await goodTopics(broker, 5)
    const givenUp = new AbortController()
    const order = new Order()
    // Nobody creates them: they wait until the test gives up, which it does once the others have ended.
    const topics = { create: 'never', waitForMs: 600_000 } as const
    await producing(broker, { topics }, async producer => {
      const failures = bad.map(topic =>
        failureOf(
          order.watch(topic, producer.send({ topic, messages: [{ value: 'x' }], signal: givenUp.signal })),
        ),
      )
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          good.map(topic => order.watch(topic, producer.send({ topic, messages: [{ value: `${round}` }] }))),
        )
      }
      expect(order.ended.filter(topic => bad.includes(topic))).toEqual([])
      givenUp.abort()
      for (const error of await Promise.all(failures)) expect(error.name).toBe('SendAbortedError')
    })
    expect(await readLogs(broker.bootstrap, good)).toHaveLength(5 * 10)
  })

  test("'never' with waitForMs 0 fails at the first answer, and says what could be done", async () => {
    const topic = uniqueTopic('missing')
    await producing(broker, { topics: { create: 'never', waitForMs: 0 } }, async (producer, requests) => {
      const error = await failureOf(producer.send({ topic, messages: [{ value: 'x' }] }))
      expect(error).toBeInstanceOf(UnknownTopicError)
      expect(error).toMatchObject({ topic, attempts: 1, outcome: 'not-written', retriable: false })
      expect(error.message).toContain("create: 'admin'")
      expect(requests.count('Metadata')).toBe(2)
      expect(requests.count('DescribeConfigs') + requests.count('CreateTopics')).toBe(0)
    })
  })

  test("'never' with waitForMs delivers to a topic that somebody else creates meanwhile", async () => {
    const topic = uniqueTopic('soon')
    const topics = { create: 'never', waitForMs: 600_000 } as const
    let misses = 0
    const onRetry = () => void misses++
    await producing(broker, { topics, metadataRetry: { onRetry } }, async producer => {
      const sent = producer.send({ topic, messages: [{ value: 'early', partition: 3 }] })
      await until('the topic to be missed', async () => misses || undefined, { timeoutMs: 30_000 })
      await createTopics(broker, { topic, numPartitions: 4 })
      expect(await sent).toMatchObject([{ topicName: topic, partition: 3, baseOffset: '0' }])
    })
  })

  test("'never' with waitForMs gives up on a topic that nobody creates, with no record of it left behind", async () => {
    const topic = uniqueTopic('missing')
    await producing(broker, { topics: { create: 'never', waitForMs: 200 } }, async producer => {
      const error = await failureOf(producer.send({ topic, messages: [{ value: 'x' }] }))
      expect(error).toBeInstanceOf(UnknownTopicError)
      expect(error.message).toContain('waitForMs (200 ms)')
      // Nothing of it remains: what comes later starts anew, and finds it.
      await createTopics(broker, { topic })
      expect(await producer.send({ topic, messages: [{ value: 'later' }] })).toMatchObject([
        { baseOffset: '0' },
      ])
    })
    expect((await readLogs(broker.bootstrap, [topic])).map(({ value }) => `${value}`)).toEqual(['later'])
  })

  test("'admin' creates what the cluster does not", async () => {
    const topic = uniqueTopic('made')
    await producing(broker, { topics: { create: 'admin' } }, async (producer, requests) => {
      await producer.send({ topic, messages: [{ value: 'x' }] })
      expect(requests.count('CreateTopics')).toBe(1)
    })
  })
})

describeEmbedded('a cluster that creates no topics and is slow to say so', { autoCreate: false }, broker => {
  test('does not keep good topics waiting', async () => {
    const bad = badTopics()
    const good = await goodTopics(broker, 5)
    const { embedded } = broker
    const answer = embedded.gate()
    embedded.on('DescribeConfigs', hold(answer), { times: Number.POSITIVE_INFINITY })
    const order = new Order()
    await producing(broker, {}, async producer => {
      const failures = bad.map(topic =>
        failureOf(order.watch(topic, producer.send({ topic, messages: [{ value: 'x' }] }))),
      )
      await answer.arrived
      await Promise.all(
        good.map(topic => order.watch(topic, producer.send({ topic, messages: [{ value: 'y' }] }))),
      )
      expect(order.ended.toSorted()).toEqual(good.toSorted())
      answer.open()
      for (const error of await Promise.all(failures))
        expect(error).toBeInstanceOf(TopicCreationDisabledError)
    })
  })
})
