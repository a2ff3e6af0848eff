import kafkajs from 'kafkajs'
import { BrokersUnreachableError, IncompatibleKafkajsError } from 'kafkajs-resilient-producer'
import { hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createResilientProducer } from '../../../src/producer/producer.js'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

const arrived = (api: 'Metadata' | 'InitProducerId', times = 1) =>
  world.cluster.journal.until(() => world.cluster.journal.of(api).length === times)

const failureOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('connect within a time', () => {
  test('names the last failure when it is over, and leaves nothing behind', async () => {
    await world.cluster.stopBroker(0)
    const timers = vi.getTimerCount()
    const producer = world.producer({ metadataRetry: { minTimeoutMs: 100, maxTimeoutMs: 100 } })
    const failed = failureOf(producer.connect({ timeoutMs: 5000 }))
    await world.until(producer, 'metadata_refreshes_total', 2)
    await pass(5000)
    const error = await failed
    expect(error).toBeInstanceOf(BrokersUnreachableError)
    expect(error).toBeInstanceOf(kafkajs.KafkaJSNumberOfRetriesExceeded)
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^No broker could be used within timeoutMs \(5000 ms\): .*ECONNREFUSED.*raise timeoutMs of connect\(\)\.$/,
      ),
      cause: { name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' },
      retriable: false,
    })
    await turns(20)
    expect(vi.getTimerCount()).toBe(timers)
  })

  test('names what it waits for when not even one attempt has ended', async () => {
    world.cluster.on('Metadata', hang, { times: Infinity })
    const producer = world.producer({ metadataRequestTimeoutMs: 60_000 })
    const failed = failureOf(producer.connect({ timeoutMs: 1000 }))
    await arrived('Metadata')
    await pass(1000)
    const error = await failed
    expect(error).toMatchObject({
      name: 'BrokersUnreachableError',
      attempts: 1,
      cause: { message: expect.stringMatching(/^127\.0\.0\.1:\d+ has not answered Metadata for \d+ ms$/) },
    })
  })

  test('covers the wait for a producer id', async () => {
    world.cluster.on('InitProducerId', hang, { times: Infinity })
    const producer = world.producer({ metadataRequestTimeoutMs: 60_000 })
    const failed = failureOf(producer.connect({ timeoutMs: 1000 }))
    await arrived('InitProducerId')
    await pass(1000)
    expect(await failed).toMatchObject({ name: 'BrokersUnreachableError' })
  })

  test('covers the wait for a disconnect under way, which goes on', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('held', hold(gate))
    const held = producer.send({ topic: TOPIC, messages: [{ value: 'held', partition: 0 }] })
    await gate.arrived
    const disconnected = producer.disconnect()
    const failed = failureOf(producer.connect({ timeoutMs: 1000 }))
    await pass(1000)
    expect(await failed).toMatchObject({ name: 'BrokersUnreachableError' })
    gate.open()
    await Promise.all([held, disconnected])
    await turns(20)
    expect(() => producer.enqueue(TOPIC, { value: 'late' })).toThrow('The producer is disconnected')
  })

  test('may be tried again after it was given up, while the first attempt still ends', async () => {
    world.topic()
    world.cluster.on('Metadata', hang, { times: 1 })
    const producer = world.producer()
    const failed = failureOf(producer.connect({ timeoutMs: 1000 }))
    await arrived('Metadata')
    const again = failed.then(() => producer.connect())
    await pass(1000)
    await again
    await producer.send({ topic: TOPIC, messages: [{ value: 'a' }] })
    expect(world.stored()).toEqual(['a'])
  })

  test('that one of two gives up goes on for the other', async () => {
    const gate = world.cluster.gate()
    world.cluster.on('Metadata', hold(gate), { times: 1 })
    const producer = world.producer({ metadataRequestTimeoutMs: 60_000 })
    const impatient = failureOf(producer.connect({ timeoutMs: 1000 }))
    const patient = producer.connect()
    await gate.arrived
    await pass(1000)
    expect(await impatient).toMatchObject({ name: 'BrokersUnreachableError' })
    gate.open()
    await patient
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(1)
  })

  test('that is no time is refused, and one beyond all timers waits as without', async () => {
    const producer = world.producer()
    for (const timeoutMs of [-1, Number.NaN, '5' as unknown as number]) {
      await expect(producer.connect({ timeoutMs })).rejects.toThrow('timeoutMs must be a number of ms')
    }
    await producer.connect({ timeoutMs: Number.POSITIVE_INFINITY })
    for (const timeoutMs of [-1, Number.NaN]) {
      await expect(producer.flush({ timeoutMs })).rejects.toThrow('timeoutMs must be a number of ms')
      await expect(producer.disconnect({ timeoutMs })).rejects.toThrow('timeoutMs must be a number of ms')
    }
    await producer.flush({ timeoutMs: 2 ** 40 })
    await producer.disconnect({ timeoutMs: Number.POSITIVE_INFINITY })
  })
})

describe('connect under a signal', () => {
  test('ends with its reason, and asks nobody any more', async () => {
    world.cluster.on('Metadata', hang, { times: Infinity })
    const stop = new AbortController()
    const timers = vi.getTimerCount()
    const producer = world.producer()
    const failed = failureOf(producer.connect({ signal: stop.signal }))
    await arrived('Metadata')
    const reason = new Error('stopped')
    stop.abort(reason)
    expect(await failed).toBe(reason)
    await turns(20)
    expect(vi.getTimerCount()).toBe(timers)
  })

  test('that is aborted already asks nobody at all', async () => {
    const reason = new Error('stopped')
    await expect(world.producer().connect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(world.cluster.journal.entries).toHaveLength(0)
  })
})

test('a disconnect after a connect that waits for an earlier disconnect has the last word', async () => {
  world.topic()
  const producer = await world.confirmed()
  const gate = world.cluster.gate()
  world.onRecord('held', hold(gate))
  const held = producer.send({ topic: TOPIC, messages: [{ value: 'held', partition: 0 }] })
  await gate.arrived
  const first = producer.disconnect()
  const connected = failureOf(producer.connect())
  const last = producer.disconnect()
  gate.open()
  await Promise.all([held, first, last])
  expect(await connected).toMatchObject({ name: 'ProducerClosedError' })
  await turns(20)
  expect(() => producer.enqueue(TOPIC, { value: 'late' })).toThrow('The producer is disconnected')
})

test('what is no Kafka of kafkajs is refused when the producer is made', () => {
  for (const wrong of [{}, null, new (class Kafka {})()]) {
    expect(() => createResilientProducer(wrong as unknown as kafkajs.Kafka)).toThrow(IncompatibleKafkajsError)
  }
})
