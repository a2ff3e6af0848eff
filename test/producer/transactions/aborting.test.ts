import { dropBeforeApply, ERROR, errorCode, hang, hold, holdAnswer } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../../delivery/support/faults.js'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'
import { course, outcomes, send, TX } from './support.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const begun = async (options = {}) => {
  const producer = await world.connect({ ...TX, ...options })
  world.cluster.journal.clear()
  return { producer, transaction: await producer.transaction() }
}

const REFUSED = { errorCode: ERROR.INVALID_RECORD, errorMessage: 'not this one' }

describe('abort', () => {
  test('leaves nothing for readers of committed records; the next transaction goes on', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    await send(transaction, 'a')
    await transaction.abort()
    expect(transaction.isActive()).toBe(false)
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: ['a'], open: [] })
    // All of it was acknowledged: the sequences go on in the same epoch.
    expect(world.sent().map(({ sequence, epoch }) => [sequence, epoch])).toEqual([
      [0, 0],
      [1, 0],
    ])
  })

  test('drops what is queued, and waits for what is in a request', async () => {
    world.topic()
    const { transaction } = await begun()
    const gate = world.cluster.gate()
    world.onRecord('flying', hold(gate))
    const flying = send(transaction, 'flying')
    await gate.arrived
    const queued = send(transaction, 'queued')
    const aborted = transaction.abort()
    await expect(queued).rejects.toMatchObject({
      name: 'TransactionAbortedError',
      topic: TOPIC,
      outcome: 'not-written',
    })
    await turns()
    expect(course(world)).not.toContain('EndTxn')
    gate.open()
    await aborted
    expect(await flying).toMatchObject([{ baseOffset: '0' }])
    expect(await outcomes(world)).toEqual({ committed: [], aborted: ['flying'], open: [] })
  })

  test('drops what waits for its topic, and for buffer space', async () => {
    world.topic()
    const { transaction } = await begun({ bufferBytes: 4000, topics: { create: 'never', waitForMs: 60_000 } })
    const parked = send(transaction, 'x'.repeat(1500), 0, 'missing')
    const waiting = send(transaction, 'y'.repeat(3000))
    await turns()
    await transaction.abort()
    await expect(parked).rejects.toMatchObject({ name: 'TransactionAbortedError', topic: 'missing' })
    await expect(waiting).rejects.toMatchObject({ name: 'TransactionAbortedError', topic: TOPIC })
    expect(course(world)).toEqual([])
  })

  test('does not send again what comes back meanwhile; the next transaction has another epoch', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    const gate = world.cluster.gate()
    world.onRecord('a', async (request, next) => {
      await gate.wait(request.stopped)
      return errorCode(ERROR.NOT_ENOUGH_REPLICAS)(request, next)
    })
    const sent = send(transaction, 'a')
    await gate.arrived
    const aborted = transaction.abort()
    gate.open()
    await aborted
    await expect(sent).rejects.toMatchObject({
      name: 'TransactionAbortedError',
      attempts: 1,
      outcome: 'not-written',
    })
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(world.sent().map(({ values, sequence, epoch }) => [values[0], sequence, epoch])).toEqual([
      ['a', 0, 0],
      ['b', 0, 1],
    ])
    expect(course(world).filter(api => api !== 'Produce')).toEqual([
      'AddPartitionsToTxn',
      'EndTxn',
      'InitProducerId',
      'AddPartitionsToTxn',
      'EndTxn',
    ])
    expect(world.cluster.journal.of('InitProducerId')[0]?.body).toMatchObject({ producerEpoch: 0 })
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: [], open: [] })
  })

  test('that comes while partitions are being added waits for the answer, and asks no more', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    const gate = world.cluster.gate()
    world.cluster.on('AddPartitionsToTxn', holdAnswer(gate))
    const sent = send(transaction, 'a')
    await gate.arrived
    const aborted = transaction.abort()
    await turns()
    expect(course(world)).toEqual(['AddPartitionsToTxn'])
    gate.open()
    await aborted
    await expect(sent).rejects.toMatchObject({ name: 'TransactionAbortedError' })
    expect(course(world)).toEqual(['AddPartitionsToTxn', 'EndTxn'])
    await (await producer.transaction()).commit()
  })

  test('ends where the coordinator never heard of the transaction', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    world.cluster.on('AddPartitionsToTxn', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS))
    const sent = send(transaction, 'a')
    await world.cluster.journal.until(
      () => world.cluster.journal.of('AddPartitionsToTxn')[0]?.answered !== undefined,
    )
    const aborted = transaction.abort()
    await aborted
    await expect(sent).rejects.toMatchObject({ name: 'TransactionAbortedError' })
    expect(course(world)).toEqual(['AddPartitionsToTxn', 'EndTxn'])
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: [], open: [] })
  })
})

