import { RecordRejectedError, type ResilientProducer } from 'kafkajs-resilient-producer'
import {
  dropAfterApply,
  dropBeforeApply,
  ERROR,
  errorCode,
  hang,
  hold,
  holdAnswer,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from './support/faults.js'
import { pass, TOPIC, turns, World } from './support/world.js'

/*
 * PROTOCOL, "Sequences", point by point. One record a batch: `batchRecords: 1`, and a flush closes the last one.
 */
let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const ONE_A_BATCH = { batchRecords: 1, maxInFlightPerBroker: 20 }

const send = (producer: ResilientProducer, value: string, partition = 0, topic = TOPIC) =>
  producer.send({ topic, messages: [{ value, partition }] })

/** Each value in a batch of its own. */
const sendEach = (producer: ResilientProducer, values: readonly string[], partition = 0) => {
  const sends = values.map(value => send(producer, value, partition))
  for (const each of sends) each.catch(() => {})
  void producer.flush()
  return sends
}

/** Sequences of the batches as they were sent, a resend as often as it came. */
const trail = (partition = 0) =>
  world
    .sent(TOPIC)
    .filter(each => each.partition === partition)
    .map(({ epoch, sequence, values }) => `${values.join('')}@${epoch}:${sequence}`)

describe('one batch until the first acknowledgement', () => {
  test('of a partition that was never written to', async () => {
    world.topic()
    const producer = await world.connect(ONE_A_BATCH)
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sends = sendEach(producer, ['a', 'b', 'c'])
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(trail()).toEqual(['a@0:0', 'b@0:1', 'c@0:2'])
  })

  test('so that a refused first batch is not passed by the next, which a broker without state would take', async () => {
    world.topic()
    const producer = await world.connect(ONE_A_BATCH)
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    await Promise.all(sendEach(producer, ['a', 'b', 'c']))
    expect(trail()).toEqual(['a@0:0', 'a@0:0', 'b@0:1', 'c@0:2'])
  })

  test('from a new leader', async () => {
    world.topic({ leaders: [0], replicationFactor: 2 })
    const producer = await world.confirmed(ONE_A_BATCH)
    world.cluster.moveLeader(TOPIC, 0, 1)
    const gate = world.cluster.gate()
    world.onRecord('a', (request, next) => (request.node === 0 ? next() : hold(gate)(request, next)), 2)
    const sends = sendEach(producer, ['a', 'b', 'c', 'd'])
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd'])
  })

  test('after an error, from the same leader', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const gate = world.cluster.gate()
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    world.onRecord('a', hold(gate))
    const sends = sendEach(producer, ['a', 'b', 'c', 'd'])
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd'])
  })

  test('after a lost connection', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const gate = world.cluster.gate()
    world.onRecord('a', dropBeforeApply)
    world.onRecord('a', hold(gate))
    const sends = sendEach(producer, ['a', 'b', 'c', 'd'])
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd'])
  })

  test('of a new epoch', async () => {
    world.topic({ configs: { 'message.timestamp.after.max.ms': '1000' } })
    const producer = await world.confirmed(ONE_A_BATCH)
    const gate = world.cluster.gate()
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    world.onRecord('a', hold(gate))
    const sends = sendEach(producer, ['a', 'b', 'c', 'd'])
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(trail().slice(2)).toEqual(['a@1:0', 'b@1:1', 'c@1:2', 'd@1:3'])
  })

  test('which an acknowledgement without a sequence does not count as', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    // The epoch is new to the leader; a batch with acks 1 says nothing of that.
    await producer.send({ topic: TOPIC, acks: 1, messages: [{ value: 'plain', partition: 0 }] })
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const sends = sendEach(producer, ['a', 'b', 'c'])
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', 'plain', 'a', 'b', 'c'])
  })

  test('of a topic that was deleted and made again, led by the same broker', async () => {
    world.topic({ leaders: [0] })
    const producer = await world.confirmed({ ...ONE_A_BATCH, metadataMaxAgeMs: 10_000 })
    world.cluster.recreateTopic(TOPIC, { partitions: 1, leaders: [0] })
    const before = world.cluster.journal.of('Metadata').length
    await pass(10_000)
    await world.cluster.journal.until(() => world.cluster.journal.of('Metadata').length > before)
    await turns(20)
    // The leader of the new topic has no state: it would take b, were a refused.
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    await Promise.all(sendEach(producer, ['a', 'b', 'c']))
    expect(world.stored()).toEqual(['a', 'b', 'c'])
  })
})

