import { DeliveryRetriesExceededError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, dropBeforeApply, ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { TOPIC, turns, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, partition = 0) =>
  producer.send({ topic: TOPIC, messages: [{ value, partition }] })

const attempts = (value: string) => world.sent().filter(({ values }) => values.includes(value)).length

describe('what is sent again', () => {
  test('is what failed, by partition: the others of its request are not', async () => {
    world.topic({ partitions: 3, leaders: [0, 0, 0] })
    const producer = await world.connect()
    world.onRecord('b', verdict(1, { errorCode: ERROR.NOT_ENOUGH_REPLICAS }))
    const result = await producer.send({
      topic: TOPIC,
      messages: ['a', 'b', 'c'].map((value, partition) => ({ value, partition })),
    })
    expect(result.map(({ partition, baseOffset }) => [partition, baseOffset]).sort()).toEqual([
      [0, '0'],
      [1, '0'],
      [2, '0'],
    ])
    expect([attempts('a'), attempts('b'), attempts('c')]).toEqual([1, 2, 1])
  })

  test.each([
    ['CORRUPT_MESSAGE', ERROR.CORRUPT_MESSAGE],
    ['UNKNOWN_TOPIC_OR_PARTITION', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ['LEADER_NOT_AVAILABLE', ERROR.LEADER_NOT_AVAILABLE],
    ['NOT_LEADER_OR_FOLLOWER', ERROR.NOT_LEADER_OR_FOLLOWER],
    ['REQUEST_TIMED_OUT', ERROR.REQUEST_TIMED_OUT],
    ['NOT_ENOUGH_REPLICAS', ERROR.NOT_ENOUGH_REPLICAS],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20],
    ['KAFKA_STORAGE_ERROR', 56],
    ['FENCED_LEADER_EPOCH', 74],
  ])('is a batch answered with %s', async (_name, code) => {
    world.topic()
    const producer = await world.connect()
    world.onRecord('a', verdict(0, { errorCode: code }))
    await send(producer, 'a')
    expect(attempts('a')).toBe(2)
    expect(world.stored()).toEqual(['a'])
    expect(await world.metric(producer, 'record_retries_total')).toBe(1)
  })

  test.each([
    ['REQUEST_TIMED_OUT', ERROR.REQUEST_TIMED_OUT],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20],
  ])('stands in the log once although it was written at %s', async (_name, code) => {
    world.topic()
    const producer = await world.connect()
    world.onRecord('a', verdict(0, { errorCode: code }, 'applied'))
    expect(await send(producer, 'a')).toMatchObject([{ baseOffset: '0' }])
    expect(world.stored()).toEqual(['a'])
  })

  test.each([
    ['INVALID_RECORD', 87],
    ['INVALID_TIMESTAMP', 32],
    ['UNSUPPORTED_COMPRESSION_TYPE', 76],
    ['a code of the future', 999],
  ])('is not a batch answered with %s', async (_name, code) => {
    world.topic()
    const producer = await world.connect()
    world.onRecord('a', verdict(0, { errorCode: code, errorMessage: 'because' }))
    await expect(send(producer, 'a')).rejects.toMatchObject({
      name: 'RecordRejectedError',
      code,
      topic: TOPIC,
      partition: 0,
      attempts: 1,
      outcome: 'not-written',
      message: expect.stringContaining('because'),
    })
    expect(attempts('a')).toBe(1)
    await send(producer, 'b')
    expect(world.stored()).toEqual(['b'])
  })

  test('is not a batch whose broker met an unexpected error, and that may be written', async () => {
    world.topic()
    const producer = await world.connect()
    world.onRecord('a', verdict(0, { errorCode: -1 }, 'applied'))
    await expect(send(producer, 'a')).rejects.toMatchObject({
      name: 'RecordRejectedError',
      outcome: 'unknown',
    })
    await send(producer, 'b')
    expect(world.stored()).toEqual(['a', 'b'])
  })

  test('is nothing of a topic that the client may not write to', async () => {
    world.topic()
    const producer = await world.connect()
    world.cluster.deny(TOPIC, ['write'])
    await expect(send(producer, 'a')).rejects.toMatchObject({
      name: 'TopicAuthorizationError',
      topic: TOPIC,
      outcome: 'not-written',
    })
    expect(attempts('a')).toBe(1)
  })
})

