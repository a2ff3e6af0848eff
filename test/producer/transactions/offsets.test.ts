import { Kafka, logLevel } from 'kafkajs'
import type { ResilientTransaction } from 'kafkajs-resilient-producer'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, turns, World } from '../../delivery/support/world.js'
import { course, outcomes, send, TX } from './support.js'

let world: World
beforeEach(async () => {
  world = await World.start({ brokers: 2 })
  world.topic({ partitions: 3 })
})
afterEach(() => world.end())

const begun = async (options = {}) => {
  const producer = await world.connect({ ...TX, ...options })
  world.cluster.journal.clear()
  return { producer, transaction: await producer.transaction() }
}

const offsets = (...partitions: [partition: number, offset: string][]) => ({
  consumerGroupId: 'g',
  topics: [{ topic: TOPIC, partitions: partitions.map(([partition, offset]) => ({ partition, offset })) }],
})

const sendOffsets = (transaction: ResilientTransaction, ...partitions: [number, string][]) =>
  transaction.sendOffsets(offsets(...partitions))

/** What the group has committed, by partition. */
const committed = () =>
  world.byKafkajs(async kafka => {
    const admin = kafka.admin()
    await admin.connect()
    const [topic] = await admin.fetchOffsets({ groupId: 'g', topics: [TOPIC] })
    await admin.disconnect()
    return topic!.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  })

describe('offsets', () => {
  test('become the group’s with the commit, and not before', async () => {
    const { transaction } = await begun()
    await sendOffsets(transaction, [0, '5'], [2, '7'])
    expect(await committed()).toEqual(['-1', '-1', '-1'])
    await transaction.commit()
    expect(await committed()).toEqual(['5', '-1', '7'])
  })

  test('of an aborted transaction are nobody’s', async () => {
    const { transaction } = await begun()
    await sendOffsets(transaction, [0, '5'])
    await transaction.abort()
    expect(await committed()).toEqual(['-1', '-1', '-1'])
    expect(course(world)).toEqual(['AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'])
  })

  test('name their group to the coordinator once a transaction', async () => {
    const { producer, transaction } = await begun()
    await sendOffsets(transaction, [0, '1'])
    await sendOffsets(transaction, [0, '2'])
    await transaction.commit()
    expect(course(world).filter(api => api === 'AddOffsetsToTxn')).toHaveLength(1)
    const next = await producer.transaction()
    await sendOffsets(next, [0, '3'])
    await next.commit()
    expect(course(world).filter(api => api === 'AddOffsetsToTxn')).toHaveLength(2)
    expect((await committed())[0]).toBe('3')
  })

  test('that nobody awaited are waited for by the commit', async () => {
    const { transaction } = await begun()
    const gate = world.cluster.gate()
    world.cluster.on('TxnOffsetCommit', hold(gate))
    void sendOffsets(transaction, [0, '5'])
    const done = transaction.commit()
    await gate.arrived
    await turns()
    expect(course(world)).not.toContain('EndTxn')
    gate.open()
    await done
    expect((await committed())[0]).toBe('5')
  })

  test('carry the member as who they are sent, and its metadata', async () => {
    const { transaction } = await begun()
    const partitions = [{ partition: 0, offset: '5', metadata: 'here' }]
    const sent = transaction.sendOffsets({
      consumerGroupId: 'g',
      generationId: 3,
      memberId: 'somebody',
      topics: [{ topic: TOPIC, partitions }],
    })
    await expect(sent).rejects.toMatchObject({ name: 'OffsetsRefusedError' })
    expect(world.cluster.journal.of('TxnOffsetCommit')[0]?.body).toMatchObject({
      generationId: 3,
      memberId: 'somebody',
      topics: [{ partitions: [{ committedMetadata: 'here' }] }],
    })
    await transaction.abort()
  })

  test('that only some partitions are refused for the moment are retried for those alone', async () => {
    const { transaction } = await begun()
    world.cluster.on('TxnOffsetCommit', async (request, next) => {
      const answer = await next({
        ...request.body,
        topics: request.body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.filter(({ partitionIndex }) => partitionIndex === 0),
        })),
      })
      return (
        answer && {
          ...answer,
          topics: answer.topics.map(({ name, partitions }) => ({
            name,
            partitions: [...partitions, { partitionIndex: 2, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }],
          })),
        }
      )
    })
    await sendOffsets(transaction, [0, '5'], [2, '7'])
    const [, again] = world.cluster.journal.of('TxnOffsetCommit')
    expect(again?.body).toMatchObject({ topics: [{ partitions: [{ partitionIndex: 2 }] }] })
    await transaction.commit()
    expect(await committed()).toEqual(['5', '-1', '7'])
  })

  test('that the group refuses make the transaction fail, and say which', async () => {
    const { producer, transaction } = await begun()
    await send(transaction, 'a')
    world.cluster.on('TxnOffsetCommit', errorCode(ERROR.ILLEGAL_GENERATION))
    await expect(sendOffsets(transaction, [1, '5'])).rejects.toMatchObject({
      name: 'OffsetsRefusedError',
      type: 'ILLEGAL_GENERATION',
      topic: TOPIC,
      partition: 1,
    })
    await expect(transaction.commit()).rejects.toMatchObject({ cause: { name: 'OffsetsRefusedError' } })
    await transaction.abort()
    const next = await producer.transaction()
    await sendOffsets(next, [1, '6'])
    await next.commit()
    expect(await committed()).toEqual(['-1', '6', '-1'])
    expect(await outcomes(world)).toEqual({ committed: [], aborted: ['a'], open: [] })
  })

  test('of a group without rights say so', async () => {
    const { transaction } = await begun()
    world.cluster.on('AddOffsetsToTxn', errorCode(30))
    await expect(sendOffsets(transaction, [0, '5'])).rejects.toMatchObject({
      name: 'OffsetsRefusedError',
      type: 'GROUP_AUTHORIZATION_FAILED',
    })
    await transaction.abort()
  })

  test.each([
    [{ topics: [] }, 'Missing consumerGroupId'],
    [{ consumerGroupId: 'g' }, 'Missing offset topics'],
    [offsets([0, 'x']), 'Invalid offset'],
    [offsets([0, '-1']), 'Invalid offset'],
  ])('%j are refused at the call', async (given, message) => {
    const { transaction } = await begun()
    await expect(transaction.sendOffsets(given as never)).rejects.toThrow(message)
    expect(course(world)).toEqual([])
    await transaction.abort()
  })

  test('of no partition ask nobody', async () => {
    const { transaction } = await begun()
    await transaction.sendOffsets({ consumerGroupId: 'g', topics: [] })
    await transaction.commit()
    expect(course(world)).toEqual([])
  })
})

