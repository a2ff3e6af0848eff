import { Kafka, type Producer, type ProducerRecord, type RecordMetadata } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { describe, expect, test } from 'vitest'
import { forEachBroker, type TestBroker, uniqueTopic } from '../kafka/suite.js'

/** kafkajs's own producer and ours, to be asked the same. kafkajs's requests are its own affair: it goes by the helper's name. */
const makers: readonly [string, (broker: TestBroker, options?: { idempotent?: boolean }) => Producer][] = [
  ['kafkajs', (broker, options = {}) => broker.helper().producer(options)],
  ['ours', (broker, options = {}) => createResilientProducer(broker.kafka(), options)],
]

interface Outcome {
  readonly isError: boolean
  readonly shown: unknown
}

const KAFKAJS_ERRORS = ['KafkaJSError', 'KafkaJSNonRetriableError']

/** What a caller can tell: the value, or the error's text, class and whether to ask again. */
const outcomeOf = async (work: () => unknown): Promise<Outcome> => {
  try {
    return { isError: false, shown: await work() }
  } catch (error) {
    const { name, message, retriable } = error as Error & { retriable?: boolean }
    expect(KAFKAJS_ERRORS).toContain(name)
    return { isError: true, shown: { name, message, retriable } }
  }
}

/** The same of both, compared; resolves to what it is. */
const sameOfBoth = async (
  ask: (producer: Producer, who: string) => unknown,
  broker: TestBroker,
  { idempotent, connected = true }: { idempotent?: boolean; connected?: boolean } = {},
): Promise<unknown> => {
  const outcomes: Outcome[] = []
  for (const [who, make] of makers) {
    const producer = make(broker, idempotent === undefined ? {} : { idempotent })
    if (connected) await producer.connect()
    outcomes.push(await outcomeOf(() => ask(producer, who)))
    await producer.disconnect()
  }
  expect(outcomes[1]).toEqual(outcomes[0])
  return outcomes[0]?.shown
}

const one = [{ value: 'a' }]

