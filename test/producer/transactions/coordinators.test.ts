import {
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  errorCode,
  hang,
  hangAfterApply,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'
import { course, outcomes, send, TX } from './support.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 3 })
})
afterEach(() => world.end())

const begun = async (options = {}) => {
  const producer = await world.connect({ ...TX, ...options })
  world.cluster.journal.clear()
  return { producer, transaction: await producer.transaction() }
}
const count = (api: string) => course(world).filter(each => each === api).length
const finds = () => world.cluster.journal.of('FindCoordinator').length
const REQUESTS = ['AddPartitionsToTxn', 'AddOffsetsToTxn', 'EndTxn', 'TxnOffsetCommit'] as const

/** A transaction with one of each request. */
const whole = async (options = {}) => {
  const { producer, transaction } = await begun(options)
  await send(transaction, 'a')
  const partitions = [{ partition: 0, offset: '5' }]
  await transaction.sendOffsets({ consumerGroupId: 'g', topics: [{ topic: TOPIC, partitions }] })
  await transaction.commit()
  return producer
}

describe.each(['InitProducerId', 'FindCoordinator'] as const)('a final answer to %s', api => {
  test.each(['UNKNOWN_SERVER_ERROR', 'GROUP_AUTHORIZATION_FAILED', 'INVALID_PRODUCER_ID_MAPPING'] as const)(
    'is a typed error that names the request: %s',
    async code => {
      const off = world.cluster.on(api, errorCode(ERROR[code]), { times: Infinity })
      const producer = world.producer(TX)
      await expect(producer.connect()).rejects.toMatchObject({
        name: 'TransactionRefusedError',
        code: ERROR[code],
        message: expect.stringContaining(`The coordinator refused ${api} for the transactional id "tx" (`),
      })
      off()
      await producer.connect()
      const transaction = await producer.transaction()
      await transaction.abort()
    },
  )
})

describe.each(REQUESTS)('%s', api => {
  test.each(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS'] as const)(
    'is retried after %s, at the same coordinator',
    async code => {
      world.topic()
      world.cluster.on(api, errorCode(ERROR[code]), { times: 2 })
      await whole()
      expect(count(api)).toBe(3)
      // That of the group; the other was found at connect.
      expect(finds()).toBe(1)
      expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
    },
  )

  test.each(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'looks for the coordinator anew after %s',
    async code => {
      world.topic()
      world.cluster.on(api, errorCode(ERROR[code]))
      await whole()
      expect(count(api)).toBe(2)
      expect(finds()).toBe(2)
      expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
    },
  )

  test.each([
    ['before', dropBeforeApply],
    ['after', dropAfterApply],
  ] as const)(
    'is retried when its connection is lost %s it was applied; the next transaction has another epoch',
    async (_, fault) => {
      world.topic()
      world.cluster.on(api, fault)
      const producer = await whole()
      expect(count(api)).toBe(2)
      // The lost request may still be on its way: in the next transaction it would act on that.
      expect(count('InitProducerId')).toBe(1)
      const next = await producer.transaction()
      await send(next, 'b')
      await next.commit()
      expect(world.sent().map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
        [0, 0],
        [1, 0],
      ])
      expect(await outcomes(world)).toEqual({ committed: ['a', 'b'], aborted: [], open: [] })
    },
  )

  test('is retried when it is not answered', async () => {
    world.topic()
    world.cluster.on(api, hangAfterApply)
    const done = whole()
    await world.cluster.journal.until(() => count(api) === 1)
    await pass(3000)
    await done
    expect(count(api)).toBe(2)
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })
})

