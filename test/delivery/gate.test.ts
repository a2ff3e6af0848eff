import { RecordRejectedError } from 'kafkajs-resilient-producer'
import { dropBeforeApply, ERROR, errorCode, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ONE_A_BATCH, send, sendEach, trailOf } from './support/oneRecordPerBatch.js'
import { pass, TOPIC, turns, World } from './support/world.js'

/*
 * The rules of sequences (KIP-98, KIP-360), point by point. One record a batch: `batchRecords: 1`; a flush closes the last.
 */
let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const trail = (partition = 0) => trailOf(world, partition)

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
