import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sequenced } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'
import { sequenceCases } from './support/sequenceCases.js'

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

const { NONE, OUT_OF_ORDER_SEQUENCE_NUMBER } = ERROR
const MAX = 2147483647

describe('a leader', () => {
  test.each(sequenceCases)('%s', async (_name, steps) => {
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
