import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { changed, dropAfterApply, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DeliveryEngine } from '../../../src/delivery/engine.js'
import { TOPIC, turns, World } from '../../delivery/support/world.js'
import { course, outcomes, TX } from './support.js'

let world: World
beforeEach(async () => {
  world = await World.start()
  world.topic()
})
afterEach(() => world.end())

type Api =
  | 'InitProducerId'
  | 'FindCoordinator'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'EndTxn'
type Code = keyof typeof ERROR

/** What an answer means, as in Java's TransactionManager; where ours is another, the row says so. */
interface Row {
  readonly retried: readonly Code[]
  /** With the name of the error that the call, or its record, ends with. */
  readonly abortable: readonly (readonly [Code, string])[]
  readonly fatal: readonly (readonly [Code, string])[]
}

const FENCED = [
  ['INVALID_PRODUCER_EPOCH', 'ProducerFencedError'],
  ['PRODUCER_FENCED', 'ProducerFencedError'],
] as const
const REFUSED = 'TransactionRefusedError'
const ABORTABLE = 'TransactionAbortableError'
const OFFSETS = 'OffsetsRefusedError'
const NO_RIGHTS = ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', REFUSED] as const
const FORGOTTEN = [
  ['INVALID_PRODUCER_ID_MAPPING', ABORTABLE],
  ['UNKNOWN_PRODUCER_ID', ABORTABLE],
] as const
const MOVED = ['COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS'] as const

const TABLE: Readonly<Record<Api, Row>> = {
  InitProducerId: {
    retried: [...MOVED, 'CONCURRENT_TRANSACTIONS', 'REQUEST_TIMED_OUT'],
    abortable: [],
    fatal: [
      ...FENCED,
      NO_RIGHTS,
      ['CLUSTER_AUTHORIZATION_FAILED', REFUSED],
      ['INVALID_TRANSACTION_TIMEOUT', REFUSED],
      ['INVALID_PRODUCER_ID_MAPPING', REFUSED],
      ['UNKNOWN_SERVER_ERROR', REFUSED],
    ],
  },
  FindCoordinator: {
    retried: ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS'],
    // Java ends the producer on codes that it does not expect.
    abortable: [
      ['UNKNOWN_SERVER_ERROR', OFFSETS],
      ['GROUP_AUTHORIZATION_FAILED', OFFSETS],
    ],
    fatal: [NO_RIGHTS],
  },
  AddPartitionsToTxn: {
    retried: [...MOVED, 'CONCURRENT_TRANSACTIONS', 'UNKNOWN_TOPIC_OR_PARTITION', 'OPERATION_NOT_ATTEMPTED'],
    abortable: [
      ...FORGOTTEN,
      ['TOPIC_AUTHORIZATION_FAILED', 'TopicAuthorizationError'],
      ['TRANSACTION_ABORTABLE', ABORTABLE],
      ['UNKNOWN_SERVER_ERROR', ABORTABLE],
    ],
    fatal: [...FENCED, NO_RIGHTS, ['INVALID_TXN_STATE', REFUSED]],
  },
  AddOffsetsToTxn: {
    retried: [...MOVED, 'CONCURRENT_TRANSACTIONS'],
    abortable: [
      ...FORGOTTEN,
      ['GROUP_AUTHORIZATION_FAILED', OFFSETS],
      ['TRANSACTION_ABORTABLE', ABORTABLE],
      // Java ends the producer.
      ['UNKNOWN_SERVER_ERROR', ABORTABLE],
    ],
    fatal: [...FENCED, NO_RIGHTS, ['INVALID_TXN_STATE', REFUSED]],
  },
  TxnOffsetCommit: {
    retried: [...MOVED, 'REQUEST_TIMED_OUT', 'UNKNOWN_TOPIC_OR_PARTITION'],
    abortable: [
      // Java ends the producer.
      ...FORGOTTEN,
      ['GROUP_AUTHORIZATION_FAILED', OFFSETS],
      ['FENCED_INSTANCE_ID', OFFSETS],
      ['UNKNOWN_MEMBER_ID', OFFSETS],
      ['ILLEGAL_GENERATION', OFFSETS],
      ['TRANSACTION_ABORTABLE', ABORTABLE],
      // Java ends the producer.
      ['OFFSET_METADATA_TOO_LARGE', OFFSETS],
      ['UNKNOWN_SERVER_ERROR', OFFSETS],
    ],
    fatal: [...FENCED, NO_RIGHTS, ['UNSUPPORTED_FOR_MESSAGE_FORMAT', REFUSED]],
  },
  EndTxn: {
    retried: [...MOVED, 'CONCURRENT_TRANSACTIONS'],
    abortable: [...FORGOTTEN, ['TRANSACTION_ABORTABLE', ABORTABLE]],
    fatal: [...FENCED, NO_RIGHTS, ['INVALID_TXN_STATE', REFUSED], ['UNKNOWN_SERVER_ERROR', REFUSED]],
  },
}

