import type { ResilientProducer, ResilientProducerOptions } from 'kafkajs-resilient-producer'
import {
  changed,
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  type Gate,
  holdAnswer,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TopicPartitions } from '../../../src/delivery/waiting/topicPartitions.js'
import { verdict } from '../support/faults.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

/* Partition queues that were not used for a while are given back; one that returns begins at sequence 0 of a higher epoch. */

const IDLE_MS = 1000
const IDLE: ResilientProducerOptions = { metadataMaxIdleMs: IDLE_MS }

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, options: object = {}, topic = TOPIC) => {
  const sent = producer.send({ topic, messages: [{ value, partition: 0 }], ...options })
  sent.catch(() => {})
  return sent
}

/** Time for the wait of `work`. */
const within = async <T>(work: Promise<T>): Promise<T> => {
  let isOver = false
  const over = () => {
    isOver = true
  }
  work.then(over, over)
  for (let i = 0; i < 300 && !isOver; i++) await pass(100)
  return work
}

/** Longer than what is given back can be kept. */
const idle = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await pass(IDLE_MS / 2)
}

const numbered = () => world.sent().map(({ values, epoch, sequence }) => `${values[0]} ${epoch}:${sequence}`)

describe('a partition that was not used for metadataMaxIdleMs', () => {
  test('begins again at sequence 0 of the next epoch', async () => {
    world.topic()
    const producer = await world.confirmed(IDLE)
    await send(producer, 'a')
    await idle()
    await within(send(producer, 'b'))
    await send(producer, 'c')
    await idle()
    await within(send(producer, 'd'))
    expect(numbered()).toEqual(['first 0:0', 'a 0:1', 'b 1:0', 'c 1:1', 'd 2:0'])
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd'])
  })

  test('does not while it is used now and then', async () => {
    world.topic()
    const producer = await world.confirmed(IDLE)
    for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await pass(IDLE_MS * 0.8)
      await send(producer, value)
    }
    expect(world.sent().map(({ epoch }) => epoch)).toEqual([0, 0, 0, 0, 0, 0, 0])
  })

  test('lets other partitions go on as they were', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.connect(IDLE)
    const other = (value: string) => producer.send({ topic: TOPIC, messages: [{ value, partition: 1 }] })
    await send(producer, 'a')
    await other('0')
    for (let i = 1; i < 8; i++) {
      await pass(IDLE_MS / 2)
      await other(`${i}`)
    }
    await send(producer, 'b')
    const of = (partition: number) =>
      world
        .sent()
        .filter(each => each.partition === partition)
        .map(({ epoch, sequence }) => [epoch, sequence])
    expect(of(1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(sequence => [0, sequence]))
    expect(of(0)).toEqual([
      [0, 0],
      [1, 0],
    ])
  })

  test('is kept while an answer is due', async () => {
    world.topic()
    const producer = await world.confirmed({ ...IDLE, requestTimeoutMs: 60_000 })
    const gate = world.cluster.gate()
    world.onRecord('a', holdAnswer(gate))
    const held = send(producer, 'a')
    await gate.arrived
    await idle()
    gate.open()
    await held
    await send(producer, 'b')
    expect(numbered()).toEqual(['first 0:0', 'a 0:1', 'b 0:2'])
  })

  test('is kept while the answer to records that have expired is due', async () => {
    world.topic()
    const options = { deliveryTimeoutMs: 3000, requestTimeoutMs: 60_000, ackTimeoutMs: 1000 }
    const producer = await world.confirmed({ ...IDLE, ...options })
    const gate: Gate = world.cluster.gate()
    world.onRecord('a', holdAnswer(gate))
    const held = send(producer, 'a')
    await gate.arrived
    await expect(within(held)).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
    await idle()
    await idle()
    gate.open()
    await turns(10)
    await within(send(producer, 'b'))
    expect(numbered()).toEqual(['first 0:0', 'a 0:1', 'b 0:2'])
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })

  test('with records of unknown outcome begins where the broker takes nothing for them', async () => {
    world.topic({ leaders: [0], replicationFactor: 2 })
    const options = { deliveryTimeoutMs: 2000, requestTimeoutMs: 1000, ackTimeoutMs: 500 }
    const producer = await world.confirmed({ ...IDLE, ...options })
    world.onRecord('a', dropAfterApply)
    world.onRecord('a', dropAfterApply)
    world.cluster.moveLeader(TOPIC, 0, 0)
    const refuse = world.cluster.on('ApiVersions', dropBeforeApply, {
      times: Infinity,
    })
    const lost = within(send(producer, 'a'))
    await expect(lost).rejects.toMatchObject({ outcome: 'unknown' })
    refuse()
    world.forgetRules()
    await idle()
    await within(send(producer, 'b'))
    expect(numbered().at(-1)).toBe('b 1:0')
    expect(world.stored().filter(value => value === 'b')).toHaveLength(1)
  })

  test('is kept while it has no leader and records wait', async () => {
    world.topic()
    const producer = await world.confirmed(IDLE)
    world.cluster.moveLeader(TOPIC, 0, -1)
    const waits = send(producer, 'a')
    await idle()
    world.cluster.moveLeader(TOPIC, 0, 1)
    await within(waits)
    expect(world.stored()).toEqual(['first', 'a'])
    // It was tried under its sequence at the former leader.
    expect(new Set(numbered())).toEqual(new Set(['first 0:0', 'a 0:1']))
  })

  test.each([
    [{ acks: 1 }, {}],
    [{ acks: 0 }, {}],
    [{}, { idempotent: false }],
    [{}, { createPartitioner: () => () => 0 }],
  ])('goes on without numbers, and with a partitioner of its own (%o, %o)', async (call, options) => {
    world.topic()
    const producer = await world.connect({ ...IDLE, ...options })
    await send(producer, 'a', call)
    await turns(10)
    await idle()
    await within(send(producer, 'b', call))
    await turns(10)
    expect(world.stored()).toEqual(['a', 'b'])
  })
})

