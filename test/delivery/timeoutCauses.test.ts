import type { ResilientProducer, ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { changed, ERROR, errorCode, hang } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { TOPIC, turns, World } from './support/world.js'

let world: World
afterEach(async () => {
  world.forgetRules()
  world.cluster.resumeBroker(0)
  await world.end()
})

const LIMITS: ResilientProducerOptions = {
  deliveryTimeoutMs: 500,
  requestTimeoutMs: 60_000,
  ackTimeoutMs: 200,
  retry: { minTimeoutMs: 100, maxTimeoutMs: 100, retries: 1000 },
}

const MOST_IN_FLIGHT = 5

const send = (producer: ResilientProducer, value = 'x', topic = TOPIC) =>
  producer.send({ topic, messages: [{ value, partition: 0 }] })

interface Kind {
  readonly waitsFor: string
  /** Brings the trouble about; the next record meets it. */
  begin(producer: ResilientProducer): unknown
  readonly options?: ResilientProducerOptions
  readonly cause: { readonly name?: string; readonly message: RegExp }
}

const KINDS: readonly Kind[] = [
  {
    waitsFor: 'a mute leader',
    begin: () => world.cluster.pauseBroker(0),
    cause: { message: /answer of broker 0|broker 0 has not answered a Produce request for \d+ ms/ },
  },
  {
    waitsFor: 'its turn behind requests that a mute leader has',
    begin: async producer => {
      world.cluster.pauseBroker(0)
      for (let i = 0; i < MOST_IN_FLIGHT; i++) {
        send(producer, `before ${i}`).catch(() => {})
        await turns()
      }
    },
    cause: { message: /answer of broker 0|broker 0 has not answered a Produce request for \d+ ms/ },
  },
  {
    waitsFor: 'a leader of its partition',
    begin: () => world.cluster.moveLeader(TOPIC, 0, -1),
    cause: { message: /leader/i },
  },
  {
    waitsFor: 'an attempt that succeeds',
    begin: () => world.onEach(errorCode(ERROR.NOT_ENOUGH_REPLICAS)),
    cause: { name: 'KafkaJSProtocolError', message: /NOT_ENOUGH_REPLICAS/ },
  },
  {
    waitsFor: 'the end of a throttle',
    begin: async producer => {
      world.onNext(changed(answer => ({ ...answer, throttleTimeMs: 60_000 })))
      await send(producer, 'throttled')
    },
    cause: { message: /by a quota \(throttle_time_ms\)/ },
  },
  {
    waitsFor: 'a connection whose handshake hangs',
    begin: async () => {
      world.cluster.on('ApiVersions', hang, { times: Infinity })
      await world.cluster.stopBroker(0)
      await world.cluster.startBroker(0)
    },
    cause: { message: /ApiVersions|ECONNREFUSED|Closed connection/ },
  },
  {
    waitsFor: 'another producer id',
    begin: () => {
      world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS), { times: Infinity })
      world.onNext(errorCode(ERROR.INVALID_PRODUCER_ID_MAPPING))
    },
    cause: { message: /COORDINATOR_LOAD_IN_PROGRESS|INVALID_PRODUCER_ID_MAPPING/ },
  },
]

describe('a record whose delivery time ends names as its cause what it waited for', () => {
  test.each(KINDS)('$waitsFor', async ({ begin, options, cause }) => {
    world = await World.start({ brokers: 1 })
    world.topic()
    const producer = await world.confirmed({ ...LIMITS, ...options })
    await begin(producer)
    const error = await send(producer).catch((failure: unknown) => failure)
    expect(error).toMatchObject({
      name: 'DeliveryTimeoutError',
      cause: { ...cause, message: expect.stringMatching(cause.message) },
      message: expect.stringMatching(cause.message),
    })
  })

  test.each([
    ['DeliveryTimeoutError', 60_000],
    ['BufferFullError', 1300],
  ])('buffer space, in a %s', async (name, maxBlockMs) => {
    world = await World.start({ brokers: 1 })
    world.topic()
    const producer = await world.confirmed({
      ...LIMITS,
      deliveryTimeoutMs: 1500,
      bufferBytes: 5000,
      maxBlockMs,
    })
    world.cluster.pauseBroker(0)
    send(producer, '.'.repeat(4500)).catch(() => {})
    await expect(send(producer, '.'.repeat(1000))).rejects.toMatchObject({
      name,
      cause: { message: expect.stringMatching(/broker 0/) },
    })
  })

  test('the coordinator of its transaction', async () => {
    world = await World.start({ brokers: 1 })
    world.topic()
    const producer = await world.connect({ ...LIMITS, transactionalId: 'tx' })
    world.cluster.on('AddPartitionsToTxn', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS), { times: Infinity })
    const transaction = await producer.transaction()
    await expect(transaction.send({ topic: TOPIC, messages: [{ value: 'x' }] })).rejects.toMatchObject({
      name: 'TransactionFailedError',
      message: expect.stringContaining('COORDINATOR_LOAD_IN_PROGRESS'),
    })
  })
})
