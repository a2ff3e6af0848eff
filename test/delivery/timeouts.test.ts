import { DeliveryTimeoutError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, ERROR, errorCode, Gate, hold, holdAnswer } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from './support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
})
afterEach(() => world.end())

const DELIVERY = { deliveryTimeoutMs: 60_000, requestTimeoutMs: 120_000, ackTimeoutMs: 1000 }

const send = (producer: ResilientProducer, value: string, partition = 0, topic = TOPIC) => {
  const sent = producer.send({ topic, messages: [{ value, partition }] })
  sent.catch(() => {})
  return sent
}

const arrivals = (value: string) => world.sent().filter(({ values }) => values.includes(value)).length
const arrived = (value: string, times: number) => world.cluster.journal.until(() => arrivals(value) === times)

describe('a record whose delivery time ends', () => {
  test('while it waits for its topic', async () => {
    await world.cluster.close()
    await world.end()
    world = await World.withClock({ autoCreate: { createdAfter: new Gate() } })
    const producer = await world.connect({
      ...DELIVERY,
      // The jump must not end a request that was answered.
      metadataRequestTimeoutMs: 600_000,
      metadataRetry: { maxRetryTimeMs: 600_000, retries: 10_000 },
    })
    const sent = send(producer, 'a')
    await turns()
    await pass(60_000)
    await expect(sent).rejects.toMatchObject({
      name: 'DeliveryTimeoutError',
      outcome: 'not-written',
      attempts: 0,
      topic: TOPIC,
      message: expect.stringContaining('the topic to become available'),
      cause: expect.objectContaining({ message: expect.stringContaining('UNKNOWN_TOPIC_OR_PARTITION') }),
    })
    expect(await world.metric(producer, 'topics_waiting')).toBe(0)
  })

  test('while it waits for buffer space', async () => {
    world.topic()
    const producer = await world.confirmed({
      ...DELIVERY,
      bufferBytes: 5000,
      maxBlockMs: 90_000,
      deliveryTimeoutMs: 60_000,
    })
    const gate = world.cluster.gate()
    const filler = '.'.repeat(4500)
    world.onRecord(filler, hold(gate))
    const fills = send(producer, filler)
    await world.cluster.journal.until(() => gate.count === 1 || arrivals(filler) === 1)
    const sent = send(producer, '.'.repeat(1000))
    await pass(60_000)
    await expect(sent).rejects.toMatchObject({
      name: 'DeliveryTimeoutError',
      outcome: 'not-written',
      attempts: 0,
      message: expect.stringContaining('buffer space'),
    })
    await expect(fills).rejects.toMatchObject({ outcome: 'unknown', attempts: 1 })
    gate.open()
  })

  test('is not one that only lingers: it is sent before', async () => {
    world.topic()
    const producer = await world.connect({ ...DELIVERY, lingerMs: 90_000 })
    const first = send(producer, 'first')
    await turns()
    await world.cluster.journal.until(() => world.cluster.journal.of('Metadata').length > 1)
    await turns(20)
    await producer.flush()
    await first
    const sent = send(producer, 'a')
    await pass(59_000)
    await sent
  })

  test('while it waits its turn behind one in flight', async () => {
    world.topic()
    const producer = await world.connect(DELIVERY)
    const gate = world.cluster.gate()
    world.onRecord('a', hold(gate))
    send(producer, 'a')
    await gate.arrived
    const sent = send(producer, 'b')
    await pass(60_000)
    await expect(sent).rejects.toMatchObject({
      outcome: 'not-written',
      attempts: 0,
      message: expect.stringContaining('its turn to be sent'),
    })
    gate.open()
    await send(producer, 'c')
    expect(world.stored()).toEqual(['a', 'c'])
  })

  test('while its broker cannot be connected to: why not is the cause', async () => {
    world.topic()
    const producer = await world.confirmed(DELIVERY)
    await world.cluster.stopBroker(1)
    await world.cluster.stopBroker(0)
    await turns(20)
    const sent = send(producer, 'a')
    for (let seconds = 0; seconds < 60; seconds++) {
      await pass(1000)
      await turns(20)
    }
    await expect(sent).rejects.toMatchObject({
      outcome: 'not-written',
      attempts: 0,
      message: expect.stringMatching(/a connection to broker \d.*ECONNREFUSED/s),
      cause: expect.objectContaining({ message: expect.stringContaining('ECONNREFUSED') }),
    })
  })

  test('while its partition has no leader', async () => {
    world.topic({ partitions: 2, leaders: [0, 0] })
    const producer = await world.confirmed(DELIVERY)
    world.cluster.moveLeader(TOPIC, 0, -1)
    const sent = send(producer, 'a')
    await arrived('a', 1)
    await pass(30_000)
    await turns(20)
    await pass(30_000)
    const error = await sent.catch(each => each)
    expect(error).toBeInstanceOf(DeliveryTimeoutError)
    expect(error).toMatchObject({
      outcome: 'not-written',
      message: expect.stringContaining('a leader of the partition'),
    })
    expect(error.cause.type).toBe('NOT_LEADER_OR_FOLLOWER')
    await send(producer, 'b', 1)
  })

  test('in flight, unanswered: the outcome is unknown', async () => {
    world.topic()
    const producer = await world.confirmed(DELIVERY)
    const gate = world.cluster.gate()
    world.onRecord('a', holdAnswer(gate))
    const sent = send(producer, 'a')
    await gate.arrived
    await pass(60_000)
    await expect(sent).rejects.toMatchObject({
      outcome: 'unknown',
      attempts: 1,
      message: expect.stringContaining("the broker's answer"),
    })
    // Its bytes may still be read by the socket, and its sequence is not settled.
    expect(await world.metric(producer, 'buffered_records')).toBe(1)
    gate.open()
    await world.until(producer, 'buffered_records', 0)
    await send(producer, 'b')
    expect(world.stored()).toEqual(['first', 'a', 'b'])
  })

  test('between two attempts that were refused: not written; the error has the first and the last cause', async () => {
    world.topic()
    const producer = await world.confirmed({
      ...DELIVERY,
      retry: { minTimeoutMs: 25_000, maxTimeoutMs: 50_000 },
    })
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    world.onRecord('a', errorCode(ERROR.CORRUPT_MESSAGE))
    const sent = send(producer, 'a')
    await arrived('a', 1)
    await turns()
    await pass(30_000)
    await arrived('a', 2)
    await turns()
    await pass(30_000)
    const error = await sent.catch(each => each)
    expect(error).toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'not-written', attempts: 2 })
    expect(error.message).toContain(
      'First cause: broker 1 answered NOT_ENOUGH_REPLICAS'.replace(
        '1',
        String(world.cluster.leaderOf(TOPIC, 0)),
      ),
    )
    expect(error.cause.type).toBe('CORRUPT_MESSAGE')
    await send(producer, 'b')
    expect(world.stored()).toEqual(['first', 'b'])
  })

  test('between two attempts of which one was not answered: unknown', async () => {
    world.topic()
    const producer = await world.confirmed({
      ...DELIVERY,
      retry: { minTimeoutMs: 50_000, maxTimeoutMs: 50_000 },
    })
    world.onRecord('a', dropAfterApply)
    world.onRecord('a', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    const sent = send(producer, 'a')
    await arrived('a', 1)
    await turns()
    await pass(59_000)
    await arrived('a', 2)
    await turns()
    await pass(1000)
    await expect(sent).rejects.toMatchObject({ outcome: 'unknown', attempts: 2 })
  })

  test('while its broker cannot be reached', async () => {
    world.topic({ partitions: 2, leaders: [0, 1] })
    const producer = await world.confirmed(DELIVERY)
    await send(producer, 'other', 1)
    await world.cluster.stopBroker(0)
    await turns(20)
    const sent = send(producer, 'a')
    await turns(20)
    for (let i = 0; i < 6; i++) await pass(10_000)
    await expect(sent).rejects.toMatchObject({ name: 'DeliveryTimeoutError', outcome: 'not-written' })
    await send(producer, 'other again', 1)
  })

  test('is not that of a record which the same batch took in much later', async () => {
    world.topic({ leaders: [0] })
    const producer = await world.confirmed(DELIVERY)
    world.cluster.moveLeader(TOPIC, 0, -1)
    const early = send(producer, 'early')
    await arrived('early', 1)
    await turns()
    const waiting = send(producer, 'waiting')
    await pass(50_000)
    const late = send(producer, 'late')
    await pass(20_000)
    await expect(early).rejects.toMatchObject({ name: 'DeliveryTimeoutError' })
    await expect(waiting).rejects.toMatchObject({ name: 'DeliveryTimeoutError' })
    world.cluster.moveLeader(TOPIC, 0, 0)
    await pass(1000)
    await pass(1000)
    await late
    expect(world.stored()).toEqual(['first', 'late'])
  })

  test('after the broker answered with success does not end it again', async () => {
    world.topic()
    const producer = await world.confirmed(DELIVERY)
    await expect(send(producer, 'a')).resolves.toMatchObject([{ baseOffset: '1' }])
    await pass(120_000)
    expect(await world.metric(producer, 'records_failed_total')).toBe(0)
  })
})

describe('a request behind one that takes its time', () => {
  test('has its own time from the answer to that one on', async () => {
    world.topic()
    const producer = await world.confirmed({
      deliveryTimeoutMs: 60_000,
      requestTimeoutMs: 1500,
      ackTimeoutMs: 1,
    })
    const [first, second] = [new Gate(), new Gate()]
    world.cluster.on('Produce', hold(first))
    const a = send(producer, 'a')
    await first.arrived
    world.cluster.on('Produce', hold(second))
    const b = send(producer, 'b')
    await turns()
    await pass(1200)
    first.open()
    await a
    await second.arrived
    // More than 1500 ms since it was sent, less since the broker could begin with it.
    await pass(1200)
    second.open()
    await b
    expect([arrivals('a'), arrivals('b')]).toEqual([1, 1])
  })
})