describe('epochs', () => {
  const startAt = (epoch: number) =>
    world.cluster.on(
      'InitProducerId',
      changed(answer => ({ ...(answer as object), producerEpoch: epoch }) as never),
    )

  test('that are used up by partitions that come and go are followed by another producer id', async () => {
    world.topic({ partitions: 2 })
    startAt(32766)
    const producer = await world.connect(IDLE)
    await send(producer, 'a')
    await idle()
    await within(send(producer, 'b'))
    await idle()
    await within(send(producer, 'c'))
    await send(producer, 'd')
    const ids = world.sent().map(({ producerId }) => producerId)
    expect(numbered()).toEqual(['a 32766:0', 'b 32767:0', 'c 0:0', 'd 0:1'])
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).not.toBe(ids[0])
    expect(ids[3]).toBe(ids[2])
    expect(world.stored()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('of a former producer id, given back late, say nothing of the new one', async () => {
    world.topic({ partitions: 2 })
    startAt(32767)
    const producer = await world.connect(IDLE)
    const other = (value: string) => producer.send({ topic: TOPIC, messages: [{ value, partition: 1 }] })
    await send(producer, 'a')
    await other('x')
    // Partition 0 has to bump, and gets another producer id; partition 1 goes on with the former one.
    world.onRecord('b', verdict(0, { errorCode: ERROR.UNKNOWN_PRODUCER_ID ?? 59 }))
    await within(send(producer, 'b'))
    await other('y')
    await idle()
    await within(send(producer, 'c'))
    await within(other('z'))
    const at = (value: string) => world.sent().findLast(({ values }) => values[0] === value)!
    expect(at('y').producerId).toBe(at('a').producerId)
    expect(at('b').producerId).not.toBe(at('a').producerId)
    expect(at('c')).toMatchObject({ producerId: at('b').producerId, epoch: 1, sequence: 0 })
    expect(at('z')).toMatchObject({ producerId: at('b').producerId, epoch: 1, sequence: 0 })
    expect(world.stored()).toEqual(['a', 'b', 'c'])
    expect(world.stored(1)).toEqual(['x', 'y', 'z'])
  })
})

describe('a topic', () => {
  test('that is deleted while records wait begins anew when it is created again', async () => {
    world.topic()
    const producer = await world.confirmed({ topics: { create: 'never', waitForMs: 20_000 } })
    await send(producer, 'a')
    world.cluster.deleteTopic(TOPIC)
    const waits = send(producer, 'b')
    await pass(500)
    world.topic()
    await within(waits)
    await send(producer, 'c')
    expect(world.stored()).toEqual(['b', 'c'])
    const [b, c] = world.sent().slice(-2)
    expect(b).toMatchObject({ values: ['b'], sequence: 0 })
    expect(c).toMatchObject({ values: ['c'], sequence: 1, epoch: b!.epoch })
  })

  test('that is deleted and not used is given back at once', async () => {
    world.topic()
    const queueOf = vi.spyOn(TopicPartitions.prototype, 'queueOf')
    const producer = await world.confirmed({ metadataMaxAgeMs: 1000 })
    const topic = queueOf.mock.contexts[0] as TopicPartitions
    queueOf.mockRestore()
    expect(topic.isUnused).toBe(false)
    world.cluster.deleteTopic(TOPIC)
    for (let i = 0; i < 6; i++) await pass(1000)
    expect(topic.isUnused).toBe(true)
    world.topic()
    await within(send(producer, 'a'))
    expect(numbered()).toEqual(['first 0:0', 'a 1:0'])
  })

  test('that was given back, deleted and created again takes its first records', async () => {
    world.topic()
    const producer = await world.confirmed(IDLE)
    await idle()
    world.cluster.recreateTopic(TOPIC)
    await within(send(producer, 'a'))
    await send(producer, 'b')
    expect(world.stored()).toEqual(['a', 'b'])
    expect(numbered()).toEqual(['first 0:0', 'a 1:0', 'b 1:1'])
  })

  test('has queues for the partitions that records went to, and no others', async () => {
    world.topic({ partitions: 1000 })
    const producer = await world.connect()
    const queueOf = vi.spyOn(TopicPartitions.prototype, 'queueOf')
    await send(producer, 'a')
    const topic = queueOf.mock.contexts[0] as TopicPartitions
    queueOf.mockRestore()
    expect(topic.queues.map(({ partition }) => partition)).toEqual([0])
    world.cluster.moveLeader(TOPIC, 0, 1)
    await within(send(producer, 'b'))
    expect(topic.queues).toHaveLength(1)
    expect(topic.peek(1)).toBeUndefined()
  })

  test('costs nothing once it is not used any more, and leaves no timer', async () => {
    for (let i = 0; i < 50; i++) world.topic({ partitions: 12 }, `tenant-${i}`)
    const topics = new Set<TopicPartitions>()
    const { isUnused } = Object.getOwnPropertyDescriptors(TopicPartitions.prototype)
    const unused = vi.spyOn(TopicPartitions.prototype, 'isUnused', 'get').mockImplementation(function (
      this: TopicPartitions,
    ) {
      const answer = isUnused.get!.call(this) as boolean
      if (answer) topics.add(this)
      return answer
    })
    const producer = await world.connect({ ...IDLE, metadataMaxAgeMs: 500 })
    await Promise.all(Array.from({ length: 50 }, (_, i) => send(producer, 'a', {}, `tenant-${i}`)))
    await idle()
    expect(topics.size).toBe(50)
    unused.mockRestore()
    expect(vi.getTimerCount()).toBeLessThanOrEqual(2)
  })
})
