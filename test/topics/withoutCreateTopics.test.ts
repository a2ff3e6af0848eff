import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, it } from 'vitest'
import { TopicCreationError } from '../../src/errors/index.js'

let end = async (): Promise<void> => {}
afterEach(() => end())

it("create: 'admin' on brokers without CreateTopics fails each topic by its name, with what to do", async () => {
  const cluster = await EmbeddedKafka.start({ autoCreate: false, maxVersions: { CreateTopics: 'none' } })
  cluster.createTopic('there')
  const producer = createResilientProducer(
    new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }),
    { topics: { create: 'admin' } },
  )
  end = async () => {
    await producer.disconnect()
    await cluster.close()
  }
  await producer.connect()
  const send = (topic: string) => producer.send({ topic, messages: [{ value: 'x' }] })
  const [a, b, there] = await Promise.allSettled([send('a'), send('b'), send('there')])
  expect(there?.status).toBe('fulfilled')
  for (const [topic, result] of [
    ['a', a],
    ['b', b],
  ] as const) {
    const error = result?.status === 'rejected' ? result.reason : undefined
    expect(error).toBeInstanceOf(TopicCreationError)
    expect(error).toMatchObject({ topic, outcome: 'not-written', retriable: false })
    expect(error.message).toContain(`topic "${topic}" cannot be created`)
    expect(error.message).toContain('does not have CreateTopics. Create the topic beforehand')
  }
})

it("create: 'admin' before Kafka 2.4 fails each topic by its name where it asks for the brokers' defaults", async () => {
  const cluster = await EmbeddedKafka.start({ autoCreate: false, maxVersions: { CreateTopics: 3 } })
  const producer = createResilientProducer(
    new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }),
    { topics: { create: 'admin' } },
  )
  end = async () => {
    await producer.disconnect()
    await cluster.close()
  }
  await producer.connect()
  const error = await producer.send({ topic: 'a', messages: [{ value: 'x' }] }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(TopicCreationError)
  expect(error).toMatchObject({
    topic: 'a',
    code: ERROR.UNSUPPORTED_VERSION,
    outcome: 'not-written',
    message: expect.stringMatching(/topic "a" cannot be created .*Give both in the option topics\.$/),
  })
})
