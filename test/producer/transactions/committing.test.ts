import { logLevel } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { ERROR, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, turns, World } from '../../delivery/support/world.js'
import { course, outcomes, send, TX } from './support.js'

let world: World
beforeEach(async () => {
  world = await World.start({ brokers: 2 })
})
afterEach(() => world.end())

const begun = async (options = {}) => {
  const producer = await world.connect({ ...TX, ...options })
  world.cluster.journal.clear()
  return { producer, transaction: await producer.transaction() }
}

describe('a transaction', () => {
  test('adds its partitions, writes its records and is committed, in this order', async () => {
    world.topic({ partitions: 2 })
    const { transaction } = await begun()
    expect(transaction.isActive()).toBe(true)
    const sent = await Promise.all([
      send(transaction, 'a'),
      transaction.sendBatch({
        topicMessages: [
          {
            topic: TOPIC,
            messages: [
              { value: 'b', partition: 1 },
              { value: 'c', partition: 1 },
            ],
          },
        ],
      }),
    ])
    expect(sent.flat().map(({ partition, baseOffset }) => [partition, baseOffset])).toEqual([
      [0, '0'],
      [1, '0'],
    ])
    await transaction.commit()
    expect(transaction.isActive()).toBe(false)
    expect(await outcomes(world)).toEqual({ committed: ['a', 'b', 'c'], aborted: [], open: [] })
    const produced = new Set(course(world).slice(1, -1))
    expect([course(world)[0], [...produced], course(world).at(-1)]).toEqual([
      'AddPartitionsToTxn',
      ['Produce'],
      'EndTxn',
    ])
  })

  test('speaks the first protocol, whatever the brokers speak', async () => {
    world.topic()
    const { transaction } = await begun()
    await send(transaction, 'a')
    await transaction.commit()
    const [produce] = world.cluster.journal.of('Produce')
    expect(produce).toMatchObject({ version: 11, body: { transactionalId: 'tx', acks: -1 } })
    expect(world.cluster.journal.of('AddPartitionsToTxn')[0]?.version).toBe(3)
    expect(world.cluster.journal.of('EndTxn')[0]?.version).toBe(4)
  })

  test('works with the oldest versions of the requests', async () => {
    await world.end()
    const maxVersions = {
      Produce: 3,
      FindCoordinator: 1,
      InitProducerId: 0,
      AddPartitionsToTxn: 0,
      AddOffsetsToTxn: 0,
      EndTxn: 0,
      TxnOffsetCommit: 0,
    }
    world = await World.start({ maxVersions })
    world.topic()
    const { transaction } = await begun()
    await send(transaction, 'a')
    const partitions = [{ partition: 0, offset: '1' }]
    await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: TOPIC, partitions }] })
    await transaction.commit()
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })

  test('may follow another; its sequences go on, its partitions are added anew', async () => {
    world.topic()
    const { producer, transaction: first } = await begun()
    await send(first, 'a')
    await first.commit()
    const second = await producer.transaction()
    await send(second, 'b')
    await second.commit()
    expect(world.sent().map(({ sequence, epoch }) => [sequence, epoch])).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(course(world)).toEqual([
      'AddPartitionsToTxn',
      'Produce',
      'EndTxn',
      'AddPartitionsToTxn',
      'Produce',
      'EndTxn',
    ])
    expect(await outcomes(world)).toEqual({ committed: ['a', 'b'], aborted: [], open: [] })
  })

  test.each(['commit', 'abort'] as const)('without a record asks nobody for its %s', async end => {
    const { producer, transaction } = await begun()
    await transaction[end]()
    expect(course(world)).toEqual([])
    await (await producer.transaction())[end]()
  })

  test('holds its records back until their partition is added; the partitions of one turn go in one request', async () => {
    world.topic({ partitions: 20 })
    const { transaction } = await begun()
    const gate = world.cluster.gate()
    world.cluster.on('AddPartitionsToTxn', hold(gate))
    const sent = Array.from({ length: 20 }, (_, partition) => send(transaction, `v${partition}`, partition))
    await gate.arrived
    await turns()
    expect(course(world)).toEqual(['AddPartitionsToTxn'])
    gate.open()
    await Promise.all(sent)
    await transaction.commit()
    expect(course(world).filter(api => api === 'AddPartitionsToTxn')).toHaveLength(1)
    expect((await outcomes(world)).committed).toHaveLength(20)
  })

  test('adds the partitions that come while others are added in one more request', async () => {
    world.topic({ partitions: 4 })
    const { transaction } = await begun()
    const gate = world.cluster.gate()
    world.cluster.on('AddPartitionsToTxn', hold(gate))
    void send(transaction, 'a', 0)
    await gate.arrived
    for (const partition of [1, 2, 3]) void send(transaction, `v${partition}`, partition)
    await turns()
    gate.open()
    await transaction.commit()
    expect(course(world).filter(api => api === 'AddPartitionsToTxn')).toHaveLength(2)
    expect((await outcomes(world)).committed).toHaveLength(4)
  })

  test('waits for sends that nobody awaited before it is committed', async () => {
    world.topic()
    const { transaction } = await begun()
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    void send(transaction, 'a')
    const committed = transaction.commit()
    await gate.arrived
    await turns()
    expect(course(world)).not.toContain('EndTxn')
    gate.open()
    await committed
    expect(course(world).at(-1)).toBe('EndTxn')
    expect((await outcomes(world)).committed).toEqual(['a'])
  })

  test('ends the linger of its records with the commit', async () => {
    world.topic()
    const { transaction } = await begun({ lingerMs: 60_000 })
    const sent = send(transaction, 'a')
    await transaction.commit()
    expect(await sent).toMatchObject([{ baseOffset: '0' }])
  })

  test('takes many batches of a partition, several of them in flight', async () => {
    world.topic()
    const { transaction } = await begun({ batchRecords: 1 })
    const values = Array.from({ length: 100 }, (_, i) => `v${i}`)
    for (const value of values) void send(transaction, value)
    await transaction.commit()
    expect((await outcomes(world)).committed).toEqual(values)
    expect(world.sent().map(({ sequence }) => sequence)).toEqual(values.map((_, i) => i))
  })

  test('creates the topics that it needs', async () => {
    await world.end()
    world = await World.start({ autoCreate: { createdAfter: 2 } })
    const { transaction } = await begun()
    await send(transaction, 'a', 0, 'new')
    await transaction.commit()
    expect(await outcomes(world, 'new')).toEqual({ committed: ['a'], aborted: [], open: [] })
  })
})

