import { SequenceLostError } from 'kafkajs-resilient-producer'
import { dropAfterApply, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.start()
  world.topic({ partitions: 2 })
})
afterEach(() => {
  world.forgetRules()
  return world.end()
})

const idsGiven = () => world.cluster.journal.of('InitProducerId').length

/** Every batch is refused until another producer id was asked for. */
const refuseUntilRenewed = (code: number) => {
  const given = idsGiven()
  world.onNext((request, next) => (idsGiven() > given ? next() : request.refuse(code)), 100)
}

describe.each([
  ['INVALID_PRODUCER_ID_MAPPING', ERROR.INVALID_PRODUCER_ID_MAPPING],
  ['UNKNOWN_PRODUCER_ID', ERROR.UNKNOWN_PRODUCER_ID],
  ['INVALID_PRODUCER_EPOCH', ERROR.INVALID_PRODUCER_EPOCH],
  ['PRODUCER_FENCED', ERROR.PRODUCER_FENCED],
])('%s for an idempotent producer', (_, code) => {
  test('asks for another id, once for all partitions, and every record is written once', async () => {
    const producer = await world.confirmed()
    await producer.send({ topic: TOPIC, messages: [{ value: 'other', partition: 1 }] })
    refuseUntilRenewed(code)
    const values = Array.from({ length: 8 }, (_, i) => `${i}`)
    await Promise.all(
      values.map((value, i) => producer.send({ topic: TOPIC, messages: [{ value, partition: i % 2 }] })),
    )
    expect(idsGiven()).toBe(2)
    expect(world.stored(0)).toEqual(['first', '0', '2', '4', '6'])
    expect(world.stored(1)).toEqual(['other', '1', '3', '5', '7'])
  })

  test('ends a record of unknown outcome as such', async () => {
    const producer = await world.confirmed()
    world.onRecord('lost', dropAfterApply)
    world.onRecord('lost', request => {
      refuseUntilRenewed(code)
      return request.refuse(code)
    })
    const error = await producer
      .send({ topic: TOPIC, messages: [{ value: 'lost', partition: 0 }] })
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(SequenceLostError)
    expect(error).toMatchObject({ outcome: 'unknown', code })
    await producer.send({ topic: TOPIC, messages: [{ value: 'next', partition: 0 }] })
    expect(world.stored(0)).toEqual(['first', 'lost', 'next'])
  })
})

test('a batch without a sequence is refused as it was', async () => {
  const producer = await world.confirmed({ idempotent: false })
  world.onRecord('plain', request => request.refuse(ERROR.INVALID_PRODUCER_ID_MAPPING))
  await expect(
    producer.send({ topic: TOPIC, messages: [{ value: 'plain', partition: 0 }] }),
  ).rejects.toMatchObject({ name: 'RecordRejectedError', type: 'INVALID_PRODUCER_ID_MAPPING' })
})