describe('at most five unresolved batches', () => {
  test('in flight', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const sends = sendEach(producer, values)
    await gate.arrived
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(5)
    gate.open()
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', ...values])
    expect(trail()).toEqual(['first@0:0', ...values.map((value, i) => `${value}@0:${i + 1}`)])
  })

  test('counting those whose answers were lost: they go again before anything new', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    world.onRecord('e', dropAfterApply)
    const sends = sendEach(producer, values)
    await Promise.all(sends)
    expect(world.stored()).toEqual(['first', ...values])
  })

  test('nothing new while an older one is sent again: a broker would forget it', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    const values = ['a', 'b', 'c', 'd', 'e']
    // a is written but not acknowledged; the others are, and count as acknowledgements of this leader.
    world.onRecord('a', verdict(0, { errorCode: ERROR.REQUEST_TIMED_OUT }, 'applied'))
    const gate = world.cluster.gate()
    world.onRecord('a', async (request, next) => {
      const outcome = await gate.wait(request.closed)
      if (outcome === 'opened') request.drop()
      return outcome === 'opened' ? null : next()
    })
    const sends = sendEach(producer, values)
    await gate.arrived
    // Were f sent behind a's second attempt, whose answer is lost too, a third attempt would find a forgotten.
    const f = sendEach(producer, ['f'])
    await turns()
    expect(await world.metric(producer, 'requests_in_flight')).toBe(1)
    gate.open()
    await Promise.all([...sends, ...f])
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd', 'e', 'f'])
  })
})

test('two batches of a partition are never in one request', async () => {
  world.topic({ partitions: 3 })
  const producer = await world.connect({ batchRecords: 1 })
  for (const partition of [0, 1, 2]) await send(producer, `first ${partition}`, partition)
  const sends = [0, 1, 2, 0, 1, 2, 0, 1, 2].flatMap((partition, i) => sendEach(producer, [`${i}`], partition))
  await Promise.all(sends)
  for (const entry of new Set(world.sent().map(each => each.entry))) {
    const inIt = world.sent().filter(each => each.entry === entry)
    expect(new Set(inIt.map(({ partition }) => partition)).size).toBe(inIt.length)
  }
  expect(world.sent().length).toBeGreaterThan(new Set(world.sent().map(each => each.entry)).size)
})

describe('a duplicate is success', () => {
  test('with the offset of the first write, while the broker remembers it', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('a', dropAfterApply)
    expect(await send(producer, 'a')).toMatchObject([{ partition: 0, baseOffset: '1' }])
    expect(trail()).toEqual(['first@0:0', 'a@0:1', 'a@0:1'])
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('with the offset unknown, where it only says so', async () => {
    world.topic()
    const producer = await world.confirmed()
    world.onRecord('a', verdict(0, { errorCode: ERROR.DUPLICATE_SEQUENCE_NUMBER, baseOffset: 7n }, 'applied'))
    expect(await send(producer, 'a')).toMatchObject([{ partition: 0, baseOffset: '-1', errorCode: 0 }])
    await send(producer, 'b')
    expect(trail()).toEqual(['first@0:0', 'a@0:1', 'b@0:2'])
  })
})

describe('out of order', () => {
  test('behind a batch that is to come again: a plain retry under the same sequence, which costs no attempt', async () => {
    world.topic()
    const producer = await world.confirmed({ ...ONE_A_BATCH, retry: { retries: 1, minTimeoutMs: 1 } })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    await Promise.all(sendEach(producer, ['a', 'b', 'c']))
    const sequences = new Map(trail().map(each => [each.split('@')[0], each]))
    expect([...sequences.values()]).toEqual(['first@0:0', 'a@0:1', 'b@0:2', 'c@0:3'])
    expect(new Set(trail()).size).toBe(4)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c'])
  })

  test('at the sequence that was to come next: the leader has lost its state, so a new epoch starts', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
    await Promise.all(sendEach(producer, ['a', 'b']))
    expect(trail().filter(each => each.includes('@1'))).toEqual(['a@1:0', 'b@1:1'])
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })

  test.each([
    ['UNKNOWN_PRODUCER_ID', 59],
    ['INVALID_PRODUCER_EPOCH', ERROR.INVALID_PRODUCER_EPOCH],
  ])('%s starts a new epoch too', async (_name, code) => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', verdict(0, { errorCode: code }))
    await Promise.all(sendEach(producer, ['a', 'b']))
    expect(world.stored()).toEqual(['first', 'a', 'b'])
    expect(trail().at(-1)).toBe('b@1:1')
  })
})