describe('the option retry', () => {
  test('bounds the attempts; the error names the first and the last cause', async () => {
    world.topic()
    const producer = await world.connect({ retry: { retries: 2, minTimeoutMs: 1 } })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    world.onRecord('a', dropBeforeApply)
    world.onRecord('a', errorCode(56))
    const error = await send(producer, 'a').catch(each => each)
    expect(error).toBeInstanceOf(DeliveryRetriesExceededError)
    expect(error).toMatchObject({
      topic: TOPIC,
      partition: 0,
      attempts: 3,
      outcome: 'unknown',
      retryCount: 2,
    })
    expect(error.message).toContain('NOT_ENOUGH_REPLICAS')
    expect(error.message).toContain('KAFKA_STORAGE_ERROR')
    expect(error.cause.type).toBe('KAFKA_STORAGE_ERROR')
    await send(producer, 'b')
    expect(world.stored()).toEqual(['b'])
  })

  test('0: the first failure ends it, and was not written', async () => {
    world.topic()
    const producer = await world.connect({ retry: { retries: 0 } })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    await expect(send(producer, 'a')).rejects.toMatchObject({ attempts: 1, outcome: 'not-written' })
  })

  test('does not count a refusal that only the batch before it brought about', async () => {
    world.topic()
    const producer = await world.confirmed({ batchRecords: 1, retry: { retries: 0 } })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    const [a, b, c] = ['a', 'b', 'c'].map(value => send(producer, value))
    a!.catch(() => {})
    void producer.flush()
    await expect(a).rejects.toMatchObject({ name: 'DeliveryRetriesExceededError', attempts: 1 })
    await Promise.all([b, c])
    expect(world.stored()).toEqual(['first', 'b', 'c'])
  })
})

describe('without idempotence', () => {
  const PLAIN = { idempotent: false, batchRecords: 1 }

  test('records carry no sequence, and no producer id is asked for', async () => {
    world.topic()
    const producer = await world.connect(PLAIN)
    expect(producer.isIdempotent()).toBe(false)
    await send(producer, 'a')
    expect(world.sent()).toMatchObject([{ producerId: -1, epoch: -1, sequence: -1 }])
    expect(world.cluster.journal.of('InitProducerId')).toEqual([])
  })

  test('one batch of a partition is in flight, so that a resend keeps the order', async () => {
    world.topic({ partitions: 2, leaders: [0, 0] })
    const producer = await world.connect(PLAIN)
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sends = ['a', 'b', 'c'].map(value => send(producer, value))
    void producer.flush()
    await gate.arrived
    const other = send(producer, 'other', 1)
    void producer.flush()
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(2)
    gate.open()
    await Promise.all([...sends, other])
    expect(world.stored()).toEqual(['a', 'b', 'c'])
  })

  test('a lost answer costs a double, in order', async () => {
    world.topic()
    const producer = await world.connect(PLAIN)
    world.onRecord('a', dropAfterApply)
    await Promise.all(['a', 'b'].map(value => send(producer, value)))
    expect(world.stored()).toEqual(['a', 'a', 'b'])
  })

  test('where the cluster refuses a producer id, goes on with one warning; an explicit `true` makes it an error', async () => {
    world.topic()
    world.cluster.on('InitProducerId', errorCode(ERROR.CLUSTER_AUTHORIZATION_FAILED), { times: 2 })
    const producer = await world.connect()
    await send(producer, 'a')
    expect(world.sent()).toMatchObject([{ producerId: -1 }])
    expect(world.log.filter(({ level }) => level === 'WARNING' || level === 'WARN')).toHaveLength(1)
    await expect(world.connect({ idempotent: true })).rejects.toMatchObject({
      name: 'IdempotenceRefusedError',
    })
  })
})
