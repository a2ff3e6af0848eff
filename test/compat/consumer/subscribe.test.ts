import '../support/production.js'
import type { Consumer, ConsumerSubscribeTopics } from 'kafkajs'
import { afterEach, describe, expect, test } from 'vitest'
import { until, within } from '../../kafka/cluster/wait.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { failureOf } from '../../kafka/support/producing.js'
import { helperClientId } from '../../kafka/testBroker.js'
import { byNumberInKey, clientsOf } from '../support/clients.js'
import { createTopics } from '../support/topics.js'

const timeoutMs = 60_000

/** Resolves when the consumer has its first assignment; rejects when it gives up. */
const joined = (consumer: Consumer) =>
  within(
    timeoutMs,
    'joining the group',
    new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve())
      consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
        if (!restart) reject(error)
      })
    }),
  )

forEachBroker('src/consumer/__tests__/subscribe.spec.js', { real: 'shared' }, broker => {
  const { kafka, connected } = clientsOf(broker)
  const open: Consumer[] = []
  afterEach(() => Promise.all(open.splice(0).map(consumer => consumer.disconnect())))

  const newConsumer = () => {
    const groupId = uniqueTopic('group')
    // kafkajs has to ask for all topics to find those of a pattern.
    const consumer = kafka({ kafka: { clientId: helperClientId } }).consumer({
      groupId,
      maxWaitTimeInMs: 1,
      maxBytesPerPartition: 180,
    })
    open.push(consumer)
    return consumer
  }

  /** What a consumer of the subscription gets of one record a topic, sent once it has joined. */
  const received = async (subscription: ConsumerSubscribeTopics | object, topics: readonly string[]) => {
    const consumer = newConsumer()
    const values: string[] = []
    await consumer.connect()
    await consumer.subscribe({ ...subscription, fromBeginning: true } as ConsumerSubscribeTopics)
    const hasJoined = joined(consumer)
    await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
    await hasJoined
    const producer = await connected({ createPartitioner: byNumberInKey })
    const topicMessages = topics.map(topic => ({ topic, messages: [{ key: 'key-0', value: topic }] }))
    await producer.sendBatch({ acks: 1, topicMessages })
    return {
      values,
      of: (count: number) =>
        until('the records', async () => (values.length >= count ? values.toSorted() : undefined), {
          timeoutMs,
        }),
    }
  }

  const newTopics = async (...names: string[]) => {
    const topics = names.map(uniqueTopic)
    await createTopics(broker, ...topics.map(topic => ({ topic, numPartitions: 1 })))
    return topics
  }

  describe('Consumer', () => {
    describe('when subscribing to multiple topics', () => {
      test('throws an error if one of the topics is invalid', async () => {
        const error = await failureOf(newConsumer().subscribe({ topics: [1 as unknown as string] }))
        expect(error.message).toBe('Invalid topic 1 (number), the topic name has to be a String or a RegExp')
      })

      test('subscribes by topic name as a string or regex', async () => {
        const scope = uniqueTopic('scope')
        const topics = await newTopics('named', 'named', `${scope}-regex`)
        const named = topics.slice(0, 2)
        const { of } = await received({ topics: [...named, new RegExp(`${scope}-REGEX-.*`, 'i')] }, topics)
        expect(await of(3)).toEqual(topics.toSorted())
      })
    })

    describe('Deprecated "topic" interface', () => {
      describe('when subscribing', () => {
        test('throws an error if the topic is invalid', async () => {
          const error = await failureOf(newConsumer().subscribe({ topic: null as unknown as string }))
          expect(error.message).toBe('Missing required argument "topics"')
        })

        test('throws an error if the topic is not a String or RegExp', async () => {
          const error = await failureOf(newConsumer().subscribe({ topic: 1 as unknown as string }))
          expect(error.message).toBe(
            'Invalid topic 1 (number), the topic name has to be a String or a RegExp',
          )
        })

        describe('with a string', () => {
          test('subscribes to the topic', async () => {
            const [topic = ''] = await newTopics('single')
            const { of } = await received({ topic }, [topic])
            expect(await of(1)).toEqual([topic])
          })
        })

        describe('with regex', () => {
          test('subscribes to all matching topics', async () => {
            const scope = uniqueTopic('pattern')
            const topics = await newTopics(...['us', 'se', 'uk', 'br'].map(each => `${scope}-${each}`))
            const { of } = await received({ topic: new RegExp(`${scope}-(SE|BR)-.*`, 'i') }, topics)
            expect(await of(2)).toEqual([topics[1], topics[3]].toSorted())
          })
        })
      })
    })
  })
})
