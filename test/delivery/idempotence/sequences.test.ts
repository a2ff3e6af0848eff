import { RecordRejectedError } from 'kafkajs-resilient-producer'
import { dropAfterApply, dropBeforeApply, ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { ONE_A_BATCH, send, sendEach, trailOf } from '../support/oneRecordPerBatch.js'
import { pass, turns, World } from '../support/world.js'

/*
 * The rules of sequences (KIP-98, KIP-360), point by point. One record a batch: `batchRecords: 1`; a flush closes the last.
 */
let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const trail = (partition = 0) => trailOf(world, partition)

describe('at most five unresolved batches', () => {
  test('in flight', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const sends = sendEach(producer, values)
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(5)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', ...values])
    expect(trail()).toEqual(['first@0:0', ...values.map((value, i) => `${value}@0:${i + 1}`)])
  })

  test('counting those whose answers were lost: they are retried before anything new', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    world.onRecord('e', dropAfterApply)
    const sends = sendEach(producer, values)
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', ...values])
  })

  test('nothing new while an older one is sent again: a broker would forget it', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const values = ['a', 'b', 'c', 'd', 'e']
    // a is written but not acknowledged; the others are, and count as acknowledgements of this leader.
    world.onRecord('a', verdict(0, { errorCode: ERROR.REQUEST_TIMED_OUT }, 'applied'))
    const gate = world.cluster.gate()
    world.onRecord('a', async (request, next) => {
      const outcome = await gate.wait(request.closed)
      if (outcome === 'opened') request.drop()
      return outcome === 'opened' ? null : next()
    })
    const sends = sendEach(producer, values)
    await gate.arrived
    // Were f sent behind a's second attempt, whose answer is lost too, a third attempt would find a forgotten.
    const f = sendEach(producer, ['f'])
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all([...sends, ...f])
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd', 'e', 'f'])
  })
})

test('two batches of a partition are never in one request', async () => {
  world.topic({ partitions: 3 })
  const producer = await world.connect({ batchRecords: 1 })
  for (const partition of [0, 1, 2]) await send(producer, `first ${partition}`, partition)
  const sends = [0, 1, 2, 0, 1, 2, 0, 1, 2].flatMap((partition, i) => sendEach(producer, [`${i}`], partition))
  await Promise.all(sends)
  for (const entry of new Set(world.sent().map(each => each.entry))) {
    const inIt = world.sent().filter(each => each.entry === entry)
    expect(new Set(inIt.map(({ partition }) => partition)).size).toBe(inIt.length)
  }
  expect(world.sent().length).toBeGreaterThan(new Set(world.sent().map(each => each.entry)).size)
})

describe('a duplicate is success', () => {
  test('with the offset of the first write, while the broker remembers it', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('a', dropAfterApply)
    expect(await send(producer, 'a')).toMatchObject([{ partition: 0, baseOffset: '1' }])
    expect(trail()).toEqual(['first@0:0', 'a@0:1', 'a@0:1'])
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('with the offset unknown, where it only says so', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('a', verdict(0, { errorCode: ERROR.DUPLICATE_SEQUENCE_NUMBER, baseOffset: 7n }, 'applied'))
    expect(await send(producer, 'a')).toMatchObject([{ partition: 0, baseOffset: '-1', errorCode: 0 }])
    await send(producer, 'b')
    expect(trail()).toEqual(['first@0:0', 'a@0:1', 'b@0:2'])
  })
})

describe('out of order', () => {
  test('behind a batch that is to come again: a plain retry under the same sequence, which costs no attempt', async () => {
    world.topic()
    const producer = await world.confirmed({ ...ONE_A_BATCH, retry: { retries: 1, minTimeoutMs: 1 } })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    await Promise.all(sendEach(producer, ['a', 'b', 'c']))
    const sequences = new Map(trail().map(each => [each.split('@')[0], each]))
    expect([...sequences.values()]).toEqual(['first@0:0', 'a@0:1', 'b@0:2', 'c@0:3'])
    expect(new Set(trail()).size).toBe(4)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
  })

  test('at the sequence that was to come next: the leader has lost its state, so a new epoch starts', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
    await Promise.all(sendEach(producer, ['a', 'b']))
    expect(trail().filter(each => each.includes('@1'))).toEqual(['a@1:0', 'b@1:1'])
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })

  test.each([
    ['UNKNOWN_PRODUCER_ID', 59],
    ['INVALID_PRODUCER_EPOCH', ERROR.INVALID_PRODUCER_EPOCH],
  ])('%s starts a new epoch too', async (_name, code) => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', verdict(0, { errorCode: code }))
    await Promise.all(sendEach(producer, ['a', 'b']))
    expect(world.stored()).toEqual(['first', 'a', 'b'])
    expect(trail().at(-1)).toBe('b@1:1')
  })
})

describe('a new epoch', () => {
  test('has the same producer id and costs no request; other partitions go on in the old one', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.confirmed(ONE_A_BATCH)
    await send(producer, 'other', 1)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    await Promise.all([send(producer, 'a'), send(producer, 'b', 1)])
    expect(trail(0)).toEqual(['first@0:0', 'bad@0:1', 'a@1:0'])
    expect(trail(1)).toEqual(['other@0:0', 'b@0:1'])
    expect(new Set(world.sent().map(({ producerId }) => producerId)).size).toBe(1)
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(1)
  })

  test('waits until nothing is in flight, and renumbers what was refused behind the failure, in order', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    const [bad, ...others] = sendEach(producer, ['bad', 'a', 'b', 'c', 'd', 'e', 'f'])
    await expect(bad).rejects.toThrow(RecordRejectedError)
    await Promise.all(others)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd', 'e', 'f'])
    const renewed = trail().findIndex(each => each.includes('@1'))
    expect(trail().slice(renewed)).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((value, i) => `${value}@1:${i}`),
    )
  })

  test('comes from InitProducerId once the epochs are used up', async () => {
    world.topic()
    world.cluster.on('InitProducerId', async (_request, next) => ({
      ...(await next())!,
      producerEpoch: 32767,
    }))
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    await Promise.all(sendEach(producer, ['a', 'b']))
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(2)
    expect(trail()).toEqual(['first@32767:0', 'bad@32767:1', 'a@0:0', 'b@0:1'])
    expect(new Set(world.sent().map(({ producerId }) => producerId)).size).toBe(2)
  })

  test('is asked for again until it is given; other partitions go on meanwhile', async () => {
    world.topic({ partitions: 2 })
    world.cluster.on('InitProducerId', async (_request, next) => ({
      ...(await next())!,
      producerEpoch: 32767,
    }))
    const producer = await world.confirmed(ONE_A_BATCH)
    await send(producer, 'other', 1)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS))
    world.cluster.on('InitProducerId', dropBeforeApply)
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    const a = send(producer, 'a')
    await send(producer, 'b', 1)
    await pass(1000)
    await pass(1000)
    await a
    expect(trail(1)).toEqual(['other@32767:0', 'b@32767:1'])
    expect(world.stored()).toEqual(['first', 'a'])
  })
})