describe('a record that fails', () => {
  test('makes commit reject with the cause; after abort the producer goes on', async () => {
    world.topic()
    const { producer, transaction } = await begun({ batchRecords: 1 })
    await send(transaction, 'good')
    world.onRecord('bad', verdict(0, REFUSED))
    const bad = send(transaction, 'bad')
    await expect(bad).rejects.toMatchObject({ name: 'RecordRejectedError', type: 'INVALID_RECORD' })
    const rejection = {
      name: 'TransactionFailedError',
      cause: { name: 'RecordRejectedError', topic: TOPIC, partition: 0 },
    }
    await expect(transaction.commit()).rejects.toMatchObject(rejection)
    expect(transaction.isActive()).toBe(true)
    await expect(send(transaction, 'late')).rejects.toMatchObject(rejection)
    await expect(transaction.commit()).rejects.toMatchObject(rejection)
    expect(course(world)).not.toContain('EndTxn')
    await transaction.abort()
    const next = await producer.transaction()
    await send(next, 'again')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['again'], aborted: ['good'], open: [] })
    expect(world.sent().at(-1)).toMatchObject({ epoch: 1, sequence: 0 })
  })

  test('drops at once what is queued behind it: nobody waits for what cannot be committed', async () => {
    world.topic({ partitions: 2 })
    const { transaction } = await begun({ batchRecords: 1, topics: { create: 'never', waitForMs: 60_000 } })
    const gate = world.cluster.gate()
    world.onRecord('bad', async (request, next) => {
      await gate.wait(request.stopped)
      return verdict(0, REFUSED)(request, next)
    })
    const sends = [
      send(transaction, 'bad'),
      send(transaction, 'behind'),
      send(transaction, 'missing', 0, 'missing'),
    ]
    await gate.arrived
    gate.open()
    const [bad, behind, missing] = await Promise.allSettled(sends)
    expect(bad).toMatchObject({ reason: { name: 'RecordRejectedError' } })
    for (const dropped of [behind, missing]) {
      expect(dropped).toMatchObject({
        reason: {
          name: 'TransactionFailedError',
          cause: { name: 'RecordRejectedError' },
          outcome: 'not-written',
        },
      })
    }
    await transaction.abort()
  })

  test('while a commit waits for it rejects the commit', async () => {
    world.topic()
    const { transaction } = await begun()
    world.onRecord('bad', verdict(0, REFUSED))
    void send(transaction, 'bad')
    await expect(transaction.commit()).rejects.toMatchObject({ name: 'TransactionFailedError' })
    await transaction.abort()
    expect((await outcomes(world)).committed).toEqual([])
  })

  test('before it was accepted makes commit reject too: all, or nothing', async () => {
    world.topic()
    const { transaction } = await begun()
    await send(transaction, 'a')
    await expect(transaction.send({ topic: '', messages: [] })).rejects.toThrow('Invalid topic')
    await expect(transaction.commit()).rejects.toMatchObject({ cause: { message: 'Invalid topic' } })
    await transaction.abort()
    expect(await outcomes(world)).toEqual({ committed: [], aborted: ['a'], open: [] })
  })

  test('as one of many of its call keeps the call’s error as the cause', async () => {
    world.topic({ partitions: 2 })
    const { transaction } = await begun()
    world.onRecord('bad', verdict(1, REFUSED))
    const sent = transaction.send({
      topic: TOPIC,
      messages: [
        { value: 'good', partition: 0 },
        { value: 'bad', partition: 1 },
      ],
    })
    await expect(sent).rejects.toMatchObject({ name: 'SendError', acknowledged: [{ partition: 0 }] })
    await expect(transaction.commit()).rejects.toMatchObject({
      cause: { name: 'RecordRejectedError', partition: 1 },
    })
    await transaction.abort()
  })

  test('by its deadline, its answer still to come: abort waits for that, and takes another epoch', async () => {
    world.topic()
    const { producer, transaction } = await begun({ deliveryTimeoutMs: 5000, requestTimeoutMs: 60_000 })
    const gate = world.cluster.gate()
    world.onRecord('slow', holdAnswer(gate))
    const slow = send(transaction, 'slow')
    await gate.arrived
    await pass(5000)
    await expect(slow).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
    const aborted = transaction.abort()
    await turns()
    expect(course(world)).not.toContain('EndTxn')
    gate.open()
    await aborted
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: ['slow'], open: [] })
  })

  test('by its deadline, never answered: abort waits until its connection is given up', async () => {
    world.topic()
    const { producer, transaction } = await begun({ deliveryTimeoutMs: 5000, requestTimeoutMs: 35_000 })
    world.onRecord('lost', hang)
    const lost = send(transaction, 'lost')
    await world.cluster.journal.until(() => world.sent().length === 1)
    await pass(5000)
    await expect(lost).rejects.toMatchObject({ name: 'DeliveryTimeoutError' })
    const aborted = transaction.abort()
    // To the request's deadline and not beyond: a jump would run into the time-outs of what follows.
    await pass(30_000)
    await aborted
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(world.sent().at(-1)).toMatchObject({ epoch: 1, sequence: 0 })
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: [], open: [] })
  })

  test('because its sequence is lost fails the transaction, and nothing is numbered anew within it', async () => {
    world.topic()
    const { producer, transaction } = await begun({ batchRecords: 1 })
    await send(transaction, 'a')
    world.onRecord('b', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
    await expect(send(transaction, 'b')).rejects.toMatchObject({ type: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    await expect(transaction.commit()).rejects.toMatchObject({ name: 'TransactionFailedError' })
    await transaction.abort()
    expect(world.sent().map(({ epoch }) => epoch)).toEqual([0, 0])
    const next = await producer.transaction()
    await send(next, 'c')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['c'], aborted: ['a'], open: [] })
  })

  test('without rights on its topic says so, and leaves no other topic out of the next transaction', async () => {
    world.topic()
    world.topic({}, 'forbidden')
    const { producer, transaction } = await begun()
    world.cluster.on('AddPartitionsToTxn', async (_, next) => {
      const answer = await next()
      return (
        answer && {
          ...answer,
          results: answer.results.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode:
                name === 'forbidden' ? ERROR.TOPIC_AUTHORIZATION_FAILED : ERROR.OPERATION_NOT_ATTEMPTED,
            })),
          })),
        }
      )
    })
    const forbidden = send(transaction, 'x', 0, 'forbidden')
    const other = send(transaction, 'a')
    await expect(forbidden).rejects.toMatchObject({ name: 'TopicAuthorizationError', topic: 'forbidden' })
    await expect(other).rejects.toMatchObject({ cause: { name: 'TopicAuthorizationError' } })
    await transaction.abort()
    const next = await producer.transaction()
    await send(next, 'a')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })

  test('that lost its connection is sent again under its sequence, and committed', async () => {
    world.topic()
    const { transaction } = await begun()
    world.onRecord('a', dropBeforeApply)
    await send(transaction, 'a')
    await transaction.commit()
    expect(world.sent().map(({ sequence }) => sequence)).toEqual([0, 0])
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })
})
