import kafkajs from 'kafkajs'
import { ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, turns, World } from '../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

const NINE = [
  'connect',
  'disconnect',
  'isIdempotent',
  'events',
  'on',
  'send',
  'sendBatch',
  'transaction',
  'logger',
] as const

const message = (value: string) => ({ value, partition: 0 })

describe('the properties of kafkajs’s producer', () => {
  test('are its own, enumerable, and may be replaced', () => {
    const producer = world.producer()
    for (const name of NINE) {
      expect(Object.getOwnPropertyDescriptor(producer, name), name).toMatchObject({
        writable: true,
        configurable: true,
        enumerable: true,
      })
    }
  })

  test('need no `this`', async () => {
    world.topic()
    const { connect, disconnect, isIdempotent, on, events, send, sendBatch, transaction, logger } =
      world.producer()
    const seen: string[] = []
    on(events.CONNECT, ({ type }) => seen.push(type))
    await connect()
    expect(isIdempotent()).toBe(true)
    await send({ topic: TOPIC, messages: [message('a')] })
    await sendBatch({ topicMessages: [{ topic: TOPIC, messages: [message('b')] }] })
    await expect(transaction()).rejects.toBeInstanceOf(kafkajs.KafkaJSNonRetriableError)
    logger().info('said')
    await disconnect()
    expect(world.stored()).toEqual(['a', 'b'])
    expect(seen).toEqual(['producer.connect'])
    expect(world.log).toContainEqual({ level: 'INFO', message: 'said' })
  })

  test('of our own need none either', async () => {
    world.topic()
    const { connect, enqueue, ready, flush, writable } = world.producer()
    await connect()
    enqueue(TOPIC, message('a'))
    await ready()
    writable().end({ topic: TOPIC, ...message('b') })
    await turns()
    await flush()
    expect(world.stored()).toEqual(['a', 'b'])
  })

  test('may be wrapped, as instrumentations do that write headers into the messages', async () => {
    world.topic()
    const producer = await world.connect()
    const { send } = producer
    producer.send = record => {
      for (const each of record.messages) each.headers = { ...each.headers, traceparent: '00-1' }
      return send(record)
    }
    await producer.send({ topic: TOPIC, messages: [message('a')] })
    expect(world.cluster.records(TOPIC, 0)[0]?.headers).toEqual([
      { key: 'traceparent', value: Buffer.from('00-1') },
    ])
  })
})

describe('isIdempotent', () => {
  test.each([
    [{}, true],
    [{ idempotent: true }, true],
    [{ idempotent: false }, false],
    [{ acks: 1 as const }, false],
  ])('with %o is %s, connected or not', async (options, expected) => {
    const producer = world.producer(options)
    expect(producer.isIdempotent()).toBe(expected)
    await producer.connect()
    expect(producer.isIdempotent()).toBe(expected)
  })

  test('is false where the cluster refused a producer id, once that is known', async () => {
    world.cluster.on('InitProducerId', errorCode(ERROR.CLUSTER_AUTHORIZATION_FAILED))
    const producer = world.producer()
    expect(producer.isIdempotent()).toBe(true)
    await producer.connect()
    expect(producer.isIdempotent()).toBe(false)
    expect(world.log.filter(({ level }) => level === 'WARN')).toHaveLength(1)
  })
})