describe('a topic that is deleted and created again', () => {
  test('between two transactions is written to by the second', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    await send(transaction, 'old')
    await transaction.commit()
    world.cluster.recreateTopic(TOPIC)
    const next = await producer.transaction()
    await send(next, 'new')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['new'], aborted: [], open: [] })
  })

  test('within one fails it; the next one goes on', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    await send(transaction, 'old')
    world.cluster.recreateTopic(TOPIC)
    await expect(send(transaction, 'new')).rejects.toMatchObject({ type: 'TRANSACTION_ABORTABLE' })
    await transaction.abort()
    const next = await producer.transaction()
    await send(next, 'again')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['again'], aborted: [], open: [] })
  })
})

describe('records outside of the transaction', () => {
  test('are sent meanwhile, under another producer id, and stay when it is aborted', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    await send(transaction, 'inside')
    await producer.send({ topic: TOPIC, messages: [{ value: 'outside', partition: 0 }] })
    await transaction.abort()
    expect(await outcomes(world)).toEqual({ committed: ['outside'], aborted: ['inside'], open: [] })
    const [inside, outside] = world.sent()
    expect(inside!.producerId).not.toBe(outside!.producerId)
  })

  test('share the buffer with those inside: what one side gives back, the other takes', async () => {
    world.topic()
    const { producer, transaction } = await begun({ bufferBytes: 2000 })
    const value = 'x'.repeat(1500)
    const gate = world.cluster.gate()
    world.onNext(hold(gate))
    const outside = producer.send({ topic: TOPIC, messages: [{ value, partition: 0 }] })
    await gate.arrived
    const inside = send(transaction, value)
    await turns()
    expect(course(world)).toEqual(['Produce'])
    gate.open()
    await Promise.all([outside, inside])
    await transaction.commit()
    expect((await outcomes(world)).committed).toEqual([value, value])
  })

  test('are not held up by what the transaction waits for, nor is its flush', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    const gate = world.cluster.gate()
    world.cluster.on('AddPartitionsToTxn', hold(gate))
    const inside = send(transaction, 'inside')
    await gate.arrived
    await producer.send({ topic: TOPIC, messages: [{ value: 'outside', partition: 0 }] })
    let isFlushed = false
    const flushed = producer.flush().then(() => (isFlushed = true))
    await turns()
    // A flush waits for all that was accepted.
    expect(isFlushed).toBe(false)
    gate.open()
    await Promise.all([inside, flushed])
    await transaction.commit()
  })
})