describe('a kafkajs consumer of the same Kafka', () => {
  /** Consumes by one transaction a message. @param aborts how often the one of 'b' is aborted and its handler throws */
  const consumeThrough = async (aborts: number) => {
    const kafka = new Kafka({
      brokers: world.cluster.bootstrap,
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 1, maxRetryTime: 5 },
    })
    const source = await world.connect()
    const messages = ['a', 'b', 'c'].map(value => ({ value, partition: 0 }))
    await source.send({ topic: TOPIC, messages })
    world.cluster.createTopic('out')
    const producer = createResilientProducer(kafka, TX)
    const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 5 })
    await Promise.all([producer.connect(), consumer.connect()])
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
    let left = aborts
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => payload.restart || reject(payload.error))
      void consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async ({ partition, message }) => {
          const transaction = await producer.transaction()
          await transaction.send({ topic: 'out', messages: [{ value: message.value }] })
          const offset = String(BigInt(message.offset) + 1n)
          const topics = [{ topic: TOPIC, partitions: [{ partition, offset }] }]
          await transaction.sendOffsets({ consumerGroupId: 'g', topics })
          if (String(message.value) === 'b' && left-- > 0) {
            await transaction.abort()
            throw new Error('not yet')
          }
          await transaction.commit()
          if (String(message.value) === 'c') resolve()
        },
      })
    })
    await Promise.all([consumer.disconnect(), producer.disconnect()])
    return (await outcomes(world, 'out')).committed
  }

  test('passes over nothing that an aborted transaction had consumed', async () => {
    expect(await consumeThrough(2)).toEqual(['a', 'b', 'c'])
  })

  test('learns the offsets at the commit, and does not commit them a second time', async () => {
    expect(await consumeThrough(0)).toEqual(['a', 'b', 'c'])
    expect(world.cluster.journal.of('OffsetCommit')).toEqual([])
    expect((await committed())[0]).toBe('3')
  })
})
