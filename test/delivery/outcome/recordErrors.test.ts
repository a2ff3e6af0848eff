import { RecordRejectedError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { TOPIC, World } from '../support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const send = (producer: ResilientProducer, value: string, partition = 0) =>
  producer.send({ topic: TOPIC, messages: [{ value, partition }] })

describe('record errors', () => {
  const values = ['a', 'b', 'c', 'd']
  const sendAll = (producer: ResilientProducer) =>
    producer.send({ topic: TOPIC, messages: values.map(value => ({ value, partition: 0 })) })
  const bad = (indexes: number[]) =>
    verdict(0, {
      errorCode: 87,
      errorMessage: 'one or more records have been rejected',
      recordErrors: indexes.map(batchIndex => ({
        batchIndex,
        batchIndexErrorMessage: `record ${batchIndex} is bad`,
      })),
    })

  test('reject the records that they name; the rest is retried, in order', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('b', bad([1]))
    const error = await sendAll(producer).catch(each => each)
    expect(error.name).toBe('SendError')
    expect(error.acknowledged).toMatchObject([{ partition: 0, baseOffset: '1' }])
    expect(error.failed).toMatchObject([{ topic: TOPIC, partition: 0, messageIndexes: [1] }])
    expect(error.failed[0].error).toBeInstanceOf(RecordRejectedError)
    expect(error.failed[0].error).toMatchObject({
      outcome: 'not-written',
      message: expect.stringContaining('record 1 is bad'),
    })
    expect(world.stored()).toEqual(['first', 'a', 'c', 'd'])
    // What went before keeps its epoch; the rest is withIdentity anew.
    expect(world.sent().map(({ epoch, sequence, values: sent }) => [epoch, sequence, sent.length])).toEqual([
      [0, 0, 1],
      [0, 1, 4],
      [1, 0, 3],
    ])
  })

  test('can name several, and records of several calls', async () => {
    world.topic()
    const producer = await world.confirmed()
    const gate = world.cluster.gate()
    world.onRecord('busy', hold(gate))
    const busy = send(producer, 'busy')
    await gate.arrived
    // Gathered behind the one in flight, so that they share a batch.
    const sends = values.map(value => send(producer, value))
    world.onRecord('b', bad([0, 2]))
    gate.open()
    const outcomes = await Promise.allSettled([busy, ...sends])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(world.stored()).toEqual(['first', 'busy', 'b', 'd'])
    expect(outcomes[2]).toMatchObject({ value: [{ baseOffset: '2' }] })
    expect(outcomes[4]).toMatchObject({ value: [{ baseOffset: '3' }] })
  })

  test('that name all of them, or none that is there, reject the batch', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('b', bad([0, 1, 2, 3]))
    await expect(sendAll(producer)).rejects.toMatchObject({ name: 'RecordRejectedError' })
    world.onRecord('b', bad([17]))
    await expect(sendAll(producer)).rejects.toMatchObject({ name: 'RecordRejectedError' })
    expect(world.stored()).toEqual(['first'])
  })

  test('of a batch of unknown outcome reject it whole: the rest must not be written twice', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('b', dropAfterApply)
    world.onRecord('b', bad([1]))
    await expect(sendAll(producer)).rejects.toMatchObject({ name: 'RecordRejectedError', outcome: 'unknown' })
    expect(world.stored()).toEqual(['first', ...values])
  })

  test('come from a real check of timestamps too', async () => {
    world.topic({ configs: { 'message.timestamp.after.max.ms': '60000' } })
    const producer = await world.confirmed()
    const late = String(Date.now() + 7_200_000)
    const error = await producer
      .send({
        topic: TOPIC,
        messages: [
          { value: 'a', partition: 0 },
          { value: 'late', partition: 0, timestamp: late },
          { value: 'b', partition: 0 },
        ],
      })
      .catch(each => each)
    expect(error.failed).toMatchObject([{ messageIndexes: [1], error: { type: 'INVALID_TIMESTAMP' } }])
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })
})
