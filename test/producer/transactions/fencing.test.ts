import { dropAfterApply, ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'
import { course, outcomes, send, TX } from './support.js'

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

const FENCED = { name: 'ProducerFencedError', message: expect.stringContaining('has taken over') }

describe('a producer with the same transactional id', () => {
  test('aborts what its predecessor has left open, and fences it: a commit fails, and everything after it', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    await send(transaction, 'old')
    const successor = await world.connect(TX)
    await expect(transaction.commit()).rejects.toMatchObject(FENCED)
    expect(transaction.isActive()).toBe(false)
    await expect(transaction.abort()).rejects.toMatchObject(FENCED)
    await expect(send(transaction, 'late')).rejects.toMatchObject(FENCED)
    await expect(old.transaction()).rejects.toMatchObject(FENCED)
    const next = await successor.transaction()
    await send(next, 'new')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['new'], aborted: ['old'], open: [] })
  })

  test('is noticed at a record; what is queued ends at once', async () => {
    world.topic()
    const old = await world.connect({
      ...TX,
      batchRecords: 1,
      topics: { create: 'never', waitForMs: 60_000 },
    })
    const transaction = await old.transaction()
    await send(transaction, 'old')
    await world.connect(TX)
    const refused = [send(transaction, 'a'), send(transaction, 'b'), send(transaction, 'c', 0, 'missing')]
    await expect(refused[0]).rejects.toMatchObject({
      ...FENCED,
      type: 'INVALID_PRODUCER_EPOCH',
      topic: TOPIC,
    })
    for (const each of refused) await expect(each).rejects.toMatchObject({ name: 'ProducerFencedError' })
    await expect(transaction.commit()).rejects.toMatchObject(FENCED)
  })

  test.each([ERROR.INVALID_PRODUCER_EPOCH, ERROR.PRODUCER_FENCED])(
    'is what error %i to a record means',
    async code => {
      world.topic()
      const producer = await world.connect(TX)
      const transaction = await producer.transaction()
      world.onNext(errorCode(code))
      await expect(send(transaction, 'a')).rejects.toMatchObject(FENCED)
      await expect(transaction.commit()).rejects.toMatchObject(FENCED)
    },
  )

  test('is noticed as a partition is added', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    await world.connect(TX)
    await expect(send(transaction, 'a')).rejects.toMatchObject(FENCED)
    await expect(transaction.commit()).rejects.toMatchObject(FENCED)
    expect(world.sent()).toEqual([])
  })

  test('is noticed by offsets', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    await world.connect(TX)
    const topics = [{ topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] }]
    await expect(transaction.sendOffsets({ consumerGroupId: 'g', topics })).rejects.toMatchObject(FENCED)
    await expect(old.transaction()).rejects.toMatchObject(FENCED)
  })

  test('is noticed by an abort', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    await send(transaction, 'old')
    await world.connect(TX)
    await expect(transaction.abort()).rejects.toMatchObject(FENCED)
    await expect(old.transaction()).rejects.toMatchObject(FENCED)
  })

  test('is not fenced in turn when the old one recovers: it gets no other epoch', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    world.onNext(errorCode(ERROR.INVALID_RECORD))
    await expect(send(transaction, 'bad')).rejects.toMatchObject({ type: 'INVALID_RECORD' })
    const gate = world.cluster.gate()
    // Between the end of the old one's transaction and its wish for another epoch the successor comes.
    world.cluster.on('InitProducerId', async (request, next) => {
      await gate.wait(request.stopped)
      return next()
    })
    const aborted = transaction.abort()
    await gate.arrived
    const successor = await world.connect({ ...TX, idempotent: false })
    gate.open()
    await aborted
    await expect(old.transaction()).rejects.toMatchObject(FENCED)
    const next = await successor.transaction()
    await send(next, 'new')
    await next.commit()
    expect((await outcomes(world)).committed).toEqual(['new'])
  })

  test('that comes between a commit and its answer leaves open for the old one how that ended', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    await send(transaction, 'old')
    const gate = world.cluster.gate()
    world.cluster.on('EndTxn', dropAfterApply)
    world.cluster.on('EndTxn', hold(gate))
    const committed = transaction.commit()
    committed.catch(() => {})
    await gate.arrived
    await world.connect({ ...TX, idempotent: false })
    gate.open()
    await expect(committed).rejects.toMatchObject({ ...FENCED, outcome: 'unknown' })
    expect(await outcomes(world)).toEqual({ committed: ['old'], aborted: [], open: [] })
  })

  test('may be the same one, connected again', async () => {
    world.topic()
    const first = await world.connect(TX)
    await world.connect(TX)
    const transaction = await first.transaction()
    await expect(send(transaction, 'a')).rejects.toMatchObject(FENCED)
    await first.disconnect()
    await first.connect()
    const next = await first.transaction()
    await send(next, 'b')
    await next.commit()
    expect((await outcomes(world)).committed).toEqual(['b'])
  })

  test('does not keep the old one from sending outside of transactions', async () => {
    world.topic()
    const old = await world.connect(TX)
    const transaction = await old.transaction()
    await world.connect(TX)
    await expect(send(transaction, 'a')).rejects.toMatchObject(FENCED)
    await old.send({ topic: TOPIC, messages: [{ value: 'outside', partition: 0 }] })
    expect((await outcomes(world)).committed).toEqual(['outside'])
  })
})

