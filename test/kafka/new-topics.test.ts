import { createResilientProducer, type ResilientProducer } from 'kafkajs-resilient-producer'
import { checkDelivery } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { describeEmbedded, forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { readLogs } from './support/logs.js'
import { producing, range } from './support/producing.js'

const newTopics = (count: number): string[] => {
  const prefix = uniqueTopic('new')
  return range(count, index => `${prefix}-${index}`)
}

/** One send a topic, all at once. */
const sendToEach = (producer: ResilientProducer, topics: readonly string[]) =>
  Promise.all(
    topics.map(async topic => {
      const [metadata] = await producer.send({ topic, messages: [{ key: topic, value: `for ${topic}` }] })
      return { topic, id: `for ${topic}`, partition: metadata!.partition, offset: metadata!.baseOffset! }
    }),
  )

const expectDelivered = async (broker: TestBroker, topics: readonly string[]) => {
  const sent = await producing(broker, {}, producer => sendToEach(producer, topics))
  expect(sent).toHaveLength(topics.length)
  checkDelivery(sent, await readLogs(broker.bootstrap, topics)).assert()
}

// A broker of its own: a thousand topics would stay with the suites that come after.
forEachBroker('topics that do not exist yet', { real: {} }, broker => {
  test('300 at once are created by the broker, and each gets its record once', () =>
    expectDelivered(broker, newTopics(300)))

  test('1,000 at once are created by the broker, and each gets its record once', () =>
    expectDelivered(broker, newTopics(1000)))

  test('arrive in waves while others are being created, in arrays and with keys, and keep their order', async () => {
    const topics = newTopics(40)
    const sent = await producing(broker, {}, async producer => {
      const waves: Promise<unknown>[] = []
      const ids: { topic: string; id: string }[] = []
      for (let wave = 0; wave < 10; wave++) {
        for (const topic of topics.slice(0, 4 * (wave + 1))) {
          const values = range(3, index => `${wave}.${index}`)
          ids.push(...values.map(id => ({ topic, id })))
          waves.push(producer.send({ topic, messages: values.map(value => ({ key: 'same', value })) }))
        }
        // So that each wave meets another state of the topics before it: asked for, being created, there.
        await new Promise(resolve => setImmediate(resolve))
      }
      await Promise.all(waves)
      return ids
    })
    checkDelivery(sent, await readLogs(broker.bootstrap, topics)).assert()
  })

  test('get the records of five producers that want them at the same moment', async () => {
    const topics = newTopics(20)
    const producers = range(5, () => createResilientProducer(broker.kafka({ clientId: 'producer' })))
    await Promise.all(producers.map(producer => producer.connect()))
    try {
      await Promise.all(
        producers.map((producer, index) =>
          Promise.all(
            topics.map(topic => producer.send({ topic, messages: [{ value: `${topic} ${index}` }] })),
          ),
        ),
      )
    } finally {
      await Promise.all(producers.map(producer => producer.disconnect()))
    }
    const sent = topics.flatMap(topic => range(5, index => ({ topic, id: `${topic} ${index}` })))
    const { faults } = checkDelivery(sent, await readLogs(broker.bootstrap, topics))
    // Between the producers there is no order.
    expect(faults.filter(({ kind }) => kind !== 'reordered')).toEqual([])
  })
})

describeEmbedded('300 new topics at once', { autoCreate: { createdAfterMs: 250 } }, broker => {
  test('take at most 10 metadata requests, all by name and with the creation flag', async () => {
    const topics = newTopics(300)
    await expectDelivered(broker, topics)
    const requests = broker.embedded.journal.of('Metadata').filter(({ clientId }) => clientId === 'producer')
    expect(requests.length).toBeLessThanOrEqual(10)
    const naming = requests.filter(each => each.topics?.length)
    expect(new Set(naming.flatMap(each => each.topics ?? []))).toEqual(new Set(topics))
    expect(naming.every(each => each.allowAutoTopicCreation)).toBe(true)
  })
})