describe('a coordinator', () => {
  test('that dies is followed to its successor', async () => {
    world.topic({ replicationFactor: 3 })
    const { transaction } = await begun()
    await send(transaction, 'a')
    const { node } = world.cluster.journal.of('AddPartitionsToTxn')[0]!
    await world.cluster.stopBroker(node)
    await transaction.commit()
    expect(world.cluster.journal.of('EndTxn').at(-1)!.node).not.toBe(node)
    await world.cluster.startBroker(node)
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })

  test('that does not know a topic yet keeps only that topic’s records waiting', async () => {
    world.topic()
    world.topic({}, 'fresh')
    const { transaction } = await begun()
    let isKnown = false
    world.cluster.on(
      'AddPartitionsToTxn',
      async (request, next) => {
        const names = request.body.topics.map(({ name }) => name)
        if (isKnown || !names.includes('fresh')) return next()
        return {
          throttleTimeMs: 0,
          results: request.body.topics.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(partitionIndex => ({
              partitionIndex,
              errorCode: name === 'fresh' ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.OPERATION_NOT_ATTEMPTED,
            })),
          })),
        }
      },
      { times: Infinity },
    )
    const fresh = send(transaction, 'fresh', 0, 'fresh')
    await send(transaction, 'a')
    isKnown = true
    await fresh
    await transaction.commit()
    expect((await outcomes(world, TOPIC, 'fresh')).committed.toSorted()).toEqual(['a', 'fresh'])
  })

  test('that cannot be asked for as long as deliveryTimeoutMs fails the transaction', async () => {
    world.topic()
    const { producer, transaction } = await begun({ deliveryTimeoutMs: 10_000 })
    world.cluster.on('AddPartitionsToTxn', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS), { times: Infinity })
    const sent = send(transaction, 'a')
    while (transaction.isActive() && (await isPending(sent))) await pass(500)
    const warnings = world.log.filter(({ level }) => level === 'WARN').map(({ message }) => message)
    expect(warnings).toEqual([
      expect.stringContaining('Still waiting for the coordinator of the transaction "tx" ('),
    ])
    expect(warnings[0]).toContain('COORDINATOR_LOAD_IN_PROGRESS')
    await expect(transaction.commit()).rejects.toMatchObject({ name: 'TransactionFailedError' })
    await transaction.abort()
    await (await producer.transaction()).commit()
  })

  test('that does not answer a commit leaves open how it ended; connecting again settles it', async () => {
    world.topic()
    const { producer, transaction } = await begun({ deliveryTimeoutMs: 10_000 })
    await send(transaction, 'a')
    const stop = world.cluster.on('EndTxn', hang, { times: Infinity })
    const committed = transaction.commit()
    committed.catch(() => {})
    while (await isPending(committed)) await pass(500)
    const fatal = { name: 'CoordinatorTimeoutError', outcome: 'unknown' }
    await expect(committed).rejects.toMatchObject(fatal)
    expect(transaction.isActive()).toBe(false)
    await expect(transaction.abort()).rejects.toMatchObject(fatal)
    await expect(producer.transaction()).rejects.toMatchObject(fatal)
    stop()
    await producer.disconnect()
    await producer.connect()
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect(await outcomes(world)).toEqual({ committed: ['b'], aborted: ['a'], open: [] })
  })

  test('that has forgotten the producer is asked for another id; nothing is left to abort', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    await send(transaction, 'a')
    world.cluster.on('EndTxn', errorCode(49))
    await expect(transaction.commit()).rejects.toMatchObject({
      name: 'TransactionFailedError',
      cause: { type: 'INVALID_PRODUCER_ID_MAPPING' },
    })
    await transaction.abort()
    expect(count('EndTxn')).toBe(1)
    const next = await producer.transaction()
    await send(next, 'b')
    await next.commit()
    expect((await outcomes(world)).committed).toEqual(['b'])
  })

  test('that has forgotten the producer after a commit without an answer leaves open how it ended', async () => {
    world.topic()
    const { producer, transaction } = await begun()
    await send(transaction, 'a')
    world.cluster.on('EndTxn', dropAfterApply)
    world.cluster.on('EndTxn', errorCode(49))
    const fatal = { type: 'INVALID_PRODUCER_ID_MAPPING', outcome: 'unknown' }
    await expect(transaction.commit()).rejects.toMatchObject(fatal)
    await expect(transaction.abort()).rejects.toMatchObject(fatal)
    await expect(producer.transaction()).rejects.toMatchObject(fatal)
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })

  test('cannot give another epoch before version 3 of InitProducerId: then the producer has to connect again', async () => {
    await world.end()
    world = await World.withClock({ maxVersions: { InitProducerId: 2 } })
    world.topic()
    const { producer, transaction } = await begun()
    world.onNext(errorCode(ERROR.INVALID_RECORD))
    await expect(send(transaction, 'bad')).rejects.toMatchObject({ type: 'INVALID_RECORD' })
    await transaction.abort()
    const refused = { name: 'TransactionRefusedError', type: 'UNSUPPORTED_VERSION' }
    await expect(producer.transaction()).rejects.toMatchObject(refused)
    await producer.disconnect()
    await producer.connect()
    const next = await producer.transaction()
    await send(next, 'a')
    await next.commit()
    expect((await outcomes(world)).committed).toEqual(['a'])
  })
})

/** Whether the promise is still open after some turns of the loop. */
const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  let isOpen = true
  const end = () => {
    isOpen = false
  }
  promise.then(end, end)
  await turns()
  return isOpen
}