describe('a transaction that is open for too long', () => {
  test('is aborted by the coordinator, and says so; the producer connects again', async () => {
    world.topic()
    const producer = await world.connect({ ...TX, transactionTimeoutMs: 5000 })
    const transaction = await producer.transaction()
    await send(transaction, 'a')
    await pass(5000)
    const timedOut = {
      name: 'TransactionTimedOutError',
      message: expect.stringMatching(/longer than transactionTimeoutMs \(5000 ms\)/),
      cause: { name: 'ProducerFencedError' },
    }
    await expect(transaction.commit()).rejects.toMatchObject(timedOut)
    await expect(producer.transaction()).rejects.toMatchObject(timedOut)
    await producer.disconnect()
    await producer.connect()
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: ['a'], open: [] })
  })
})

describe('disconnect', () => {
  test('aborts an open transaction', async () => {
    world.topic()
    const producer = await world.connect(TX)
    const transaction = await producer.transaction()
    await send(transaction, 'a')
    await producer.disconnect()
    expect(course(world).at(-1)).toBe('EndTxn')
    expect(await outcomes(world)).toEqual({ committed: [], aborted: ['a'], open: [] })
    expect(transaction.isActive()).toBe(false)
    await expect(transaction.commit()).rejects.toThrow('Cannot continue to use transaction once ended')
    await producer.connect()
    await (await producer.transaction()).commit()
  })

  test('waits for a commit that is under way', async () => {
    world.topic()
    const producer = await world.connect(TX)
    const transaction = await producer.transaction()
    await send(transaction, 'a')
    const gate = world.cluster.gate()
    world.cluster.on('EndTxn', hold(gate))
    const committed = transaction.commit()
    await gate.arrived
    const disconnected = producer.disconnect()
    await turns()
    gate.open()
    await Promise.all([committed, disconnected])
    expect((await outcomes(world)).committed).toEqual(['a'])
  })

  test('that may not wait rejects what is left of the transaction', async () => {
    world.topic()
    const producer = await world.connect(TX)
    const transaction = await producer.transaction()
    const gate = world.cluster.gate()
    world.cluster.on('AddPartitionsToTxn', hold(gate))
    const sent = send(transaction, 'a')
    await gate.arrived
    await producer.disconnect({ timeoutMs: 0 })
    gate.open()
    await expect(sent).rejects.toMatchObject({ outcome: 'not-written' })
    for (const call of [transaction.commit(), transaction.abort(), send(transaction, 'late')])
      await expect(call).rejects.toBeInstanceOf(Error)
    expect(transaction.isActive()).toBe(false)
    expect((await outcomes(world)).committed).toEqual([])
  })

  test('ends a connect that waits for the coordinator', async () => {
    const producer = world.producer(TX)
    world.cluster.on('FindCoordinator', errorCode(ERROR.COORDINATOR_NOT_AVAILABLE), { times: Infinity })
    const connected = producer.connect()
    connected.catch(() => {})
    await world.cluster.journal.until(() => world.cluster.journal.of('FindCoordinator').length > 1)
    await producer.disconnect()
    await expect(connected).rejects.toMatchObject({ name: 'ProducerClosedError' })
  })

  test('is what a connect without a coordinator ends with too, as its time is up', async () => {
    const producer = world.producer(TX)
    world.cluster.on('FindCoordinator', errorCode(ERROR.COORDINATOR_NOT_AVAILABLE), { times: Infinity })
    const connected = producer.connect({ timeoutMs: 5000 })
    connected.catch(() => {})
    await world.cluster.journal.until(() => world.cluster.journal.of('FindCoordinator').length > 1)
    await pass(5000)
    const error = await connected.catch(reason => reason)
    expect(error).toMatchObject({ name: 'BrokersUnreachableError' })
    expect(error.cause).toBeInstanceOf(Error)
  })
})
