import { PartitionNotFoundError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropBeforeApply, ERROR, errorCode, hold, holdAnswer } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2, autoCreate: { createdAfter: 1, partitions: 2 } })
})
afterEach(() => world.end())

const NEVER = { topics: { create: 'never', waitForMs: 500 } } as const

const send = (producer: ResilientProducer, value: string, partition = 0) => {
  const sent = producer.send({ topic: TOPIC, messages: [{ value, partition }] })
  sent.catch(() => {})
  return sent
}
const arrived = (value: string, times = 1) =>
  world.cluster.journal.until(
    () => world.sent().filter(({ values }) => values.includes(value)).length === times,
  )

/** Time for the metadata requests that find out. */
const settle = async (seconds = 3) => {
  for (let i = 0; i < seconds * 4; i++) {
    await pass(250)
    await turns(10)
  }
}

describe('a topic that is deleted', () => {
  test('and is made again: what waited goes to the new one', async () => {
    world.topic({ leaders: [0] })
    const producer = await world.confirmed(NEVER)
    world.cluster.deleteTopic(TOPIC)
    const sent = send(producer, 'a')
    await arrived('a')
    world.topic({ leaders: [1] })
    await settle()
    await sent
    expect(world.stored()).toEqual(['a'])
  })

  test('and stays away: what waits fails with what the policy says, and later sends too', async () => {
    world.topic()
    const producer = await world.confirmed(NEVER)
    world.cluster.deleteTopic(TOPIC)
    const sent = send(producer, 'a')
    await arrived('a')
    await settle(8)
    await expect(sent).rejects.toMatchObject({
      name: 'UnknownTopicError',
      topic: TOPIC,
      outcome: 'not-written',
    })
    const next = send(producer, 'b')
    await settle()
    await expect(next).rejects.toMatchObject({ name: 'UnknownTopicError' })
  })

  test('is created again by the broker where the policy says so', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.confirmed({})
    world.cluster.deleteTopic(TOPIC)
    const sends = [send(producer, 'a'), send(producer, 'b', 1)]
    await settle(8)
    await Promise.all(sends)
    expect(world.stored(0)).toEqual(['a'])
    expect(world.stored(1)).toEqual(['b'])
  })

  test('while a batch is in flight: it comes back when the topic has been given up, and ends then', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await world.confirmed(NEVER)
    await send(producer, 'other', 1)
    const gate = world.cluster.gate()
    world.onRecord('held', hold(gate))
    const held = send(producer, 'held')
    await gate.arrived
    world.cluster.deleteTopic(TOPIC)
    const other = send(producer, 'gone', 1)
    await arrived('gone')
    await settle(8)
    await expect(other).rejects.toMatchObject({ name: 'UnknownTopicError' })
    gate.open()
    await settle(4)
    await expect(held).rejects.toMatchObject({ name: 'UnknownTopicError', outcome: 'not-written' })
  })

  test('while a batch of unknown outcome waits: it fails as such', async () => {
    world.topic({ partitions: 1, leaders: [0] })
    const producer = await world.confirmed(NEVER)
    const gate = world.cluster.gate()
    world.onRecord('a', async request => {
      await gate.wait(request.stopped)
      world.cluster.deleteTopic(TOPIC)
      request.drop()
      return null
    })
    const sent = send(producer, 'a')
    await gate.arrived
    gate.open()
    await settle(8)
    await expect(sent).rejects.toMatchObject({ name: 'UnknownTopicError', outcome: 'unknown' })
  })
})

describe('a topic that comes back', () => {
  test('with fewer partitions: records for those that are gone fail, those in flight too', async () => {
    world.topic({ partitions: 3, leaders: [0, 0, 1] })
    const producer = await world.confirmed(NEVER)
    const gate = world.cluster.gate()
    await send(producer, 'first', 2)
    world.onRecord('held', hold(gate))
    const held = send(producer, 'held', 2)
    await gate.arrived
    world.cluster.recreateTopic(TOPIC, { partitions: 1, leaders: [0] })
    const waiting = send(producer, 'waiting', 1)
    await arrived('waiting')
    await settle(4)
    await expect(waiting).rejects.toBeInstanceOf(PartitionNotFoundError)
    gate.open()
    await settle(1)
    await expect(held).rejects.toMatchObject({
      name: 'PartitionNotFoundError',
      partition: 2,
      outcome: 'not-written',
    })
    await send(producer, 'a')
    expect(world.stored(0)).toEqual(['a'])
  })

  test('with more partitions: they are used', async () => {
    world.topic({ partitions: 1, leaders: [0] })
    const producer = await world.confirmed({ ...NEVER, metadataMaxAgeMs: 5000 })
    world.cluster.recreateTopic(TOPIC, { partitions: 3, leaders: [1, 0, 1] })
    await pass(5000)
    await settle(1)
    await Promise.all([0, 1, 2].map(partition => send(producer, `${partition}`, partition)))
    for (const partition of [0, 1, 2]) expect(world.stored(partition)).toEqual([`${partition}`])
  })

  test('with the same ones and the same leaders, without the producer noticing: nothing is lost', async () => {
    world.topic({ leaders: [0] })
    const producer = await world.confirmed({ ...NEVER, batchRecords: 1 })
    world.cluster.recreateTopic(TOPIC, { partitions: 1, leaders: [0] })
    const values = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all([...values.map(value => send(producer, value)), producer.flush()])
    expect(world.stored()).toEqual(values)
  })

  test('under load: every record ends, those that were acknowledged by the new topic stand there in order', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await world.confirmed({
      ...NEVER,
      topics: { create: 'never', waitForMs: 60_000 },
      batchRecords: 2,
    })
    const acknowledged: string[] = []
    const sends: Promise<unknown>[] = []
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 10; i++) {
        const value = `${round}.${i}`
        sends.push(
          send(producer, value, i % 2).then(() => {
            acknowledged.push(value)
          }),
        )
      }
      if (round === 2) world.cluster.deleteTopic(TOPIC)
      if (round === 4) world.topic({ partitions: 2, leaders: [1, 0] })
      await pass(100)
    }
    await settle(6)
    const outcomes = await Promise.allSettled(sends)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
    for (const partition of [0, 1]) {
      const stored = world.stored(partition)
      expect(stored).toEqual([...new Set(stored)])
      const order = stored.map(value => acknowledged.indexOf(value))
      expect(order.every(at => at >= 0)).toBe(true)
      expect(stored).toEqual([...stored].sort((a, b) => Number(a) - Number(b)))
    }
  })
})

