import { ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, World } from '../../delivery/support/world.js'
import { course, outcomes, send, TX } from './support.js'

/*
 * Requests that the client has given up, and that a broker comes to in the midst of the next transaction. The epoch of that one is
 * another, so that they act on nothing.
 */
let world: World
beforeEach(async () => {
  world = await World.withClock()
  world.topic({ partitions: 2 })
})
afterEach(() => world.end())

const connect = (options = {}) => world.connect({ ...TX, ...options })

/** Resolves when the late request was served. */
const served = (api: 'EndTxn' | 'AddPartitionsToTxn' | 'Produce', index: number) =>
  world.cluster.journal.until(() => world.cluster.journal.of(api)[index]?.answered !== undefined)

describe('a late request', () => {
  test('to commit does not commit the next transaction', async () => {
    const producer = await connect()
    const first = await producer.transaction()
    await send(first, 'a')
    const gate = world.cluster.gate()
    world.cluster.on('EndTxn', hold(gate))
    const committed = first.commit()
    await gate.arrived
    await pass(3000)
    await committed
    const second = await producer.transaction()
    await send(second, 'b')
    gate.open()
    await served('EndTxn', 0)
    await second.abort()
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: ['b'], open: [] })
  })

  test('to abort does not abort the next transaction', async () => {
    const producer = await connect()
    const first = await producer.transaction()
    await send(first, 'a')
    const gate = world.cluster.gate()
    world.cluster.on('EndTxn', hold(gate))
    const aborted = first.abort()
    await gate.arrived
    await pass(3000)
    await aborted
    const second = await producer.transaction()
    await send(second, 'b')
    gate.open()
    await served('EndTxn', 0)
    await send(second, 'c')
    await second.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b', 'c'], aborted: ['a'], open: [] })
  })

  test('to add a partition begins no transaction that nobody ends', async () => {
    const producer = await connect({ transactionTimeoutMs: 10_000 })
    const first = await producer.transaction()
    const gate = world.cluster.gate()
    world.cluster.on('AddPartitionsToTxn', hold(gate))
    const sent = send(first, 'a')
    await gate.arrived
    await pass(3000)
    await sent
    await first.commit()
    gate.open()
    await served('AddPartitionsToTxn', 0)
    // A transaction that was open for so long would fence its producer.
    await pass(10_000)
    const second = await producer.transaction()
    await send(second, 'b')
    await second.commit()
    expect((await outcomes(world)).committed).toEqual(['a', 'b'])
  })

  test('with records of an aborted transaction does not write them into the next one', async () => {
    const producer = await connect({
      deliveryTimeoutMs: 5000,
      requestTimeoutMs: 6000,
      ackTimeoutMs: 1000,
      batchRecords: 1,
    })
    const first = await producer.transaction()
    await send(first, 'a')
    const late = world.cluster.gate()
    world.onRecord('late', hold(late))
    await expect(
      Promise.all([send(first, 'late'), late.arrived.then(() => pass(5000))]),
    ).rejects.toMatchObject({
      name: 'DeliveryTimeoutError',
    })
    const aborted = first.abort()
    // To the request's deadline and not beyond: a jump would run into the time-outs of what follows.
    await pass(1000)
    await aborted
    const second = await producer.transaction()
    const gate = world.cluster.gate()
    world.onRecord('b', hold(gate))
    const sent = send(second, 'b')
    await gate.arrived
    // The partition is a part of the second transaction, and nothing of its epoch is there yet.
    late.open()
    await served('Produce', 1)
    gate.open()
    await sent
    await second.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: ['a'], open: [] })
  })

  test('with records of an aborted transaction does not either where its epoch could not be had at once', async () => {
    const producer = await connect({
      deliveryTimeoutMs: 5000,
      requestTimeoutMs: 6000,
      ackTimeoutMs: 1000,
      batchRecords: 1,
    })
    const first = await producer.transaction()
    await send(first, 'a')
    const late = world.cluster.gate()
    world.onRecord('late', hold(late))
    await Promise.all([
      expect(send(first, 'late')).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' }),
      late.arrived.then(() => pass(5000)),
    ])
    const ready = world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS), {
      times: Infinity,
    })
    let isAborting = true
    const aborted = first.abort().finally(() => {
      isAborting = false
    })
    // In short steps: a jump would run into the time-outs of what follows.
    while (isAborting) await pass(500)
    await aborted
    ready()
    const before = course(world).length
    const second = await producer.transaction()
    const gate = world.cluster.gate()
    world.onRecord('b', hold(gate))
    const sent = send(second, 'b')
    await gate.arrived
    late.open()
    await served('Produce', 1)
    gate.open()
    await sent
    await second.commit()
    // The first EndTxn writes the marker of the new epoch.
    expect(course(world).slice(before)).toEqual([
      'InitProducerId',
      'AddPartitionsToTxn',
      'EndTxn',
      'AddPartitionsToTxn',
      'Produce',
      'EndTxn',
    ])
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: ['a'], open: [] })
  })

  test('is not feared where all were answered: the epoch stays', async () => {
    const producer = await connect()
    const first = await producer.transaction()
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    await send(first, 'a')
    await first.commit()
    expect(course(world).filter(api => api === 'InitProducerId')).toHaveLength(2)
  })
})