const rows = (kind: keyof Row) =>
  Object.entries(TABLE).flatMap(([api, row]) =>
    row[kind].map(
      each => [api as Api, ...(typeof each === 'string' ? [each, ''] : each)] as [Api, Code, string],
    ),
  )

const OFFSET = {
  consumerGroupId: 'group',
  topics: [{ topic: TOPIC, partitions: [{ partition: 0, offset: '1' }] }],
}

/** A transaction with a record and offsets. */
const transact = async (producer: ResilientProducer, value: string) => {
  const transaction = await producer.transaction()
  try {
    await transaction.send({ topic: TOPIC, messages: [{ value, partition: 0 }] })
    await transaction.sendOffsets(OFFSET)
    await transaction.commit()
  } catch (error) {
    await transaction.abort().catch(() => {})
    throw error
  }
}

/** From the next microtask on, `count` of them: every step of what runs meanwhile is met. */
const callAtEachMicrotask = (count: number, call: () => void): void => {
  queueMicrotask(() => {
    call()
    if (count > 1) callAtEachMicrotask(count - 1, call)
  })
}

/** The error and its causes, by name. */
const namesOf = (error: unknown): string[] =>
  error instanceof Error ? [error.name, ...namesOf(error.cause)] : []

/** The next answer to this request of a producer that is connected carries the code. */
const answer = (api: Api, code: Code) => world.cluster.on(api, errorCode(ERROR[code]))

describe('the answer to a request of a transaction', () => {
  test.each(rows('retried'))('%s: %s is asked again', async (api, code) => {
    answer(api, code)
    const producer = await world.connect({ ...TX, idempotent: false })
    await transact(producer, 'a')
    expect(await outcomes(world)).toEqual({ committed: ['a'], aborted: [], open: [] })
  })

  test.each(rows('abortable'))('%s: %s fails the transaction alone, as a %s', async (api, code, name) => {
    const producer = await world.connect({ ...TX, idempotent: false })
    answer(api, code)
    const error = await transact(producer, 'a').catch((failure: unknown) => failure)
    expect(namesOf(error)).toContain(name)
    await transact(producer, 'b')
    expect((await outcomes(world)).committed).toEqual(['b'])
  })

  test.each(rows('fatal').filter(([api]) => api !== 'InitProducerId' && api !== 'FindCoordinator'))(
    '%s: %s ends the producer, as a %s',
    async (api, code, name) => {
      const producer = await world.connect({ ...TX, idempotent: false })
      answer(api, code)
      const error = await transact(producer, 'a').catch((failure: unknown) => failure)
      expect(namesOf(error)).toContain(name)
      await expect(producer.transaction()).rejects.toMatchObject({ name })
      await producer.disconnect()
      await producer.connect()
      await transact(producer, 'b')
      expect((await outcomes(world)).committed).toEqual(['b'])
    },
  )

  test.each(rows('fatal').filter(([api]) => api === 'InitProducerId' || api === 'FindCoordinator'))(
    '%s: %s ends connect(), as a %s',
    async (api, code, name) => {
      answer(api, code)
      const producer = world.producer({ ...TX, idempotent: false })
      await expect(producer.connect()).rejects.toMatchObject({ name })
      await producer.connect()
      await transact(producer, 'b')
    },
  )
})

describe('an abort after INVALID_PRODUCER_ID_MAPPING or UNKNOWN_PRODUCER_ID', () => {
  /** What the producer asks from the abort on. */
  const abortAfter = async (codeOf: Api | 'Produce', code: Code) => {
    const producer = await world.connect({ ...TX, idempotent: false })
    const transaction = await producer.transaction()
    const record = (value: string) => ({ topic: TOPIC, messages: [{ value, partition: 0 }] })
    await transaction.send(record('a'))
    world.cluster.on(codeOf, errorCode(ERROR[code]))
    const work = codeOf === 'Produce' ? transaction.send(record('b')) : transaction.sendOffsets(OFFSET)
    await expect(work).rejects.toMatchObject({ type: code })
    const before = course(world).length
    await transaction.abort()
    const asked = course(world).slice(before)
    await transact(producer, 'c')
    expect(await outcomes(world)).toEqual({ committed: ['c'], aborted: ['a'], open: [] })
    return asked
  }

  test.each([
    ['Produce', 'INVALID_PRODUCER_ID_MAPPING'],
    ['Produce', 'UNKNOWN_PRODUCER_ID'],
    ['TxnOffsetCommit', 'INVALID_PRODUCER_ID_MAPPING'],
    ['TxnOffsetCommit', 'UNKNOWN_PRODUCER_ID'],
    ['FindCoordinator', 'INVALID_PRODUCER_ID_MAPPING'],
    ['AddOffsetsToTxn', 'UNKNOWN_PRODUCER_ID'],
  ] as const)('to %s, %s, ends the transaction before it takes another epoch', async (api, code) => {
    expect(await abortAfter(api, code)).toEqual(['EndTxn', 'InitProducerId'])
  })

  test('that the transaction coordinator gives has nothing to end: only another epoch is taken', async () => {
    expect(await abortAfter('AddOffsetsToTxn', 'INVALID_PRODUCER_ID_MAPPING')).toEqual(['InitProducerId'])
  })

  test('to its own EndTxn has ended the transaction, and takes another epoch', async () => {
    const producer = await world.connect({ ...TX, idempotent: false })
    const transaction = await producer.transaction()
    await transaction.send({ topic: TOPIC, messages: [{ value: 'a', partition: 0 }] })
    const before = course(world).length
    answer('EndTxn', 'INVALID_PRODUCER_ID_MAPPING')
    await transaction.abort()
    expect(course(world).slice(before)).toEqual(['EndTxn', 'InitProducerId'])
    await transact(producer, 'b')
    expect((await outcomes(world)).committed).toEqual(['b'])
  })
})