forEachBroker('the same call to kafkajs and to ours', { real: 'shared' }, broker => {
  describe('is refused in the same words and by the same class', () => {
    const bad: readonly [string, unknown][] = [
      ['no topic', { messages: one }],
      ['an empty topic', { topic: '', messages: one }],
      ['no messages', { topic: 't' }],
      ['messages that are null', { topic: 't', messages: null }],
      ['a message without a value', { topic: 't', messages: [{ key: 'k' }] }],
      [
        'a later message without a value',
        { topic: 't', messages: [...one, { value: undefined, partition: 3 }] },
      ],
      ['no topic and no messages', {}],
    ]
    test.each(bad)('%s', async (_, record) => {
      const shown = await sameOfBoth(producer => producer.send(record as ProducerRecord), broker)
      expect(shown).toMatchObject({ message: expect.stringMatching(/^Invalid /), retriable: false })
      const batch = { topicMessages: [{ topic: 't', messages: one }, record as ProducerRecord] }
      expect(await sameOfBoth(producer => producer.sendBatch(batch), broker)).toEqual(shown)
    })

    test('bad input before the state of the connection', async () => {
      const shown = await sameOfBoth(producer => producer.send({ topic: '', messages: one }), broker, {
        connected: false,
      })
      expect(shown).toMatchObject({ message: 'Invalid topic' })
    })

    test('a producer that never was connected, or is no longer', async () => {
      const send = (producer: Producer) => producer.send({ topic: 't', messages: one })
      const shown = await sameOfBoth(send, broker, { connected: false })
      expect(shown).toMatchObject({ message: 'The producer is disconnected', retriable: true })
      const again = await sameOfBoth(async producer => {
        await producer.disconnect()
        return send(producer)
      }, broker)
      expect(again).toEqual(shown)
    })

    test('fewer acknowledgements than an idempotent producer needs', async () => {
      const shown = await sameOfBoth(
        producer => producer.send({ topic: 't', messages: one, acks: 1 }),
        broker,
        { idempotent: true, connected: false },
      )
      expect(shown).toMatchObject({ message: expect.stringContaining('EoS guarantees') })
    })

    test('an event that is none', async () => {
      const shown = await sameOfBoth(producer => producer.on('producer.crash' as never, () => {}), broker)
      expect(shown).toMatchObject({
        message: expect.stringMatching(/^Event name should be one of producer\./),
      })
    })
  })

  describe('answers the same', () => {
    /** Topics differ by producer; a log's own times by the moment. */
    const plain = (sent: RecordMetadata[]) =>
      sent
        .map(({ topicName, ...entry }) => ({ ...entry, topic: topicName.replace(/^[^.]*\./, '') }))
        .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)

    const topicsOf = async (who: string): Promise<(name: string) => string> => {
      const prefix = uniqueTopic(who)
      const topics = ['a', 'b'].map(name => ({ topic: `${prefix}.${name}`, numPartitions: 2 }))
      const admin = broker.helper().admin()
      await admin.connect()
      await admin.createTopics({ topics, waitForLeaders: true })
      await admin.disconnect()
      return name => `${prefix}.${name}`
    }

    test('send and sendBatch: one entry per topic-partition, with offsets as strings', async () => {
      const shown = await sameOfBoth(async (producer, who) => {
        const topic = await topicsOf(who)
        const at = (partition: number, value: string) => ({ partition, value })
        const sent = [
          await producer.send({ topic: topic('a'), messages: [at(0, '1'), at(1, '2'), at(0, '3')] }),
          await producer.send({ topic: topic('a'), messages: [at(0, '4')] }),
          await producer.sendBatch({
            topicMessages: [
              { topic: topic('a'), messages: [at(0, '5')] },
              { topic: topic('b'), messages: [at(1, '6')] },
              { topic: topic('a'), messages: [at(0, '7'), at(1, '8')] },
            ],
          }),
        ]
        return sent.map(plain)
      }, broker)
      expect(shown).toMatchObject([
        [
          { topic: 'a', partition: 0, baseOffset: '0', errorCode: 0 },
          { topic: 'a', partition: 1, baseOffset: '0' },
        ],
        [{ topic: 'a', partition: 0, baseOffset: '2' }],
        [
          { topic: 'a', partition: 0, baseOffset: '3' },
          { topic: 'a', partition: 1, baseOffset: '1' },
          { topic: 'b', partition: 1, baseOffset: '0' },
        ],
      ])
    })

    test('a call without messages, or without acknowledgements: no entries', async () => {
      const shown = await sameOfBoth(async (producer, who) => {
        const topic = await topicsOf(who)
        return [
          await producer.send({ topic: topic('a'), messages: [] }),
          await producer.send({ topic: topic('a'), messages: one, acks: 0 }),
        ]
      }, broker)
      expect(shown).toEqual([[], []])
    })

    test('events: the same names, and of a request the same facts', async () => {
      const shown = await sameOfBoth(async (producer, who) => {
        const topic = await topicsOf(who)
        const facts: string[][] = []
        producer.on(producer.events.REQUEST, ({ id, type, timestamp, payload }) => {
          if (payload.apiName !== 'Produce') return
          facts.push([`${type} ${typeof id} ${typeof timestamp}`])
          facts.push(
            Object.entries(payload)
              .map(([fact, value]) => `${fact}: ${typeof value}`)
              .sort(),
          )
        })
        await producer.send({ topic: topic('a'), messages: one })
        return [producer.events, ...facts]
      }, broker)
      expect(shown).toMatchObject([
        { CONNECT: 'producer.connect' },
        ['producer.network.request number number'],
        { length: 11 },
      ])
    })

    test('what a logger can do', async () => {
      await sameOfBoth(producer => Object.keys(producer.logger()).sort(), broker)
    })
  })
})

test('the properties of kafkajs’s producer are those of ours, of the same kinds', () => {
  const kafka = new Kafka({ brokers: ['127.0.0.1:1'] })
  const ours = createResilientProducer(kafka) as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries(kafka.producer()))
    expect(typeof ours[name], name).toBe(typeof value)
})