describe('the partition of a record', () => {
  test('that does not exist is an error that says how many there are', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.confirmed()
    await expect(send(producer, 'a', 2)).rejects.toMatchObject({
      name: 'PartitionNotFoundError',
      partition: 2,
      outcome: 'not-written',
      message: expect.stringContaining('2'),
    })
    await expect(
      producer.send({
        topic: TOPIC,
        messages: [
          { value: 'a', partition: 0 },
          { value: 'b', partition: 9 },
        ],
      }),
    ).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [{ partition: 0 }],
      failed: [{ messageIndexes: [1], error: { name: 'PartitionNotFoundError' } }],
    })
  })

  test('is chosen once: a retry does not choose again', async () => {
    world.topic({ partitions: 2, leaders: [0, 0] })
    let chosen = 0
    const producer = await world.connect({ createPartitioner: () => () => chosen++ % 2 })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    world.onRecord('a', dropBeforeApply)
    await producer.send({ topic: TOPIC, messages: [{ value: 'a' }] })
    expect(chosen).toBe(1)
    const [first, ...others] = world.sent()
    expect(new Set(others.map(({ partition }) => partition))).toEqual(new Set([first!.partition]))
  })

  test('comes from a partitioner made for kafkajs, called as kafkajs calls it', async () => {
    world.topic({ partitions: 3, leaders: [0, 1, 0] })
    const calls: unknown[] = []
    const producer = await world.connect({
      createPartitioner: () => args => {
        calls.push(args)
        return args.partitionMetadata.length - 1
      },
    })
    const message = { key: 'key', value: 'a', headers: { h: 'v' } }
    await producer.send({ topic: TOPIC, messages: [message] })
    expect(world.stored(2)).toEqual(['a'])
    expect(calls).toMatchObject([
      {
        topic: TOPIC,
        message,
        partitionMetadata: [{ partitionId: 0, leader: 0 }, { partitionId: 1, leader: 1 }, { leader: 0 }],
      },
    ])
  })

  test('fails the record alone when the partitioner throws, or answers nonsense', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.connect({
      createPartitioner:
        () =>
        ({ message }) => {
          if (message.value === 'throw') throw new TypeError('no idea')
          return message.value === 'nonsense' ? 1.5 : 1
        },
    })
    const outcomes = await Promise.allSettled(
      ['throw', 'nonsense', 'a'].map(value => producer.send({ topic: TOPIC, messages: [{ value }] })),
    )
    expect(outcomes).toMatchObject([
      {
        reason: {
          name: 'KafkaJSNonRetriableError',
          outcome: 'not-written',
          topic: TOPIC,
          message: expect.stringContaining('no idea'),
        },
      },
      { reason: { name: 'PartitionNotFoundError' } },
      { status: 'fulfilled' },
    ])
    // The same, now that the topic is known.
    const later = await Promise.allSettled(
      ['throw', 'nonsense', 'b'].map(value => producer.send({ topic: TOPIC, messages: [{ value }] })),
    )
    expect(later).toMatchObject([
      { reason: { name: 'KafkaJSNonRetriableError', outcome: 'not-written', topic: TOPIC } },
      { reason: { name: 'PartitionNotFoundError' } },
      { status: 'fulfilled' },
    ])
    expect(world.stored(1)).toEqual(['a', 'b'])
  })
})

test('answers that come after the topic was forgotten as idle are still taken', async () => {
  world.topic({ leaders: [0] })
  const producer = await world.confirmed({ metadataMaxIdleMs: 2000, metadataMaxAgeMs: 2000 })
  const gate = world.cluster.gate()
  world.onRecord('a', holdAnswer(gate))
  const sent = send(producer, 'a')
  await gate.arrived
  await settle(5)
  gate.open()
  await expect(sent).resolves.toMatchObject([{ baseOffset: '1' }])
  await settle(5)
  world.cluster.moveLeader(TOPIC, 0, 1)
  const moved = send(producer, 'b')
  await settle(2)
  await moved
  expect(world.stored()).toEqual(['first', 'a', 'b'])
})