describe('in kafkajs’s words are refused', () => {
  test('a transaction without a transactional id', async () => {
    const producer = await world.connect()
    await expect(producer.transaction()).rejects.toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: 'Must provide transactional id for transactional producer',
    })
  })

  test('a transaction with an empty id of kafkajs’s configuration; our own option says what is wrong', async () => {
    const kafka = new ResilientKafka({ brokers: world.cluster.bootstrap, logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ transactionalId: '' })
    await producer.connect()
    await expect(producer.transaction()).rejects.toThrow('Must provide transactional id')
    await producer.disconnect()
    expect(() => world.producer({ transactionalId: '' })).toThrow(
      'transactionalId must be a string that is not empty',
    )
    expect(() => world.producer({ ...TX, transactionTimeoutMs: 0 })).toThrow('transactionTimeoutMs')
  })

  test('a second one while one is open, and while it is committed', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    const ongoing =
      'There is already an ongoing transaction for this producer. Please end the transaction before beginning another.'
    await expect(producer.transaction()).rejects.toThrow(ongoing)
    await send(transaction, 'a')
    const gate = world.cluster.gate()
    world.cluster.on('EndTxn', hold(gate))
    const committed = transaction.commit()
    await gate.arrived
    await expect(producer.transaction()).rejects.toThrow(ongoing)
    gate.open()
    await committed
    expect((await producer.transaction()).isActive()).toBe(true)
  })

  test.each(['commit', 'abort'] as const)('every call after the %s', async end => {
    world.topic()
    const { transaction } = await begun()
    await send(transaction, 'a')
    const { send: sendLater, sendBatch, sendOffsets, commit, abort } = transaction
    const ended = transaction[end]()
    const refused = {
      name: 'KafkaJSNonRetriableError',
      message: 'Cannot continue to use transaction once ended',
    }
    for (const moment of ['while it ends', 'afterwards']) {
      const calls = [
        sendLater({ topic: TOPIC, messages: [{ value: 'late' }] }),
        sendBatch({ topicMessages: [] }),
        sendOffsets({ consumerGroupId: 'g', topics: [] }),
        commit(),
        abort(),
      ]
      for (const call of calls) await expect(call, moment).rejects.toMatchObject(refused)
      await ended
    }
    expect(course(world).filter(api => api === 'EndTxn')).toHaveLength(1)
  })

  test('acks other than all', async () => {
    world.topic()
    const { transaction } = await begun({ acks: 1 })
    const sent = transaction.send({ topic: TOPIC, acks: 0, messages: [{ value: 'a' }] })
    await expect(sent).rejects.toThrow(
      /Not requiring ack for all messages invalidates the idempotent producer/,
    )
    await transaction.abort()
  })

  test('a transaction of a producer that is not connected', async () => {
    const producer = world.producer(TX)
    await expect(producer.transaction()).rejects.toThrow('The producer is disconnected')
  })
})

describe('the producer id', () => {
  test('is asked for again while what a predecessor has left open is being ended', async () => {
    world.topic()
    world.cluster.on(
      'InitProducerId',
      (request, next) =>
        request.body.transactionalId === null ? next() : request.refuse(ERROR.CONCURRENT_TRANSACTIONS),
      { times: 3 },
    )
    const producer = await world.connect({ ...TX, idempotent: false })
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(4)
    const transaction = await producer.transaction()
    await send(transaction, 'a')
    await transaction.commit()
    expect((await outcomes(world)).committed).toEqual(['a'])
  })

  test('comes with kafkajs’s configuration too', async () => {
    world.topic()
    const kafka = new ResilientKafka({ brokers: world.cluster.bootstrap, logLevel: logLevel.NOTHING })
    const producer = kafka.producer({
      transactionalId: 'tx',
      transactionTimeout: 7000,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    const transaction = await producer.transaction()
    await send(transaction, 'a')
    await transaction.commit()
    await producer.disconnect()
    expect((await outcomes(world)).committed).toEqual(['a'])
    const bodies = world.cluster.journal.of('InitProducerId').map(({ body }) => body)
    expect(bodies).toContainEqual(
      expect.objectContaining({ transactionalId: 'tx', transactionTimeoutMs: 7000 }),
    )
  })

  test('is not given: connect says why', async () => {
    world.cluster.on(
      'InitProducerId',
      async (request, next) =>
        request.body.transactionalId === null
          ? next()
          : request.refuse(ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
      { times: 2 },
    )
    const producer = world.producer(TX)
    await expect(producer.connect()).rejects.toMatchObject({
      name: 'TransactionRefusedError',
      type: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
      message: expect.stringContaining('Grant the principal WRITE and DESCRIBE on the transactional id'),
    })
  })

  test('is not given for so long a time-out: connect says why', async () => {
    const producer = world.producer({ ...TX, transactionTimeoutMs: 2_000_000_000 })
    await expect(producer.connect()).rejects.toMatchObject({
      name: 'TransactionRefusedError',
      type: 'INVALID_TRANSACTION_TIMEOUT',
      message: expect.stringContaining('transaction.max.timeout.ms'),
    })
  })
})
