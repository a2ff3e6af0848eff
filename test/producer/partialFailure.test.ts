import { type ResilientProducer, SendError } from 'kafkajs-resilient-producer'
import { ERROR, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../delivery/support/faults.js'
import { pass, TOPIC, turns, World } from '../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const at = (partition: number, ...values: string[]) => values.map(value => ({ value, partition }))
const failureOf = async (sent: Promise<unknown>) => {
  const error = await sent.then(
    () => undefined,
    each => each,
  )
  if (error === undefined) throw new Error('it did not fail')
  return error as SendError
}
const connect = async (options = {}): Promise<ResilientProducer> => {
  const producer = await world.connect(options)
  await producer.send({ topic: TOPIC, messages: at(0, 'first') })
  return producer
}

describe('a call of which a part fails', () => {
  test('is rejected only when all its records have ended', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await connect()
    const gate = world.cluster.gate()
    world.onRecord('refused', verdict(0, { errorCode: ERROR.INVALID_RECORD }))
    world.onRecord('held', hold(gate))
    let settled = false
    const sent = producer.send({ topic: TOPIC, messages: [...at(0, 'refused'), ...at(1, 'held')] })
    const failure = failureOf(sent).finally(() => {
      settled = true
    })
    await gate.arrived
    await world.until(producer, 'records_failed_total', 1)
    await turns(20)
    expect(settled).toBe(false)
    gate.open()
    const error = await failure
    expect(error).toBeInstanceOf(SendError)
    expect(error.acknowledged).toMatchObject([{ topicName: TOPIC, partition: 1, baseOffset: '0' }])
    expect(error.failed).toMatchObject([
      { topic: TOPIC, partition: 0, messageIndexes: [0], error: { name: 'RecordRejectedError' } },
    ])
  })

  test('names the places of its records in the array that was given, over partitions and batches', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await connect({ batchRecords: 2 })
    world.onRecord('2', verdict(0, { errorCode: ERROR.INVALID_RECORD }))
    // Batches of partition 0: [0, 1], [2, 4], [6]; of partition 1: [3, 5].
    const partitions = [0, 0, 0, 1, 0, 1, 0]
    const error = await failureOf(
      producer.send({ topic: TOPIC, messages: partitions.flatMap((partition, i) => at(partition, `${i}`)) }),
    )
    expect(error.failed.map(({ partition, messageIndexes }) => [partition, messageIndexes])).toEqual([
      [0, [2, 4]],
    ])
    expect(error.acknowledged.map(({ partition, baseOffset }) => [partition, baseOffset]).sort()).toEqual([
      [0, '1'],
      [1, '0'],
    ])
    expect(world.stored(0)).toEqual(['first', '0', '1', '6'])
    expect(world.stored(1)).toEqual(['3', '5'])
  })

  test('tells the offset of the first record that was acknowledged, where those before it failed', async () => {
    world.topic()
    const producer = await connect({ batchRecords: 1 })
    world.onRecord('a', verdict(0, { errorCode: ERROR.INVALID_RECORD }))
    const error = await failureOf(producer.send({ topic: TOPIC, messages: at(0, 'a', 'b', 'c') }))
    expect(error.acknowledged).toMatchObject([{ partition: 0, baseOffset: '1' }])
    expect(error.failed).toMatchObject([{ messageIndexes: [0] }])
  })

  test('over topics says which topic failed; indexes are those of its own messages', async () => {
    world.topic()
    world.topic({}, 'other')
    const producer = await connect()
    await producer.send({ topic: 'other', messages: at(0, 'first') })
    world.cluster.deny('other', ['write'])
    const error = await failureOf(
      producer.sendBatch({
        topicMessages: [
          { topic: TOPIC, messages: at(0, 'a', 'b') },
          { topic: 'other', messages: at(0, 'c', 'd') },
          { topic: TOPIC, messages: at(0, 'e') },
        ],
      }),
    )
    expect(error.acknowledged).toMatchObject([{ topicName: TOPIC, baseOffset: '1' }])
    expect(error.failed).toMatchObject([
      { topic: 'other', partition: 0, messageIndexes: [0, 1], error: { name: 'TopicAuthorizationError' } },
    ])
    expect(error.message).toContain('2 records')
    expect(world.stored()).toEqual(['first', 'a', 'b', 'e'])
  })

  test('because its topic cannot be had says so, and the other topics are delivered', async () => {
    world.topic()
    const producer = await connect({ topics: { create: 'never', waitForMs: 100 } })
    const sent = producer.sendBatch({
      topicMessages: [
        { topic: 'missing', messages: at(0, 'a', 'b') },
        { topic: TOPIC, messages: at(0, 'c') },
      ],
    })
    sent.catch(() => {})
    for (let i = 0; i < 10; i++) await pass(50)
    const error = await failureOf(sent)
    expect(error.acknowledged).toMatchObject([{ topicName: TOPIC }])
    expect(error.failed).toMatchObject([
      { topic: 'missing', partition: -1, messageIndexes: [0, 1], error: { name: 'UnknownTopicError' } },
    ])
  })

  test('because a message is pinned to a partition that does not exist names that partition', async () => {
    world.topic()
    const producer = await connect()
    const error = await failureOf(producer.send({ topic: TOPIC, messages: [...at(0, 'a'), ...at(77, 'b')] }))
    expect(error.acknowledged).toMatchObject([{ partition: 0 }])
    expect(error.failed).toMatchObject([
      { partition: 77, messageIndexes: [1], error: { name: 'PartitionNotFoundError' } },
    ])
  })

  test('for two reasons has both, and the first as its cause', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await connect()
    world.onRecord('a', verdict(0, { errorCode: ERROR.INVALID_RECORD }))
    world.onRecord('b', verdict(1, { errorCode: ERROR.INVALID_TIMESTAMP }))
    const error = await failureOf(producer.send({ topic: TOPIC, messages: [...at(0, 'a'), ...at(1, 'b')] }))
    expect(error).toBeInstanceOf(SendError)
    expect(error.acknowledged).toEqual([])
    expect(error.failed.map(({ partition }) => partition).sort()).toEqual([0, 1])
    expect(error.cause).toBe(error.failed[0]!.error)
  })
})

describe('a call that fails as a whole for one reason', () => {
  test('is rejected with that reason itself', async () => {
    world.topic()
    const producer = await connect()
    world.onRecord('a', verdict(0, { errorCode: ERROR.INVALID_RECORD }))
    const error = await failureOf(producer.send({ topic: TOPIC, messages: at(0, 'a', 'b', 'c') }))
    expect(error).toMatchObject({ name: 'RecordRejectedError', topic: TOPIC, partition: 0, attempts: 1 })
  })

  test('over several partitions of a topic that cannot be had as well', async () => {
    const producer = await world.connect({ topics: { create: 'never', waitForMs: 0 } })
    const error = await failureOf(
      producer.send({ topic: 'missing', messages: [...at(0, 'a'), ...at(1, 'b')] }),
    )
    expect(error).toMatchObject({ name: 'UnknownTopicError', topic: 'missing' })
  })
})