describe('another epoch after an abort', () => {
  /** A transaction that can only be aborted, and needs another epoch then. */
  const failed = async (producer: ResilientProducer) => {
    const transaction = await producer.transaction()
    world.onNext(errorCode(ERROR.INVALID_RECORD))
    await transaction.send({ topic: TOPIC, messages: [{ value: 'bad', partition: 0 }] }).catch(() => {})
    return transaction
  }

  test('whose answer is lost is asked for again, and fences nobody (KIP-360)', async () => {
    const producer = await world.connect({ ...TX, idempotent: false })
    const transaction = await failed(producer)
    world.cluster.on('InitProducerId', dropAfterApply)
    await transaction.abort()
    await transact(producer, 'a')
    expect((await outcomes(world)).committed).toEqual(['a'])
    expect(world.sent().at(-1)).toMatchObject({ epoch: 1 })
  })

  test('whose answer is lost twice is asked for a third time', async () => {
    const producer = await world.connect({ ...TX, idempotent: false })
    const transaction = await failed(producer)
    world.cluster.on('InitProducerId', dropAfterApply, { times: 2 })
    await transaction.abort()
    await transact(producer, 'a')
    expect((await outcomes(world)).committed).toEqual(['a'])
  })

  test('that cannot be had within deliveryTimeoutMs is owed: the next transaction gets it', async () => {
    const producer = await world.connect({
      ...TX,
      idempotent: false,
      deliveryTimeoutMs: 400,
      requestTimeoutMs: 100,
      ackTimeoutMs: 50,
    })
    const transaction = await failed(producer)
    let isLoading = true
    world.cluster.on(
      'InitProducerId',
      (request, next) => (isLoading ? errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS)(request, next) : next()),
      { times: Infinity },
    )
    await transaction.abort()
    const early = producer.transaction()
    await expect(producer.transaction()).rejects.toMatchObject({ name: 'KafkaJSNonRetriableError' })
    await expect(early).rejects.toMatchObject({
      name: 'CoordinatorTimeoutError',
      cause: { message: expect.stringContaining('COORDINATOR_LOAD_IN_PROGRESS') },
    })
    isLoading = false
    await transact(producer, 'a')
    expect((await outcomes(world)).committed).toEqual(['a'])
    expect(world.sent().at(-1)).toMatchObject({ epoch: 1 })
  })

  test('that is owed is got by one call of transaction(): others fail until that transaction has ended', async () => {
    const producer = await world.connect({
      ...TX,
      idempotent: false,
      deliveryTimeoutMs: 400,
      requestTimeoutMs: 100,
      ackTimeoutMs: 50,
    })
    const transaction = await failed(producer)
    const ready = world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS), {
      times: Infinity,
    })
    await transaction.abort()
    ready()
    const others: Promise<string>[] = []
    const restart = DeliveryEngine.prototype.restart
    const spy = vi.spyOn(DeliveryEngine.prototype, 'restart').mockImplementation(function (
      this: DeliveryEngine,
    ) {
      restart.call(this)
      callAtEachMicrotask(40, () =>
        others.push(
          producer.transaction().then(
            () => 'begun',
            () => 'refused',
          ),
        ),
      )
    })
    await producer.transaction()
    spy.mockRestore()
    await turns()
    expect(await Promise.all(others)).toEqual(Array.from({ length: 40 }, () => 'refused'))
  })

  test('with an answer that cannot be read is asked for again', async () => {
    const producer = await world.connect({ ...TX, idempotent: false })
    const transaction = await failed(producer)
    world.cluster.on(
      'InitProducerId',
      changed(answered => ({ ...answered, producerId: -1n })),
    )
    await transaction.abort()
    await transact(producer, 'a')
    expect((await outcomes(world)).committed).toEqual(['a'])
  })

  test('that is refused for good ends the producer', async () => {
    const producer = await world.connect({ ...TX, idempotent: false })
    const transaction = await failed(producer)
    answer('InitProducerId', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    await transaction.abort()
    await expect(producer.transaction()).rejects.toMatchObject({ name: REFUSED })
  })
})
