import { ERROR } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { batch } from '../testing/support/batches.js'
import { produce } from '../testing/support/produce.js'
import type { RawClient } from '../testing/support/rawClient.js'
import { RawCluster } from '../testing/support/rawCluster.js'
import { until } from './cluster/wait.js'
import { describeKafka, uniqueTopic } from './suite.js'

const PATIENCE = { timeoutMs: 60_000 }

/** A living broker remembers the last five batches of a producer on a partition: see the sequence cases of the parity tests. */
describeKafka('a broker that was killed and started again', { brokers: 1 }, broker => {
  test('remembers only the last batch of a producer, and refuses those before it', async () => {
    const send = async (leader: RawClient, topic: string, sequence: number) => {
      // Of now: what a producer wrote long ago is not remembered at all.
      const records = batch({ producerId: 4711, epoch: 0, sequence, timestamps: [Date.now()] })
      const { errorCode, baseOffset } = await produce(leader, records, { topic })
      return [errorCode, Number(baseOffset)]
    }
    const before = await RawCluster.connect(broker.bootstrap)
    const { topic, leader } = await before.lead(uniqueTopic('killed'))
    for (const sequence of [0, 1, 2, 3, 4]) expect(await send(leader, topic, sequence)).toEqual([0, sequence])
    expect(await send(leader, topic, 1)).toEqual([0, 1])
    const [node] = broker.cluster.nodes
    await node!.kill()
    await before.close()
    await node!.start()
    const after = await until(
      'the broker',
      () => RawCluster.connect(broker.bootstrap).catch(() => undefined),
      PATIENCE,
    )
    const isBack = async () =>
      (await after.endOf({ topic, leader: after.client })).errorCode === 0 || undefined
    await until('its partition', isBack, PATIENCE)
    for (const sequence of [1, 2, 3])
      expect(await send(after.client, topic, sequence)).toEqual([ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
    expect(await send(after.client, topic, 4)).toEqual([0, 4])
    expect(await send(after.client, topic, 5)).toEqual([0, 5])
    await after.close()
  })
})
