import {
  InvalidTopicError,
  TopicAuthorizationError,
  type TopicCreation,
  TopicCreationError,
} from 'kafkajs-resilient-producer'
import { ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { describeEmbedded, forEachBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { readLogs } from './support/logs.js'
import { failureOf, producing } from './support/producing.js'

const ways: readonly TopicCreation[] = ['broker', 'admin']

forEachBroker('a topic that can never appear', { real: 'shared' }, broker => {
  test.each(ways)(
    "fails by '%s' with the broker's own reason: a name that collides with another",
    async create => {
      const name = uniqueTopic('collision')
      const [first, second, beside] = [`${name}_x`, `${name}.x`, `${name}-beside`]
      await createTopics(broker, { topic: first })
      await producing(broker, { topics: { create } }, async producer => {
        const failure = failureOf(producer.send({ topic: second, messages: [{ value: 'x' }] }))
        const delivered = await producer.send({ topic: beside, messages: [{ value: 'y' }] })
        expect(delivered).toMatchObject([{ topicName: beside, baseOffset: '0' }])
        const error = await failure
        // Brokers on ZooKeeper refuse the name by themselves.
        const isExplained = create === 'broker' && !broker.isOlderThan('3.3')
        expect(error).toBeInstanceOf(isExplained ? TopicCreationError : InvalidTopicError)
        expect(error).toMatchObject({
          topic: second,
          type: 'INVALID_TOPIC_EXCEPTION',
          outcome: 'not-written',
        })
        if (isExplained || create === 'admin')
          expect(error.message).toMatch(
            new RegExp(`Topic '${second}' collides with existing topics?: ${first}`),
          )
      })
      const topics = await withAdmin(broker, admin => admin.listTopics())
      expect(topics).toEqual(expect.arrayContaining([first, beside]))
      expect(topics).not.toContain(second)
    },
  )

  test('fails by its policy with the reason of the controller, and takes no other topic with it', async () => {
    const name = uniqueTopic('refused')
    const topics = {
      create: 'admin',
      rules: [
        { match: '*-factor', replicationFactor: 99 },
        { match: '*-config', configEntries: [{ name: 'retention.ms', value: 'long' }] },
      ],
    } as const
    await producing(broker, { topics }, async producer => {
      const send = (suffix: string) =>
        producer.send({ topic: `${name}-${suffix}`, messages: [{ value: suffix }] })
      const [factor, config, good] = await Promise.all([
        failureOf(send('factor')),
        failureOf(send('config')),
        send('good'),
      ])
      expect(factor).toBeInstanceOf(TopicCreationError)
      expect(factor).toMatchObject({ type: 'INVALID_REPLICATION_FACTOR', topic: `${name}-factor` })
      expect(factor.message).toMatch(/replication factor.* 99 .*brokers?/i)
      expect(config).toBeInstanceOf(TopicCreationError)
      expect(config).toMatchObject({ type: 'INVALID_CONFIG', topic: `${name}-config` })
      expect(config.message).toContain('retention.ms')
      expect(good).toMatchObject([{ baseOffset: '0' }])
    })
  })

  test('is refused at the call when its name is none, without a request', async () => {
    await producing(broker, {}, async (producer, requests) => {
      const before = requests.count('Metadata')
      for (const topic of ['no spaces', 'x'.repeat(250), '..', 'naïve']) {
        const error = await failureOf(producer.send({ topic, messages: [{ value: 'x' }] }))
        expect(error).toBeInstanceOf(InvalidTopicError)
      }
      expect(requests.count('Metadata')).toBe(before)
    })
  })
})

describeEmbedded(
  'a forbidden topic',
  { autoCreate: { denied: topic => topic.startsWith('secret') } },
  broker => {
    test('fails at once with a remedy, and no other topic waits for it', async () => {
      const topic = uniqueTopic('secret')
      await producing(broker, {}, async producer => {
        const [error] = await Promise.all([
          failureOf(producer.send({ topic, messages: [{ value: 'x' }] })),
          producer.send({ topic: uniqueTopic('open'), messages: [{ value: 'y' }] }),
        ])
        expect(error).toBeInstanceOf(TopicAuthorizationError)
        expect(error).toMatchObject({ topic, outcome: 'not-written', attempts: 1 })
        expect(error.message).toContain('CREATE')
      })
    })

    test('that is forbidden while it is in use fails its own records only, and works again once it is allowed', async () => {
      const [topic, other] = [uniqueTopic('orders'), uniqueTopic('other')]
      await producing(broker, {}, async producer => {
        const send = (to: string, value: string) => producer.send({ topic: to, messages: [{ value }] })
        await Promise.all([send(topic, 'first'), send(other, 'first')])
        const allow = broker.embedded.deny(topic)
        const [error] = await Promise.all([failureOf(send(topic, 'second')), send(other, 'second')])
        expect(error).toBeInstanceOf(TopicAuthorizationError)
        expect(error).toMatchObject({ topic, outcome: 'not-written' })
        allow()
        await send(topic, 'third')
      })
      expect((await readLogs(broker.bootstrap, [topic])).map(({ value }) => `${value}`)).toEqual([
        'first',
        'third',
      ])
    })

    test('of a batch of calls fails only the records that are for it', async () => {
      const [topic, open] = [uniqueTopic('secret'), uniqueTopic('open')]
      await producing(broker, {}, async producer => {
        const error = await failureOf(
          producer.sendBatch({
            topicMessages: [
              { topic: open, messages: [{ value: 'a' }, { value: 'b' }] },
              { topic, messages: [{ value: 'c' }] },
            ],
          }),
        )
        expect(error).toMatchObject({
          name: 'SendError',
          acknowledged: [{ topicName: open, baseOffset: '0' }],
          failed: [{ topic, messageIndexes: [0], error: { name: 'TopicAuthorizationError' } }],
        })
      })
    })
  },
)

describeEmbedded('a broker that refuses the name of a topic', {}, broker => {
  test('ends the send with its verdict', async () => {
    const topic = uniqueTopic('odd')
    broker.embedded.on('Metadata', errorCode(ERROR.INVALID_TOPIC_EXCEPTION), { topic })
    await producing(broker, {}, async producer => {
      const error = await failureOf(producer.send({ topic, messages: [{ value: 'x' }] }))
      expect(error).toBeInstanceOf(InvalidTopicError)
      expect(error).toMatchObject({ topic, code: 17 })
    })
  })
})
