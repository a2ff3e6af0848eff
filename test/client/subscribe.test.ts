import kafkajs, { type LogEntry, logLevel } from 'kafkajs'
import {
  ConsumerDisconnectedError,
  TopicCreationDisabledError,
  TopicCreationError,
  UnknownTopicError,
} from 'kafkajs-resilient-producer'
import { ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { consume, failureOf, Place } from './support/client.js'

const place = Place.forEachTest({ brokers: 2, autoCreate: { partitions: 2 } })

describe("'never'", () => {
  test('a missing topic is a typed error, and no request may create it', async () => {
    const consumer = place.consumer({ topics: { create: 'never', waitForMs: 0 } })
    await consumer.connect()
    const error = await failureOf(consumer.subscribe({ topics: ['missing'] }))
    expect(error).toBeInstanceOf(UnknownTopicError)
    expect(error).toBeInstanceOf(kafkajs.KafkaJSProtocolError)
    expect(error).toMatchObject({ topic: 'missing', type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false })
    expect(place.cluster.topics).toEqual([])
    expect(place.allowed).toEqual([])
  })

  test('a topic that somebody else creates meanwhile is subscribed to, and read', async () => {
    const kafka = place.kafka({ topics: { create: 'never', waitForMs: 600_000 } })
    const consumer = place.ends(kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 100 }))
    const subscribed = consumer.subscribe({ topics: ['soon'], fromBeginning: true })
    await place.cluster.journal.until(
      () => place.asked.filter(each => each.topics?.includes('soon')).length > 1,
    )
    place.cluster.createTopic('soon', { partitions: 1 })
    await subscribed
    const producer = place.ends(kafka.producer())
    await producer.connect()
    await producer.send({ topic: 'soon', messages: [{ value: 'a' }, { value: 'b' }] })
    expect(await consume(consumer, 2)).toEqual(['a', 'b'])
    expect(place.allowed).toEqual([])
  })

  test('of several missing topics the first is told, the others are logged', async () => {
    const lines: string[] = []
    const kafka = place.kafka(
      { topics: { create: 'never', waitForMs: 0 } },
      { logLevel: 1, logCreator: () => entry => void lines.push(entry.log.message) },
    )
    const consumer = place.ends(kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 100 }))
    const error = await failureOf(consumer.subscribe({ topics: ['missing-1', 'missing-2'] }))
    expect(error).toMatchObject({ topic: 'missing-1' })
    expect(lines).toEqual([expect.stringContaining('"missing-2" does not exist')])
  })
})

describe("'admin'", () => {
  test('the topics of a subscription are made by the rules before kafkajs asks for them', async () => {
    const consumer = place.consumer({
      topics: { create: 'admin', rules: [{ match: 'wide', partitions: 5 }] },
    })
    await consumer.subscribe({ topics: ['plain', 'wide'] })
    expect(place.cluster.journal.of('CreateTopics')).toHaveLength(1)
    expect(place.cluster.leaderOf('wide', 4)).toBeGreaterThanOrEqual(0)
    expect(place.cluster.topics.toSorted()).toEqual(['plain', 'wide'])
    expect(place.allowed).toEqual([])
  })

  test('a topic that cannot be made is a typed error with the reason', async () => {
    const consumer = place.consumer({ topics: { create: 'admin', replicationFactor: 3 } })
    const error = await failureOf(consumer.subscribe({ topic: 'replicated' }))
    expect(error).toBeInstanceOf(TopicCreationError)
    expect(error).toMatchObject({ topic: 'replicated', type: 'INVALID_REPLICATION_FACTOR' })
  })
})

describe("'broker'", () => {
  test('a missing topic is created by its name and the flag, also where the first answers do not know it', async () => {
    const kafka = place.kafka()
    const consumer = place.ends(kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 100 }))
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    expect(place.cluster.topics).toEqual(['orders'])
    expect(place.allowed).toEqual(['orders'])
    const producer = place.ends(kafka.producer())
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'a', partition: 1 }] })
    expect(await consume(consumer, 1)).toEqual(['a'])
  })

  test('kafkajs’s own requests for it carry the flag, those that name another one do not', async () => {
    place.cluster.createTopic('kept')
    const consumer = place.consumer({ topics: { rules: [{ match: 'kept', create: 'never' }] } })
    await consumer.subscribe({ topic: 'orders' })
    const before = place.asked.length
    await consumer.subscribe({ topic: 'orders' })
    await consumer.subscribe({ topic: 'kept' })
    const together = place.asked.slice(before).filter(({ topics }) => topics?.includes('kept'))
    expect(together.map(({ topics }) => topics?.toSorted())).toContainEqual(['kept', 'orders'])
    expect(together.every(({ create }) => create === false)).toBe(true)
    expect(place.allowed).toEqual(['orders'])
  })
})

describe('brokers that create nothing and do not tell their settings', () => {
  const closed = Place.forEachTest({ brokers: 1, autoCreate: false })

  test('are asked many times by the first subscription, and few times by the next ones', async () => {
    closed.cluster.on('DescribeConfigs', errorCode(ERROR.CLUSTER_AUTHORIZATION_FAILED), { times: Infinity })
    const metadataRetry = { minTimeoutMs: 5, maxTimeoutMs: 20, retries: 20 }
    const kafka = closed.kafka({ metadataRetry })
    const attempts: number[] = []
    for (const topic of ['first', 'second', 'third']) {
      const consumer = closed.ends(kafka.consumer({ groupId: topic }))
      const before = closed.asked.length
      expect(await failureOf(consumer.subscribe({ topic }))).toMatchObject({ topic })
      attempts.push(closed.asked.slice(before).filter(({ create }) => create).length)
    }
    expect(attempts[0]).toBeGreaterThan(15)
    expect(attempts[1]).toBeLessThan(10)
    expect(attempts[2]).toBeLessThan(10)
  })
})

