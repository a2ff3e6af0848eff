import kafkajs from 'kafkajs'
import { dropBeforeApply, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

const message = (value: string) => ({ value, partition: 0 })

describe('RecordMetadata', () => {
  test('is of this call alone: an entry per topic-partition, with the offset of the call’s first record there', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.connect()
    const entry = (partition: number, baseOffset: string) => ({
      topicName: TOPIC,
      partition,
      errorCode: 0,
      baseOffset,
      logAppendTime: '-1',
      logStartOffset: '0',
    })
    const at = (partition: number, value: string) => ({ value, partition })
    // In one turn: the two calls share their batches.
    const [first, second] = await Promise.all([
      producer.send({ topic: TOPIC, messages: [at(0, 'a'), at(1, 'b'), at(0, 'c')] }),
      producer.send({ topic: TOPIC, messages: [at(1, 'd'), at(0, 'e')] }),
    ])
    const byPartition = <T extends { partition: number }>(entries: T[]) =>
      entries.sort((a, b) => a.partition - b.partition)
    expect(byPartition(first)).toEqual([entry(0, '0'), entry(1, '0')])
    expect(byPartition(second)).toEqual([entry(0, '2'), entry(1, '1')])
    expect(world.stored(0)).toEqual(['a', 'c', 'e'])
    expect(world.stored(1)).toEqual(['b', 'd'])
  })

  test('keeps the log’s own time where the topic takes that', async () => {
    world.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const producer = await world.connect()
    const [entry] = await producer.send({ topic: TOPIC, messages: [message('a')] })
    expect(Number(entry?.logAppendTime)).toBeGreaterThan(0)
  })

  test('is empty without acknowledgements, and for a call without messages', async () => {
    world.topic()
    const producer = await world.connect()
    expect(await producer.send({ topic: TOPIC, messages: [message('a')], acks: 0 })).toEqual([])
    expect(await producer.send({ topic: TOPIC, messages: [] })).toEqual([])
    expect(await producer.sendBatch({ topicMessages: [] })).toEqual([])
    expect(await producer.sendBatch({ topicMessages: [{ topic: 'nowhere', messages: [] }] })).toEqual([])
    await world.cluster.journal.until(() => world.stored().length === 1)
    expect(world.cluster.journal.of('Metadata').flatMap(({ topics }) => topics)).not.toContain('nowhere')
  })

  test('of a batch that names a topic twice has it once', async () => {
    world.topic()
    const producer = await world.connect()
    const sent = await producer.sendBatch({
      topicMessages: [
        { topic: TOPIC, messages: [message('a')] },
        { topic: TOPIC, messages: [message('b'), message('c')] },
      ],
    })
    expect(sent).toMatchObject([{ topicName: TOPIC, partition: 0, baseOffset: '0' }])
    expect(world.stored()).toEqual(['a', 'b', 'c'])
  })
})

describe('a call that cannot be', () => {
  const bad: [string, object, RegExp][] = [
    ['a message that is none', { messages: [null] }, /Invalid message at index 0 .*not an object/],
    ['a value of another kind', { messages: [{ value: 5 }] }, /value must be a Buffer, a string or null/],
    ['a key of another kind', { messages: [{ value: 'a', key: 5 }] }, /key must be/],
    ['a partition that is none', { messages: [{ value: 'a', partition: -1 }] }, /partition must be/],
    ['a header of another kind', { messages: [{ value: 'a', headers: { h: 1 } }] }, /the header "h" must be/],
    ['a timestamp that is none', { messages: [{ value: 'a', timestamp: 'now' }] }, /timestamp must be/],
    ['acks that are none', { messages: [message('a')], acks: 2 }, /acks must be -1, 0 or 1, not 2/],
    ['a timeout that is none', { messages: [message('a')], timeout: -5 }, /timeout must be .* ms/],
    ['a signal that is none', { messages: [message('a')], signal: {} }, /signal must be an AbortSignal/],
    ['a codec that is none', { messages: [message('a')], compression: 9 }, /ompression/],
    ['a topic with a forged line', { topic: 'a\nb', messages: [message('a')] }, /topic "a\\nb" is not valid/],
  ]
  test.each(bad)('%s is refused before anything of it is accepted', async (_, call, problem) => {
    world.topic()
    const producer = await world.connect()
    const messages = 'messages' in call ? [message('good'), ...(call.messages as object[])] : []
    const record = { topic: TOPIC, ...call, messages } as Parameters<typeof producer.send>[0]
    const error = await producer.send(record).catch((each: Error) => each)
    expect(error).toBeInstanceOf(kafkajs.KafkaJSError)
    expect(error).toMatchObject({ retriable: false })
    expect((error as Error).message.replace('index 1', 'index 0')).toMatch(problem)
    await producer.flush()
    expect(world.cluster.journal.of('Produce')).toHaveLength(0)
  })

  test('shows what kafkajs shows of a message without a value, but nothing that its headers hold', async () => {
    const producer = await world.connect()
    const headers = { authorization: 'Bearer 123' }
    const messages = [{ key: 'k', headers, partition: 1n }] as unknown as { value: string }[]
    await expect(producer.send({ topic: TOPIC, messages })).rejects.toThrow(
      'Invalid message without value for topic "events": {"key":"k","headers":{"authorization":"..."},"partition":"1"}',
    )
    const misspelt = [{ vlaue: 'nobody is to read this', n: 7 }] as unknown as { value: string }[]
    await expect(producer.send({ topic: TOPIC, messages: misspelt })).rejects.toThrow(
      'Invalid message without value for topic "events": {"vlaue":"...","n":7}',
    )
    const loop: { value: undefined; headers?: unknown; self?: unknown } = { value: undefined }
    loop.self = loop
    await expect(producer.send({ topic: TOPIC, messages: [loop as never] })).rejects.toThrow(/without value/)
  })
})

test('errors carry what is known: kafkajs’s fields, and topic, partition, attempts, outcome and cause', async () => {
  world.topic()
  const producer = await world.connect({ retry: { retries: 1, minTimeoutMs: 1 } })
  const failed = (value: string, topic = TOPIC, partition = 0) =>
    producer.send({ topic, messages: [{ value, partition }] }).catch((error: Error) => error)

  world.onRecord('dropped', dropBeforeApply, 2)
  const spent = await failed('dropped')
  expect(spent).toBeInstanceOf(kafkajs.KafkaJSNumberOfRetriesExceeded)
  expect(spent).toMatchObject({
    name: 'DeliveryRetriesExceededError',
    retriable: false,
    retryCount: 1,
    topic: TOPIC,
    partition: 0,
    attempts: 2,
    outcome: 'unknown',
    cause: { name: expect.stringMatching(/^KafkaJSConnection/) },
  })

  world.onRecord('refused', errorCode(ERROR.INVALID_RECORD))
  const refused = await failed('refused')
  expect(refused).toBeInstanceOf(kafkajs.KafkaJSProtocolError)
  expect(refused).toMatchObject({
    name: 'RecordRejectedError',
    type: 'INVALID_RECORD',
    code: 87,
    retriable: false,
    topic: TOPIC,
    partition: 0,
    attempts: 1,
    outcome: 'not-written',
  })

  const missing = await failed('x', TOPIC, 7)
  expect(missing).toBeInstanceOf(kafkajs.KafkaJSProtocolError)
  expect(missing).toMatchObject({
    name: 'PartitionNotFoundError',
    type: 'UNKNOWN_TOPIC_OR_PARTITION',
    partition: 7,
    outcome: 'not-written',
  })
})
