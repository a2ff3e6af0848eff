import { Kafka, logLevel } from 'kafkajs'
import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addPartitionsToTxnApi } from '../../src/protocol/messages/addPartitionsToTxn.js'
import { endTxnApi } from '../../src/protocol/messages/endTxn.js'
import { fetchApi } from '../../src/protocol/messages/fetch.js'
import { initProducerIdApi } from '../../src/protocol/messages/initProducerId.js'
import { LIST_OFFSETS_TIMESTAMP, listOffsetsApi } from '../../src/protocol/messages/listOffsets.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'

const TRANSACTIONAL = 0x10
const { NONE, INVALID_TXN_STATE, TRANSACTION_ABORTABLE, INVALID_PRODUCER_EPOCH, PRODUCER_FENCED } = ERROR

let cluster: EmbeddedKafka

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: { createdAfter: 0 } })
})

afterEach(() => cluster.close())

describe('unmodified kafkajs', () => {
  const read = async (kafka: Kafka, count: number): Promise<string[]> => {
    const consumer = kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 20 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'out', fromBeginning: true })
    const got: string[] = []
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            got.push(`${message.value}`)
            if (got.length === count) resolve()
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    return got
  }

  test('commits and aborts; readers of committed records see only the one; offsets go with the commit', async () => {
    const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
    const admin = kafka.admin()
    await Promise.all([producer.connect(), admin.connect()])
    cluster.createTopic('in')
    const committed = await producer.transaction()
    await committed.send({ topic: 'out', messages: [{ value: 'a' }, { value: 'b' }] })
    await committed.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset: '5' }] }],
    })
    const offsetOf = async () =>
      (await admin.fetchOffsets({ groupId: 'g', topics: ['in'] }))[0]?.partitions[0]?.offset
    expect(await offsetOf()).toBe('-1')
    await committed.commit()
    expect(await offsetOf()).toBe('5')
    const aborted = await producer.transaction()
    await aborted.send({ topic: 'out', messages: [{ value: 'never' }] })
    await aborted.sendOffsets({
      consumerGroupId: 'g',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset: '9' }] }],
    })
    await aborted.abort()
    expect(await offsetOf()).toBe('5')
    const last = await producer.transaction()
    await last.send({ topic: 'out', messages: [{ value: 'c' }] })
    await last.commit()
    expect(await read(kafka, 3)).toEqual(['a', 'b', 'c'])
    expect(cluster.records('out').map(({ value, offset }) => `${offset} ${value}`)).toEqual([
      '0 a',
      '1 b',
      '3 never',
      '5 c',
    ])
    await Promise.all([producer.disconnect(), admin.disconnect()])
  })
})

