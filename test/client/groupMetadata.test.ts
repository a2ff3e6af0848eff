import type { Consumer } from 'kafkajs'
import {
  OffsetsRefusedError,
  type ResilientConsumer,
  type ResilientProducer,
} from 'kafkajs-resilient-producer'
import { Gate } from 'kafkajs-resilient-producer/testing'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { Place } from './support/client.js'

const place = Place.forEachTest()
const SOON = { sessionTimeout: 400, rebalanceTimeout: 400, heartbeatInterval: 50, maxWaitTimeInMs: 50 }

const consumer = (config: object = {}): ResilientConsumer =>
  place.ends(place.kafka().consumer({ groupId: 'group', maxWaitTimeInMs: 50, ...config }))

const producer = async (transactionalId: string): Promise<ResilientProducer> => {
  const made = place.ends(place.kafka().producer({}, { transactionalId }))
  await made.connect()
  return made
}

const committed = async (): Promise<string> => {
  const admin = place.ends(place.kafka().admin())
  await admin.connect()
  const [topic] = await admin.fetchOffsets({ groupId: 'group', topics: ['in'] })
  return topic!.partitions[0]!.offset
}

const values = (topic: string) =>
  place.cluster.records(topic, undefined, 'committed').map(each => String(each.value))

/** The recipe of the documents: what is consumed, what comes of it and how far it went, in one transaction. */
const process = async (
  from: ResilientConsumer,
  through: ResilientProducer,
  handling: { begun?: () => Promise<void>; ended: (outcome: unknown) => void },
): Promise<void> => {
  await from.subscribe({ topic: 'in', fromBeginning: true })
  await from.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const group = from.groupMetadata()
      const transaction = await through.transaction()
      try {
        await transaction.send({
          topic: 'out',
          messages: batch.messages.map(({ value }) => ({ value: `${value} by ${group.memberId}` })),
        })
        await handling.begun?.()
        const offset = String(BigInt(batch.lastOffset()) + 1n)
        const topics = [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }]
        await transaction.sendOffsets({ ...group, topics })
        await transaction.commit()
        handling.ended('committed')
      } catch (error) {
        await transaction.abort()
        handling.ended(error)
      }
    },
  })
}

const prepare = async (): Promise<void> => {
  place.cluster.createTopic('in', { partitions: 1 })
  place.cluster.createTopic('out', { partitions: 1 })
  const seed = place.ends(place.kafka().producer())
  await seed.connect()
  await seed.send({ topic: 'in', messages: [{ value: 'a' }] })
}

/** What is called with each outcome, and the promise of the first. */
const firstOutcome = () => {
  let ended: (outcome: unknown) => void = () => {}
  const outcome = new Promise<unknown>(resolve => {
    ended = resolve
  })
  return { ended, outcome }
}

describe('groupMetadata', () => {
  test('says who the consumer is, and goes with its offsets', async () => {
    await prepare()
    const from = consumer()
    const { ended, outcome } = firstOutcome()
    await process(from, await producer('t'), { ended })
    expect(await outcome).toBe('committed')
    expect(from.groupMetadata()).toEqual({
      consumerGroupId: 'group',
      generationId: 1,
      memberId: expect.stringMatching(/./),
    })
    const [request] = place.cluster.journal.of('TxnOffsetCommit')
    const { generationId, memberId } = from.groupMetadata()
    expect(request!.body).toMatchObject({ groupId: 'group', generationId, memberId })
    expect(await committed()).toBe('1')
  })

  test('keeps a consumer from committing what another has been given meanwhile', async () => {
    await prepare()
    const stalled = new Gate()
    const slow = { consumer: consumer(SOON), ...firstOutcome() }
    await process(slow.consumer, await producer('slow'), {
      begun: async () => void (await stalled.wait(new AbortController().signal)),
      ended: slow.ended,
    })
    await stalled.arrived
    const { generationId: before } = slow.consumer.groupMetadata()
    const other = { consumer: consumer(SOON), ...firstOutcome() }
    await process(other.consumer, await producer('other'), { ended: other.ended })
    expect(await other.outcome).toBe('committed')
    expect(other.consumer.groupMetadata().generationId).toBeGreaterThan(before)
    stalled.open()
    expect(await slow.outcome).toBeInstanceOf(OffsetsRefusedError)
    const { memberId } = other.consumer.groupMetadata()
    expect(values('out')).toEqual([`a by ${memberId}`])
    expect(await committed()).toBe('1')
  })

  test('is refused before there is a group, so that nothing is sent unchecked', async () => {
    expect(() => consumer().groupMetadata()).toThrow(
      'The consumer has not joined the group "group" yet. Call groupMetadata() in eachBatch or eachMessage.',
    )
  })

  test('needs no `this`, and leaves a consumer one of kafkajs', () => {
    const { groupMetadata } = consumer()
    expect(() => groupMetadata()).toThrow('has not joined')
    expectTypeOf<ResilientConsumer>().toExtend<Consumer>()
  })
})
