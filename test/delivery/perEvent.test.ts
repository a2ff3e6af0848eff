import { afterEach, expect, test, vi } from 'vitest'
import { PartitionProducerState } from '../../src/delivery/idempotence/partitionProducerState.js'
import { BusyQueues } from '../../src/delivery/partitions/busyQueues.js'
import { TopicRegistry } from '../../src/delivery/topics/topicRegistry.js'
import { verdict } from './support/faults.js'
import { pass, TOPIC, turns, World } from './support/world.js'

/* What one event costs: counts of what it looks at, however many topics and partitions there are beside. */

let world: World
afterEach(() => world.end())

test('an abort that takes another epoch starts the partitions of that transaction anew, and no others', async () => {
  world = await World.withClock({})
  world.topic({ partitions: 50 })
  const producer = await world.connect({ transactionalId: 'tx' })
  const first = await producer.transaction()
  const messages = Array.from({ length: 50 }, (_, partition) => ({ value: 'a', partition }))
  await first.send({ topic: TOPIC, messages })
  await first.abort()
  const restart = vi.spyOn(PartitionProducerState.prototype, 'restart')
  for (const expected of [50, 1, 1]) {
    const transaction = await producer.transaction()
    world.onNext(verdict(0, { errorCode: 87 }))
    await transaction.send({ topic: TOPIC, messages: [{ value: 'b', partition: 0 }] }).catch(() => {})
    restart.mockClear()
    await transaction.abort()
    expect(restart).toHaveBeenCalledTimes(expected)
  }
  restart.mockRestore()
})

test('a flush with nothing new since the last one looks at no partition', async () => {
  world = await World.withClock({})
  world.topic({ partitions: 50 })
  const producer = await world.connect({})
  await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
  world.cluster.pauseBroker(0)
  const messages = Array.from({ length: 50 }, (_, partition) => ({ value: 'a', partition }))
  const sent = producer.send({ topic: TOPIC, messages })
  const flushes = [producer.flush()]
  const { all } = Object.getOwnPropertyDescriptors(BusyQueues.prototype)
  const looks = vi.spyOn(BusyQueues.prototype, 'all', 'get').mockImplementation(function (this: BusyQueues) {
    return all.get!.call(this) as never
  })
  for (let i = 0; i < 20; i++) flushes.push(producer.flush())
  expect(looks).not.toHaveBeenCalled()
  looks.mockRestore()
  world.cluster.resumeBroker(0)
  await Promise.all([sent, ...flushes])
})

test('a first record for a partition without a leader looks at that partition, not at all of its topic', async () => {
  world = await World.withClock({ brokers: 2 })
  world.topic({ partitions: 200, leaders: [0] })
  const producer = await world.connect({})
  const toAll = () =>
    producer.send({
      topic: TOPIC,
      messages: Array.from({ length: 200 }, (_, partition) => ({ value: 'a', partition })),
    })
  await toAll()
  for (let partition = 0; partition < 200; partition++) world.cluster.moveLeader(TOPIC, partition, -1)
  const poke = producer.send({ topic: TOPIC, messages: [{ value: 'b', partition: 0 }] })
  await pass(200)
  const looks = vi.spyOn(TopicRegistry.prototype as unknown as { isLeaderless(): boolean }, 'isLeaderless')
  const sent = toAll()
  await turns()
  expect(looks.mock.calls.length).toBeLessThanOrEqual(200)
  looks.mockRestore()
  for (let partition = 0; partition < 200; partition++) world.cluster.moveLeader(TOPIC, partition, 1)
  await pass(1000)
  await Promise.all([poke, sent])
})
