import type { ResilientProducer } from 'kafkajs-resilient-producer'
import {
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  hang,
  hold,
  holdAnswer,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { ONE_A_BATCH, send, sendEach, trailOf } from '../support/oneRecordPerBatch.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

/*
 * The rules of sequences (KIP-98, KIP-360), point by point. One record a batch: `batchRecords: 1`; a flush closes the last.
 */
let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const trail = (partition = 0) => trailOf(world, partition)

describe('a record of unknown outcome', () => {
  test('is not sent under a new identity: it fails, and may be in the log', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', dropAfterApply)
    world.onRecord('a', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
    const [a] = sendEach(producer, ['a'])
    await expect(a).rejects.toMatchObject({ name: 'SequenceLostError', outcome: 'unknown', attempts: 2 })
    expect(trail().filter(each => each.startsWith('a'))).toEqual(['a@0:1', 'a@0:1'])
    expect(world.stored().filter(value => value === 'a')).toHaveLength(1)
  })

  test('is delivered when its connection was lost before it was written', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', dropBeforeApply)
    await Promise.all(sendEach(producer, ['a', 'b', 'c']))
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
    expect(new Set(trail()).size).toBe(4)
  })

  test('is delivered once when only its answer was lost', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', dropAfterApply)
    await Promise.all(sendEach(producer, ['a', 'b', 'c']))
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
    expect(new Set(trail()).size).toBe(4)
  })

  test('may be one whose leader lost its office between the append and the acknowledgement', async () => {
    world.topic({ leaders: [0], replicationFactor: 2 })
    const producer = await world.confirmed(ONE_A_BATCH)
    // A leader that has appended answers with the offset it gave.
    world.onRecord('a', verdict(0, { errorCode: ERROR.NOT_LEADER_OR_FOLLOWER, baseOffset: 1n }, 'applied'))
    world.onRecord('a', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
    await expect(send(producer, 'a')).rejects.toMatchObject({ name: 'SequenceLostError', outcome: 'unknown' })
    expect(world.stored()).toEqual(['first', 'a'])
  })

  describe('before a leader that remembers only the last batch', () => {
    /** Written as far as the leader says, and answered as if that were not certain. */
    const uncertain = (applied: 'applied' | 'not applied') =>
      verdict(0, { errorCode: ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND }, applied)
    const restarted = async (
      producer: ResilientProducer,
      written: readonly string[],
      values: readonly string[],
    ) => {
      for (const value of values) {
        world.onRecord(value, uncertain(written.includes(value) ? 'applied' : 'not applied'))
      }
      const sends = sendEach(producer, values)
      await world.cluster.journal.until(() => trail().length === 1 + values.length)
      world.cluster.forgetAllButLastBatch(TOPIC, 0)
      await pass(100)
      return sends
    }

    test('is written when one behind it is: what the leader has forgotten stands before what it knows', async () => {
      world.topic()
      const producer = await world.confirmed(ONE_A_BATCH)
      const [a, b, c] = await restarted(producer, ['a', 'b', 'c'], ['a', 'b', 'c'])
      expect(await a).toMatchObject([{ baseOffset: '-1' }])
      expect(await b).toMatchObject([{ baseOffset: '-1' }])
      await c
      await send(producer, 'd')
      expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd'])
      expect(trail().slice(4)).toEqual(['a@0:1', 'b@0:2', 'c@0:3', 'd@0:4'])
    })

    test('is written when the leader takes one behind it as the next', async () => {
      world.topic()
      const producer = await world.confirmed(ONE_A_BATCH)
      const sends = await restarted(producer, ['a', 'b'], ['a', 'b', 'c'])
      await Promise.all(sends)
      expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
    })

    test('is asked for again at another leader, which may remember it', async () => {
      world.topic({ leaders: [0], replicationFactor: 2 })
      const producer = await world.confirmed(ONE_A_BATCH)
      const gate = world.cluster.gate()
      for (const value of ['a', 'b']) world.onRecord(value, uncertain('applied'))
      const sends = sendEach(producer, ['a', 'b'])
      await world.cluster.journal.until(() => trail().length === 3)
      world.onRecord('a', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
      world.onRecord('b', hold(gate))
      await pass(100)
      await gate.arrived
      world.cluster.moveLeader(TOPIC, 0, 1)
      gate.open()
      await Promise.all(sends)
      expect(world.stored()).toEqual(['first', 'a', 'b'])
      expect(trail().slice(3)).toEqual(['a@0:1', 'b@0:2', 'a@0:1', 'b@0:2'])
    })

    test('is of unknown outcome still when the leader refuses all behind it too', async () => {
      world.topic()
      const producer = await world.confirmed(ONE_A_BATCH)
      const refusal = verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER })
      for (const value of ['a', 'b']) {
        world.onRecord(value, uncertain('applied'))
        world.onRecord(value, refusal)
      }
      const sends = sendEach(producer, ['a', 'b'])
      await world.cluster.journal.until(() => trail().length === 3)
      await pass(100)
      for (const each of sends) {
        await expect(each).rejects.toMatchObject({ name: 'SequenceLostError', outcome: 'unknown' })
      }
      await send(producer, 'c')
      expect(trail().at(-1)).toBe('c@1:0')
    })

    test('ends by its time while those behind it are asked for, and they go on', async () => {
      world.topic()
      const producer = await world.confirmed({
        ...ONE_A_BATCH,
        deliveryTimeoutMs: 60_000,
        requestTimeoutMs: 120_000,
      })
      const gate = world.cluster.gate()
      for (const value of ['a', 'b']) world.onRecord(value, uncertain('applied'))
      const [a, b] = sendEach(producer, ['a', 'b'])
      await world.cluster.journal.until(() => trail().length === 3)
      world.cluster.forgetAllButLastBatch(TOPIC, 0)
      world.onRecord('b', hold(gate))
      await pass(100)
      await gate.arrived
      await pass(60_000)
      await expect(a).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
      await expect(b).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
      gate.open()
      await send(producer, 'c')
      expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
    })
  })

  describe('that expired', () => {
    const expiring = {
      ...ONE_A_BATCH,
      deliveryTimeoutMs: 60_000,
      requestTimeoutMs: 90_000,
      ackTimeoutMs: 1000,
    }

    test('in flight and is acknowledged late: the next goes on in the same epoch', async () => {
      world.topic()
      const producer = await world.confirmed(expiring)
      const gate = world.cluster.gate()
      world.onRecord('a', holdAnswer(gate))
      const a = send(producer, 'a')
      a.catch(() => {})
      await gate.arrived
      await pass(60_000)
      await expect(a).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown', attempts: 1 })
      const b = send(producer, 'b')
      await turns()
      gate.open()
      await b
      expect(trail()).toEqual(['first@0:0', 'a@0:1', 'b@0:2'])
    })

    test('and was not written: those in flight behind it tell so, and go on in a new epoch', async () => {
      world.topic()
      const producer = await world.confirmed(expiring)
      const gate = world.cluster.gate()
      world.onRecord('a', async request => {
        await gate.wait(request.stopped)
        request.drop()
        return null
      })
      const a = send(producer, 'a')
      a.catch(() => {})
      await gate.arrived
      await pass(30_000)
      const [b] = sendEach(producer, ['b'])
      await turns()
      await pass(30_000)
      await expect(a).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
      gate.open()
      // b was in flight when the connection ended, so its outcome is unknown too: it is asked for under its own sequence.
      await expect(b).rejects.toMatchObject({ name: 'SequenceLostError', outcome: 'unknown' })
      await send(producer, 'c')
      expect(trail()).toEqual(['first@0:0', 'a@0:1', 'b@0:2', 'c@1:0'])
      expect(world.stored()).toEqual(['first', 'c'])
    })

    test('but was written: the acknowledgement of the next proves it, and the epoch stays', async () => {
      world.topic()
      const producer = await world.confirmed(expiring)
      const gate = world.cluster.gate()
      world.onRecord('a', async (request, next) => {
        await next()
        await gate.wait(request.stopped)
        request.drop()
        return null
      })
      const a = send(producer, 'a')
      a.catch(() => {})
      await gate.arrived
      await pass(30_000)
      const [b] = sendEach(producer, ['b'])
      await turns()
      await pass(30_000)
      await expect(a).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
      gate.open()
      await b
      await send(producer, 'c')
      expect(trail()).toEqual(['first@0:0', 'a@0:1', 'b@0:2', 'c@0:3'])
      expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
    })

    test('with nothing withIdentity behind it: a new epoch, since nothing can tell', async () => {
      world.topic()
      const producer = await world.confirmed(expiring)
      world.onRecord('a', hang)
      const a = send(producer, 'a')
      a.catch(() => {})
      await world.cluster.journal.until(() => trail().length === 2)
      await pass(60_000)
      await expect(a).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown' })
      await pass(30_000)
      await send(producer, 'b')
      expect(trail()).toEqual(['first@0:0', 'a@0:1', 'b@1:0'])
    })

    test('while it waited for another attempt: its leader is asked first by the batch behind it', async () => {
      world.topic()
      const producer = await world.confirmed({
        ...expiring,
        retry: { minTimeoutMs: 45_000, maxTimeoutMs: 45_000 },
      })
      world.onRecord('a', dropAfterApply)
      const [a, b] = sendEach(producer, ['a', 'b'])
      await world.cluster.journal.until(() => trail().length === 2)
      // Its next attempt would come after its time.
      world.onRecord('a', dropAfterApply)
      await pass(55_000)
      await world.cluster.journal.until(() => trail().length === 3)
      await pass(5000)
      await expect(a).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'unknown', attempts: 2 })
      await b?.catch(() => {})
      await send(producer, 'c')
      expect(world.stored().slice(0, 2)).toEqual(['first', 'a'])
      expect(world.stored().at(-1)).toBe('c')
    })
  })
})
