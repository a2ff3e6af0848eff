import { ERROR, hold, type JournalEntry } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { describeEmbedded, type TestBroker, uniqueTopic } from './suite.js'
import { readLogs } from './support/logs.js'
import { failureOf, producing, range } from './support/producing.js'

/** The producer's metadata requests that name a topic. */
const asksFor = (broker: TestBroker, topic: string): JournalEntry[] =>
  broker.embedded.journal
    .of('Metadata')
    .filter(({ clientId, topics }) => clientId === 'producer' && topics?.includes(topic))

/** The number of answers is what counts here, not the time between them. */
const quick = { metadataRetry: { maxTimeoutMs: 100 } }

describe.each(['kraft', 'zk'] as const)('auto-creation in the style of %s', style => {
  describe.each([
    { createdAfter: 0, leaderAfter: 0 },
    { createdAfter: 1, leaderAfter: 3 },
    { createdAfter: 5, leaderAfter: 0 },
    { createdAfter: 4, leaderAfter: 4 },
  ])('that takes %o answers', answers => {
    describeEmbedded(
      'three brokers',
      { brokers: 3, autoCreate: { style, partitions: 3, ...answers } },
      broker => {
        test('delivers once the topic has leaders, and asks no more often than that takes', async () => {
          const topic = uniqueTopic('late')
          await producing(broker, quick, async producer => {
            const [metadata] = await producer.send({ topic, messages: [{ value: 'x', partition: 2 }] })
            expect(metadata).toMatchObject({ topicName: topic, partition: 2, baseOffset: '0' })
          })
          const asks = asksFor(broker, topic)
          expect(asks).toHaveLength(answers.createdAfter + answers.leaderAfter + 1)
          expect(asks.every(({ allowAutoTopicCreation }) => allowAutoTopicCreation)).toBe(true)
        })
      },
    )
  })
})

describeEmbedded('a topic that some brokers do not see yet', { brokers: 3 }, broker => {
  test('is found through one that does', async () => {
    const topic = uniqueTopic('hidden')
    broker.embedded.createTopic(topic, { partitions: 3, leaders: [2, 2, 2] })
    for (const node of [0, 1]) broker.embedded.hideTopic(topic, node)
    await producing(broker, {}, async producer => {
      const sends = range(3, partition => producer.send({ topic, messages: [{ value: 'x', partition }] }))
      expect((await Promise.all(sends)).flat()).toHaveLength(3)
    })
  })

  test('that is in use is not taken for deleted because one broker has lost sight of it', async () => {
    const topic = uniqueTopic('in-use')
    broker.embedded.createTopic(topic, { partitions: 3, leaders: [1, 2, 1] })
    const topics = { create: 'never', waitForMs: 0 } as const
    await producing(broker, { topics, metadataMaxAgeMs: 50 }, async producer => {
      const send = () =>
        Promise.all(range(3, partition => producer.send({ topic, messages: [{ value: 'x', partition }] })))
      await send()
      broker.embedded.hideTopic(topic, 0)
      const missed = () =>
        asksFor(broker, topic).filter(({ answered }) => answered?.errorCodes.includes(3)).length
      // Twice, so that the first miss has had its consequences.
      for (const times of [1, 2]) await broker.embedded.journal.until(() => missed() >= times)
      await send()
      broker.embedded.showTopic(topic, 0)
    })
    expect(await readLogs(broker.bootstrap, [topic])).toHaveLength(2 * 3)
  })

  test('is delivered to where its leader has not heard of it, once it has', async () => {
    const topic = uniqueTopic('unheard')
    const { embedded } = broker
    embedded.createTopic(topic, { partitions: 1, leaders: [2] })
    embedded.hideTopic(topic, 2)
    await producing(broker, {}, async producer => {
      const sent = producer.send({ topic, messages: [{ value: 'x' }] })
      // By its name, or by its id from Produce 13 on.
      const unknown = [ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.UNKNOWN_TOPIC_ID]
      const refused = () =>
        embedded.journal
          .of('Produce')
          .filter(({ answered }) => unknown.some(code => answered?.errorCodes.includes(code))).length
      await embedded.journal.until(() => refused() >= 2)
      embedded.showTopic(topic, 2)
      expect(await sent).toMatchObject([{ baseOffset: '0' }])
    })
  })
})

describeEmbedded(
  'a refresh in flight while a new topic arrives',
  { autoCreate: { createdAfter: 0 } },
  broker => {
    /** Holds the producer's next metadata request that `fits`, and tells when it waits. */
    const holdRequest = (fits: (topics: readonly string[], creates: boolean) => boolean) => {
      const gate = broker.embedded.gate()
      const remove = broker.embedded.on(
        'Metadata',
        (request, next) => {
          const names = request.body.topics?.map(({ name }) => name ?? '')
          const isMeant =
            request.clientId === 'producer' && names && fits(names, request.body.allowAutoTopicCreation)
          if (!isMeant) return next()
          remove()
          return hold(gate)(request, next)
        },
        { times: Number.POSITIVE_INFINITY },
      )
      return gate
    }

    test('names it in the next request, with the creation flag, when another new topic is being asked for', async () => {
      const [first, late] = [uniqueTopic('first'), uniqueTopic('late')]
      const gate = holdRequest(topics => topics.includes(first))
      await producing(broker, {}, async producer => {
        const sends = [producer.send({ topic: first, messages: [{ value: 'x' }] })]
        await gate.arrived
        sends.push(producer.send({ topic: late, messages: [{ value: 'y' }] }))
        gate.open()
        expect((await Promise.all(sends)).flat()).toMatchObject([{ topicName: first }, { topicName: late }])
      })
      expect(asksFor(broker, late).map(({ allowAutoTopicCreation }) => allowAutoTopicCreation)).toEqual([
        true,
      ])
    })

    test('names it in the next request, with the creation flag, when topics in use are being refreshed', async () => {
      const [known, late] = [uniqueTopic('known'), uniqueTopic('late')]
      await producing(broker, { metadataMaxAgeMs: 50 }, async producer => {
        await producer.send({ topic: known, messages: [{ value: 'x' }] })
        const gate = holdRequest((topics, creates) => topics.includes(known) && !creates)
        await gate.arrived
        const sent = producer.send({ topic: late, messages: [{ value: 'y' }] })
        // More of them than the one that started it, and from calls that came before the answer and after it.
        const others = range(3, () => producer.send({ topic: late, messages: [{ value: 'z' }] }))
        gate.open()
        expect(await sent).toMatchObject([{ topicName: late, baseOffset: '0' }])
        await Promise.all(others)
      })
      expect(asksFor(broker, late)[0]?.allowAutoTopicCreation).toBe(true)
    })

    test('fails only what it was for when its answer never comes', async () => {
      const [stuck, late] = [uniqueTopic('stuck'), uniqueTopic('late')]
      const gate = holdRequest(topics => topics.includes(stuck))
      const options = { metadataRequestTimeoutMs: 300, metadataRetry: { retries: 0 } }
      await producing(broker, options, async producer => {
        const failed = failureOf(producer.send({ topic: stuck, messages: [{ value: 'x' }] }))
        await gate.arrived
        const sent = producer.send({ topic: late, messages: [{ value: 'y' }] })
        expect((await failed).name).toBe('MetadataRetriesExceededError')
        expect(await sent).toMatchObject([{ topicName: late }])
        gate.open()
      })
    })
  },
)