describe('the coordinator', () => {
  let client: RawClient

  beforeEach(async () => {
    client = await RawClient.connect(cluster.bootstrap[0]!)
    cluster.createTopic('t')
  })

  afterEach(() => client.close())

  const init = async (timeoutMs = 10_000) => {
    const response = await client.call(initProducerIdApi, 4, {
      transactionalId: 'tx',
      transactionTimeoutMs: timeoutMs,
    })
    return { transactionalId: 'tx', producerId: response!.producerId, producerEpoch: response!.producerEpoch }
  }

  type Producer = Awaited<ReturnType<typeof init>>

  const add = async (producer: Producer, topics = [{ name: 't', partitions: [0] }], version = 3) => {
    const response = await client.call(addPartitionsToTxnApi, version, { ...producer, topics })
    return response!.results.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  }

  const end = async (producer: Producer, committed: boolean, version = 3) =>
    (await client.call(endTxnApi, version, { ...producer, committed }))!.errorCode

  const write = async (producer: Producer, sequence: number, version = 11) => {
    const records = batch({
      producerId: Number(producer.producerId),
      epoch: producer.producerEpoch,
      sequence,
      attributes: TRANSACTIONAL,
    })
    return (await produce(client, records, { version, transactionalId: 'tx' })).errorCode
  }

  /** Offsets: the end for all readers, and for those of committed records. */
  const ends = async () => {
    const ask = async (isolationLevel: number) => {
      const response = await client.call(listOffsetsApi, 4, {
        replicaId: -1,
        isolationLevel,
        topics: [
          { name: 't', partitions: [{ partitionIndex: 0, timestamp: LIST_OFFSETS_TIMESTAMP.latest }] },
        ],
      })
      return Number(response!.topics[0]!.partitions[0]!.offset)
    }
    return [await ask(0), await ask(1)]
  }

  test('wants a partition added before its records, unless Produce does it (version 12)', async () => {
    const producer = await init()
    expect(await write(producer, 0, 10)).toBe(INVALID_TXN_STATE)
    expect(await write(producer, 0, 11)).toBe(TRANSACTION_ABORTABLE)
    expect(await add(producer)).toEqual([NONE])
    expect(await write(producer, 0)).toBe(NONE)
    expect(await end(producer, true)).toBe(NONE)
    expect(await write(producer, 1, 11)).toBe(TRANSACTION_ABORTABLE)
    expect(await write(producer, 1, 12)).toBe(NONE)
    expect(await end(producer, true)).toBe(NONE)
    expect(cluster.records('t').map(({ offset }) => offset)).toEqual([0, 2])
  })

  test('adds all partitions or none', async () => {
    const producer = await init()
    expect(await add(producer, [{ name: 't', partitions: [0, 9] }])).toEqual([
      ERROR.OPERATION_NOT_ATTEMPTED,
      ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(await write(producer, 0)).toBe(TRANSACTION_ABORTABLE)
  })

  test('keeps the last stable offset at the first open transaction, and names the aborted ones', async () => {
    const producer = await init()
    await add(producer)
    await write(producer, 0)
    await produce(client, batch())
    expect(await ends()).toEqual([2, 0])
    await end(producer, false)
    expect(await ends()).toEqual([3, 3])
    const fetched = await client.call(fetchApi, 11, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      isolationLevel: 1,
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000_000 }] }],
    })
    expect(fetched!.responses[0]!.partitions[0]).toMatchObject({
      highWatermark: 3n,
      lastStableOffset: 3n,
      abortedTransactions: [{ producerId: producer.producerId, firstOffset: 0n }],
    })
  })

  test('aborts what is open for a new producer of the same id, and fences the old one', async () => {
    const old = await init()
    await add(old)
    await write(old, 0)
    const successor = await init()
    expect(successor.producerId).toBe(old.producerId)
    expect(successor.producerEpoch).toBeGreaterThan(old.producerEpoch)
    expect(await ends()).toEqual([2, 2])
    expect(await write(old, 1)).toBe(INVALID_PRODUCER_EPOCH)
    expect([await add(old), await add(old, undefined, 1)]).toEqual([
      [PRODUCER_FENCED],
      [INVALID_PRODUCER_EPOCH],
    ])
    expect([await end(old, true), await end(old, true, 1)]).toEqual([PRODUCER_FENCED, INVALID_PRODUCER_EPOCH])
    await add(successor)
    expect(await write(successor, 0)).toBe(NONE)
    expect(await end(successor, true)).toBe(NONE)
  })

  test('takes the same end twice, and refuses the other one', async () => {
    const producer = await init()
    expect(await end(producer, true)).toBe(INVALID_TXN_STATE)
    await add(producer)
    expect([await end(producer, true), await end(producer, true), await end(producer, false)]).toEqual([
      NONE,
      NONE,
      INVALID_TXN_STATE,
    ])
    expect(await end({ ...producer, producerId: 4n }, true)).toBe(ERROR.INVALID_PRODUCER_ID_MAPPING)
  })

  test('aborts a transaction that takes too long, and fences its producer', async () => {
    const producer = await init(50)
    await add(producer)
    await write(producer, 0)
    for (let code = NONE as number; code !== PRODUCER_FENCED; ) [code = NONE] = await add(producer)
    const [end, stable] = await ends()
    expect(stable).toBe(end)
    expect(await write(producer, 1)).toBe(INVALID_PRODUCER_EPOCH)
  })

  test('refuses a longer time-out than the broker allows', async () => {
    const response = await client.call(initProducerIdApi, 4, {
      transactionalId: 'tx',
      transactionTimeoutMs: 900_001,
    })
    expect(response!.errorCode).toBe(ERROR.INVALID_TRANSACTION_TIMEOUT)
  })
})

test('an idempotent producer gets an id of its own each time', async () => {
  const client = await RawClient.connect(cluster.bootstrap[0]!)
  const init = async (producerId = -1n, producerEpoch = -1) => {
    const response = await client.call(initProducerIdApi, 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
      producerId,
      producerEpoch,
    })
    expect(response).toMatchObject({ errorCode: NONE, producerEpoch: 0 })
    return response!.producerId
  }
  const first = await init()
  expect(new Set([first, await init(), await init(first, 0)]).size).toBe(3)
  await client.close()
})