describe('a regular expression', () => {
  test('creates nothing, also where everything else may be created', async () => {
    place.cluster.createTopic('shop.a')
    place.cluster.createTopic('other')
    const consumer = place.consumer()
    await consumer.subscribe({ topics: [/^shop\./, /^missing$/] })
    expect(place.cluster.topics.toSorted()).toEqual(['other', 'shop.a'])
    expect(place.allowed).toEqual([])
  })

  test('that matches nothing is told: kafkajs would wait for ever in silence', async () => {
    place.cluster.createTopic('orders')
    const lines: string[] = []
    const logCreator = () => (entry: LogEntry) => void lines.push(entry.log.message)
    const kafka = place.kafka({}, { logLevel: logLevel.WARN, logCreator })
    const consumer = place.ends(kafka.consumer({ groupId: 'group' }))
    await consumer.subscribe({ topic: /^missing$/ })
    expect(lines).toEqual([expect.stringMatching(/^No topic matches the subscription/)])
    await consumer.subscribe({ topic: /^orders$/ })
    expect(lines).toHaveLength(1)
  })

  test('does not bring back a topic that is deleted before kafkajs names it', async () => {
    place.cluster.createTopic('shop.a')
    const consumer = place.consumer()
    await consumer.connect()
    const named = place.cluster.gate()
    const holdNamed = hold(named)
    place.cluster.on(
      'Metadata',
      (request, next) => (request.body.topics === null ? next() : holdNamed(request, next)),
      { times: Infinity },
    )
    const subscribed = failureOf(consumer.subscribe({ topic: /^shop\./ }))
    await named.arrived
    place.cluster.deleteTopic('shop.a')
    named.open()
    expect(await subscribed).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(place.cluster.topics).toEqual([])
    expect(place.allowed).toEqual([])
  })
})

describe('while brokers learn of a topic', () => {
  test('kafkajs is asked again until its broker knows it too', async () => {
    const { cluster } = place
    cluster.createTopic('lagging')
    cluster.hideTopic('lagging', 1)
    // kafkajs knows this broker alone until an answer has told it of the others.
    const kafka = place.kafka(
      { topics: { create: 'never', waitForMs: 600_000 } },
      { brokers: [cluster.bootstrap[1]!] },
    )
    const consumer = place.ends(kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 100 }))
    await consumer.connect()
    const [own] = [...new Set(cluster.journal.entries.map(({ connectionId }) => connectionId))]
    const subscribed = consumer.subscribe({ topic: 'lagging' })
    await cluster.journal.until(
      () => cluster.journal.of('Metadata').filter(({ connectionId }) => connectionId === own).length > 1,
    )
    cluster.showTopic('lagging', 1)
    await subscribed
  })
})

describe('disconnect', () => {
  test('ends a subscription that waits, and leaves no connection', async () => {
    const consumer = place.consumer({ topics: { create: 'never', waitForMs: 600_000 } })
    await consumer.connect()
    const failure = failureOf(consumer.subscribe({ topics: ['missing'] }))
    await place.cluster.journal.until(() => place.asked.some(({ topics }) => topics?.includes('missing')))
    await consumer.disconnect()
    const error = await failure
    expect(error).toBeInstanceOf(ConsumerDisconnectedError)
    expect(error.message).toContain('"missing"')
  })

  test('lets the consumer connect and subscribe again', async () => {
    const consumer = place.consumer()
    await consumer.connect()
    await consumer.disconnect()
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders' })
    expect(place.cluster.topics).toEqual(['orders'])
  })
})

describe('on a cluster that creates no topics', () => {
  const strict = Place.forEachTest({ autoCreate: false })

  test("'broker' fails at once, with the setting in the error", async () => {
    const error = await failureOf(strict.consumer().subscribe({ topic: 'missing' }))
    expect(error).toBeInstanceOf(TopicCreationDisabledError)
    expect(error).toMatchObject({ topic: 'missing' })
    expect(strict.cluster.journal.of('CreateTopics')).toEqual([])
  })

  test("'admin' creates all the same", async () => {
    await strict.consumer({ topics: { create: 'admin' } }).subscribe({ topic: 'made' })
    expect(strict.cluster.topics).toEqual(['made'])
  })
})

describe('on a cluster on ZooKeeper', () => {
  const old = Place.forEachTest({
    brokers: 2,
    autoCreate: { style: 'zk', createdAfter: 2, leaderAfter: 2 },
    maxVersions: { Metadata: 6, CreateTopics: 3 },
  })

  test.each(['broker', 'admin'] as const)('%s: waits until the topic has its leaders', async create => {
    const kafka = old.kafka({ topics: { create, partitions: 1, replicationFactor: 1 } })
    const consumer = old.ends(kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 100 }))
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    const producer = old.ends(kafka.producer())
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'a' }] })
    expect(await consume(consumer, 1)).toEqual(['a'])
  })
})