describe('a new epoch', () => {
  test('has the same producer id and costs no request; other partitions go on in the old one', async () => {
    world.topic({ partitions: 2 })
    const producer = await world.confirmed(ONE_A_BATCH)
    await send(producer, 'other', 1)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    await Promise.all([send(producer, 'a'), send(producer, 'b', 1)])
    expect(trail(0)).toEqual(['first@0:0', 'bad@0:1', 'a@1:0'])
    expect(trail(1)).toEqual(['other@0:0', 'b@0:1'])
    expect(new Set(world.sent().map(({ producerId }) => producerId)).size).toBe(1)
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(1)
  })

  test('waits until nothing is in flight, and renumbers what was refused behind the failure, in order', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    const [bad, ...others] = sendEach(producer, ['bad', 'a', 'b', 'c', 'd', 'e', 'f'])
    await expect(bad).rejects.toThrow(RecordRejectedError)
    await Promise.all(others)
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'd', 'e', 'f'])
    const renewed = trail().findIndex(each => each.includes('@1'))
    expect(trail().slice(renewed)).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((value, i) => `${value}@1:${i}`),
    )
  })

  test('comes from InitProducerId once the epochs are used up', async () => {
    world.topic()
    world.cluster.on('InitProducerId', async (_request, next) => ({
      ...(await next())!,
      producerEpoch: 32767,
    }))
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    await Promise.all(sendEach(producer, ['a', 'b']))
    expect(world.cluster.journal.of('InitProducerId')).toHaveLength(2)
    expect(trail()).toEqual(['first@32767:0', 'bad@32767:1', 'a@0:0', 'b@0:1'])
    expect(new Set(world.sent().map(({ producerId }) => producerId)).size).toBe(2)
  })

  test('is asked for again until it is given; other partitions go on meanwhile', async () => {
    world.topic({ partitions: 2 })
    world.cluster.on('InitProducerId', async (_request, next) => ({
      ...(await next())!,
      producerEpoch: 32767,
    }))
    const producer = await world.confirmed(ONE_A_BATCH)
    await send(producer, 'other', 1)
    world.onRecord('bad', errorCode(ERROR.INVALID_RECORD))
    world.cluster.on('InitProducerId', errorCode(ERROR.COORDINATOR_LOAD_IN_PROGRESS))
    world.cluster.on('InitProducerId', dropBeforeApply)
    await expect(send(producer, 'bad')).rejects.toThrow(RecordRejectedError)
    const a = send(producer, 'a')
    await send(producer, 'b', 1)
    await pass(1000)
    await pass(1000)
    await a
    expect(trail(1)).toEqual(['other@32767:0', 'b@32767:1'])
    expect(world.stored()).toEqual(['first', 'a'])
  })
})

describe('a record of unknown fate', () => {
  test('is not sent under a new identity: it fails, and may be in the log', async () => {
    world.topic()
    const producer = await world.confirmed(ONE_A_BATCH)
    world.onRecord('a', dropAfterApply)
    world.onRecord('a', verdict(0, { errorCode: ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }))
    const [a, b] = sendEach(producer, ['a', 'b'])
    await expect(a).rejects.toMatchObject({ name: 'SequenceLostError', outcome: 'unknown', attempts: 2 })
    await b?.catch(() => {})
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
      // b was in flight when the connection ended, so its fate is unknown too: it is asked for under its own sequence.
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

    test('with nothing numbered behind it: a new epoch, since nothing can tell', async () => {
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
