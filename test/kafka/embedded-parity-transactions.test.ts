import { ERROR } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { addPartitionsToTxnApi } from '../../src/protocol/messages/addPartitionsToTxn.js'
import { endTxnApi } from '../../src/protocol/messages/endTxn.js'
import { findCoordinatorApi } from '../../src/protocol/messages/findCoordinator.js'
import { initProducerIdApi } from '../../src/protocol/messages/initProducerId.js'
import { batch } from '../testing/support/batches.js'
import { produce } from '../testing/support/produce.js'
import { type Led, RawCluster } from '../testing/support/rawCluster.js'
import { forEachBroker, uniqueTopic } from './suite.js'

/** The embedded cluster's transactions are a real broker's: the same raw requests to both. */
forEachBroker('a transaction coordinator', { real: { brokers: 2 }, since: '4.0' }, broker => {
  let raw: RawCluster

  beforeAll(async () => {
    raw = await RawCluster.connect(broker.bootstrap)
  })
  afterEach(() => raw.closeOthers())
  afterAll(() => raw.close())

  const { NONE, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR } = ERROR
  const { CONCURRENT_TRANSACTIONS, UNKNOWN_TOPIC_OR_PARTITION } = ERROR
  const passing: number[] = [
    COORDINATOR_LOAD_IN_PROGRESS,
    COORDINATOR_NOT_AVAILABLE,
    NOT_COORDINATOR,
    CONCURRENT_TRANSACTIONS,
  ]

  /** Asks again while the coordinator is on its way, as clients do. */
  const settled = async <T>(call: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> => {
    for (;;) {
      const answer = await call()
      if (!passing.includes(codeOf(answer))) return answer
    }
  }

  const begin = async () => {
    const transactionalId = uniqueTopic('tx')
    const found = await settled(
      async () =>
        (await raw.client.call(findCoordinatorApi, 4, { keyType: 1, coordinatorKeys: [transactionalId] }))!
          .coordinators[0]!,
      ({ errorCode }) => errorCode,
    )
    const coordinator = await raw.connect(`${found.host}:${found.port}`)
    const init = () =>
      settled(
        async () =>
          (await coordinator.call(initProducerIdApi, 4, {
            transactionalId,
            transactionTimeoutMs: 60_000,
          }))!,
        ({ errorCode }) => errorCode,
      )
    const identify = async () => {
      const { producerId, producerEpoch, errorCode } = await init()
      expect(errorCode).toBe(NONE)
      return { transactionalId, producerId, producerEpoch }
    }
    type Producer = Awaited<ReturnType<typeof identify>>
    const add = async (producer: Producer, topic: string, partitions = [0], version = 3) => {
      const codes = await settled(
        async () => {
          const response = await coordinator.call(addPartitionsToTxnApi, version, {
            ...producer,
            topics: [{ name: topic, partitions }],
          })
          return response!.results[0]!.partitions.map(({ errorCode }) => errorCode)
        },
        ([errorCode]) => errorCode!,
      )
      return codes.sort()
    }
    const end = async (producer: Producer, committed: boolean, version = 3) =>
      settled(
        async () => (await coordinator.call(endTxnApi, version, { ...producer, committed }))!.errorCode,
        errorCode => errorCode,
      )
    return { identify, add, end }
  }

  const write = async (
    {
      transactionalId,
      producerId,
      producerEpoch,
    }: { transactionalId: string; producerId: bigint; producerEpoch: number },
    at: Led,
    sequence: number,
    version = 11,
  ) => {
    const attributes = 0x10
    const records = batch({ producerId: Number(producerId), epoch: producerEpoch, sequence, attributes })
    return (await produce(at.leader, records, { topic: at.topic, version, transactionalId })).errorCode
  }

  test('partitions are added before their records', async () => {
    const at = await raw.lead(uniqueTopic('parity'))
    const { identify, add, end } = await begin()
    const producer = await identify()
    const seen = [
      await write(producer, at, 0, 10),
      await write(producer, at, 0, 11),
      await add(producer, at.topic, [0, 9]),
      await add(producer, at.topic),
      await write(producer, at, 0),
      await end(producer, true),
      await end(producer, true),
      await end(producer, false),
    ]
    expect(seen).toEqual([
      ERROR.INVALID_TXN_STATE,
      ERROR.TRANSACTION_ABORTABLE,
      [UNKNOWN_TOPIC_OR_PARTITION, ERROR.OPERATION_NOT_ATTEMPTED],
      [NONE],
      NONE,
      NONE,
      NONE,
      ERROR.INVALID_TXN_STATE,
    ])
    expect(await raw.endOf(at)).toMatchObject({ offset: 2n })
  })

  test('a successor fences its predecessor, whose transaction is aborted', async () => {
    const at = await raw.lead(uniqueTopic('parity'))
    const { identify, add, end } = await begin()
    const old = await identify()
    await add(old, at.topic)
    await write(old, at, 0)
    const successor = await identify()
    expect(successor.producerId).toBe(old.producerId)
    expect(successor.producerEpoch).toBeGreaterThan(old.producerEpoch)
    expect(await raw.endOf(at)).toMatchObject({ offset: 2n })
    const seen = [
      await write(old, at, 1),
      await add(old, at.topic),
      await add(old, at.topic, [0], 1),
      await end(old, true),
      await end(old, true, 1),
      await end({ ...old, producerId: 987_654n }, true),
      await add(successor, at.topic),
      await write(successor, at, 0),
      await end(successor, true),
    ]
    expect(seen).toEqual([
      ERROR.INVALID_PRODUCER_EPOCH,
      [ERROR.PRODUCER_FENCED],
      [ERROR.INVALID_PRODUCER_EPOCH],
      ERROR.PRODUCER_FENCED,
      ERROR.INVALID_PRODUCER_EPOCH,
      ERROR.INVALID_PRODUCER_ID_MAPPING,
      [NONE],
      NONE,
      NONE,
    ])
  })
})
