import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { consume, failureOf, Place } from './support/client.js'

const place = Place.forEachTest()

const running = async (consumer: Consumer): Promise<Consumer> => {
  const joined = new Promise<void>(resolve => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve())
  })
  await consumer.run({ eachMessage: async () => {} })
  await joined
  return consumer
}

describe('a consumer of ResilientKafka', () => {
  test('has kafkajs’s properties, which need no `this` and may be replaced', () => {
    const ours = place.consumer()
    const theirs = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING }).consumer({
      groupId: 'g',
    })
    expect(Object.keys(ours)).toEqual([...Object.keys(theirs), 'groupMetadata'])
    for (const name of Object.keys(theirs))
      expect(Object.getOwnPropertyDescriptor(ours, name), name).toMatchObject({
        writable: true,
        configurable: true,
        enumerable: true,
      })
  })

  test('consumes, pauses, seeks, resumes and stops as kafkajs’s', async () => {
    const kafka = place.kafka()
    const producer = place.ends(kafka.producer())
    await producer.connect()
    await producer.send({ topic: 'orders', messages: ['a', 'b', 'c'].map(value => ({ value })) })
    const consumer = place.ends(kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 100 }))
    const { connect, subscribe, events, on } = consumer
    const seen: string[] = []
    on(events.CONNECT, ({ type }) => seen.push(type))
    on(events.GROUP_JOIN, ({ type }) => seen.push(type))
    await connect()
    await subscribe({ topic: 'orders', fromBeginning: true })
    // What is committed below must not be overtaken by what was consumed.
    expect(await consume(consumer, 3, { autoCommit: false })).toEqual(['a', 'b', 'c'])
    consumer.pause([{ topic: 'orders' }])
    expect(consumer.paused()).toEqual([{ topic: 'orders', partitions: [0] }])
    consumer.resume([{ topic: 'orders' }])
    expect(consumer.paused()).toEqual([])
    expect((await consumer.describeGroup()).state).toBe('Stable')
    await consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '1' }])
    await consumer.stop()
    expect(await consume(consumer, 2)).toEqual(['b', 'c'])
    consumer.seek({ topic: 'orders', partition: 0, offset: '0' })
    expect(new Set(seen)).toEqual(new Set(['consumer.connect', 'consumer.group_join']))
  })

  test.each<[string, unknown, string]>([
    ['nothing', {}, 'Missing required argument "topics"'],
    ['a text for an array', { topics: 'orders' }, 'Argument "topics" must be an array'],
    ['a number among names', { topics: ['orders', 5] }, 'Invalid topic 5 (number)'],
  ])('refuses %s in kafkajs’s words, and creates nothing', async (_, subscription, words) => {
    const consumer = place.consumer()
    await expect(consumer.subscribe(subscription as never)).rejects.toThrow(words)
    expect(place.cluster.journal.entries).toEqual([])
  })

  test('takes no subscription while it runs, and creates nothing for it', async () => {
    place.cluster.createTopic('orders')
    const consumer = place.consumer()
    await consumer.subscribe({ topic: 'orders' })
    await running(consumer)
    const error = await failureOf(consumer.subscribe({ topic: 'another' }))
    expect(error.message).toBe('Cannot subscribe to topic while consumer is running')
    expect(place.cluster.topics).toEqual(['orders'])
    await consumer.stop()
    await consumer.subscribe({ topic: 'another' })
    expect(place.cluster.topics).toEqual(['orders', 'another'])
  })
})

describe('a topic that is deleted under a running consumer', () => {
  /** Deletes it, and waits until the consumer has asked for it again. */
  const deleted = async (topic: string): Promise<void> => {
    const before = place.asked.length
    place.cluster.deleteTopic(topic)
    await place.cluster.journal.until(() =>
      place.asked.slice(before).some(({ topics }) => topics?.includes(topic)),
    )
  }

  test("is created again by kafkajs under 'broker'", async () => {
    const consumer = place.consumer()
    await consumer.subscribe({ topic: 'orders' })
    await running(consumer)
    await deleted('orders')
    await place.cluster.journal.until(() => place.cluster.topics.length > 0)
    expect(place.cluster.topics).toEqual(['orders'])
  })

  test.each([
    ["'never'", { topics: { create: 'never' } } as const, { topic: 'orders' }],
    ["'admin'", { topics: { create: 'admin' } } as const, { topic: 'orders' }],
    ["'broker' where a pattern brought it in", {}, { topic: /^orders$/ }],
  ])('is not created again under %s', async (_, options, subscription) => {
    place.cluster.createTopic('orders')
    const consumer = place.consumer(options)
    await consumer.subscribe(subscription)
    await running(consumer)
    await deleted('orders')
    expect(place.cluster.topics).toEqual([])
    expect(place.allowed).toEqual([])
  })
})
