import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sequenced } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka
let client: RawClient

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: false })
  cluster.createTopic('t', { partitions: 2, replicationFactor: 2, leaders: [0, 0] })
  client = await RawClient.connect(cluster.bootstrap[0]!)
})

afterEach(async () => {
  await client.close()
  await cluster.close()
})

const { NONE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH } = ERROR
const MAX = 2147483647

/** [sequence, records, epoch] of a batch, and what is answered: an error code, and the base offset of a success. */
type Step = [batch: [number, number, number], errorCode: number, baseOffset?: number]

const cases: [string, Step[]][] = [
  [
    'goes on from the last sequence',
    [
      [[0, 3, 0], NONE, 0],
      [[3, 1, 0], NONE, 3],
    ],
  ],
  [
    'takes any first sequence without state, then refuses an earlier one',
    [
      [[10, 1, 0], NONE, 0],
      [[0, 1, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
      [[11, 1, 0], NONE, 1],
    ],
  ],
  [
    'refuses a gap and takes what closes it',
    [
      [[0, 1, 0], NONE, 0],
      [[2, 1, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
      [[1, 1, 0], NONE, 1],
      [[2, 1, 0], NONE, 2],
    ],
  ],
  [
    'remembers five batches: an older one is out of order',
    [
      [[0, 1, 0], NONE, 0],
      [[1, 1, 0], NONE, 1],
      [[2, 1, 0], NONE, 2],
      [[3, 1, 0], NONE, 3],
      [[4, 1, 0], NONE, 4],
      [[5, 1, 0], NONE, 5],
      [[6, 1, 0], NONE, 6],
      [[2, 1, 0], NONE, 2],
      [[1, 1, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
    ],
  ],
  [
    'takes a batch of the same start and another length for no duplicate',
    [
      [[0, 3, 0], NONE, 0],
      [[0, 2, 0], OUT_OF_ORDER_SEQUENCE_NUMBER],
    ],
  ],
  [
    'wraps from 2147483647 to 0',
    [
      [[MAX - 1, 2, 0], NONE, 0],
      [[0, 1, 0], NONE, 2],
      [[1, 1, 0], NONE, 3],
    ],
  ],
  [
    'wraps within a batch',
    [
      [[MAX, 3, 0], NONE, 0],
      [[2, 1, 0], NONE, 3],
      [[MAX, 3, 0], NONE, 0],
    ],
  ],
  [
    'wants a new epoch to start at 0, and forgets the batches of the old one',
    [
      [[0, 1, 0], NONE, 0],
      [[1, 1, 1], OUT_OF_ORDER_SEQUENCE_NUMBER],
      [[0, 1, 1], NONE, 1],
      [[0, 1, 1], NONE, 1],
      [[0, 1, 0], INVALID_PRODUCER_EPOCH],
      [[1, 1, 0], INVALID_PRODUCER_EPOCH],
    ],
  ],
  [
    'takes any first epoch without state',
    [
      [[4, 1, 9], NONE, 0],
      [[5, 1, 9], NONE, 1],
    ],
  ],
]

describe('a leader', () => {
  test.each(cases)('%s', async (_name, steps) => {
    let stored = 0
    for (const [[sequence, count, epoch], errorCode, baseOffset] of steps) {
      const answer = await produce(client, sequenced(sequence, count, epoch))
      expect([sequence, answer.errorCode]).toEqual([sequence, errorCode])
      expect(answer.baseOffset).toBe(BigInt(baseOffset ?? -1))
      if (baseOffset === stored) stored += count
    }
    expect(cluster.records('t', 0)).toHaveLength(stored)
  })

  test('keeps the state of each partition and producer apart', async () => {
    expect((await produce(client, sequenced(0, 1, 3))).errorCode).toBe(NONE)
    expect((await produce(client, sequenced(0, 1, 0), { partition: 1 })).errorCode).toBe(NONE)
    expect((await produce(client, sequenced(5, 1, 0, 8))).errorCode).toBe(NONE)
    expect((await produce(client, sequenced(1, 1, 3))).errorCode).toBe(NONE)
  })

  test('hands the state over with the log', async () => {
    await produce(client, sequenced(0, 2))
    cluster.moveLeader('t', 0, 1)
    const successor = await RawClient.connect(cluster.bootstrap[1]!)
    expect(await produce(successor, sequenced(0, 2))).toMatchObject({ errorCode: NONE, baseOffset: 0n })
    expect(await produce(successor, sequenced(5))).toMatchObject({ errorCode: OUT_OF_ORDER_SEQUENCE_NUMBER })
    expect(await produce(successor, sequenced(2))).toMatchObject({ errorCode: NONE, baseOffset: 2n })
    await successor.close()
  })

  test('starts anew once it has forgotten its producers', async () => {
    await produce(client, sequenced(0))
    cluster.forgetProducers('t', 0)
    expect(await produce(client, sequenced(40))).toMatchObject({ errorCode: NONE, baseOffset: 1n })
  })

  test('starts anew in a topic that was deleted and made again', async () => {
    await produce(client, sequenced(0, 5))
    cluster.recreateTopic('t', { leaders: [0] })
    expect(await produce(client, sequenced(0))).toMatchObject({ errorCode: NONE, baseOffset: 0n })
  })

  test('stores records under their own sequences', async () => {
    await produce(client, sequenced(MAX, 2))
    expect(cluster.records('t', 0).map(({ sequence }) => sequence)).toEqual([MAX, 0])
  })
})
