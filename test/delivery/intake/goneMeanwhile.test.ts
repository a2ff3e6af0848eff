import type { ResilientProducerOptions, SendError } from 'kafkajs-resilient-producer'
import { ERROR, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

let world: World
afterEach(() => world.end())

const text = (name: string, bytes: number): string => name.padEnd(bytes, '.')

test('a record that came while its topic was gone does not pass one that waits for space at the partition since before', async () => {
  world = await World.withClock({})
  world.topic({ partitions: 1 })
  const producer = await world.connect({
    bufferBytes: 4_000,
    metadataMaxAgeMs: 1_000,
    metadataMaxIdleMs: 600_000,
    topics: { create: 'never', waitForMs: 60_000 },
  })
  const send = (value: string) => {
    const sent = producer.send({ topic: TOPIC, messages: [{ value }] })
    sent.catch(() => {})
    return sent
  }
  await send('first')
  const gate = world.cluster.gate()
  const held = text('held', 1_500)
  world.onRecord(held, hold(gate))
  const sends = [send(held)]
  await gate.arrived
  sends.push(send(text('early', 1_500)))
  world.cluster.hideTopic(TOPIC, 0)
  // It is asked for by age, is gone, and is waited for.
  while ((await world.metric(producer, 'topics_waiting')) === 0) await pass(500)
  sends.push(send('late'))
  world.cluster.showTopic(TOPIC, 0)
  while ((await world.metric(producer, 'topics_waiting')) > 0) await pass(100)
  await turns(20)
  gate.open()
  await Promise.all(sends)
  expect(world.stored(0).map(value => value.replaceAll('.', ''))).toEqual(['first', 'held', 'early', 'late'])
})

describe('what waits for space at a partition, behind a batch that is rejected', () => {
  /** `b` is retried after a while, `c` and `d` wait for space. */
  const crowded = async (options: ResilientProducerOptions) => {
    world = await World.withClock({})
    world.topic({ partitions: 2 })
    const producer = await world.connect({
      bufferBytes: 4_000,
      metadataMaxAgeMs: 1_000,
      retry: { minTimeoutMs: 60_000, maxTimeoutMs: 60_000 },
      ...options,
    })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first', partition: 0 }] })
    const ends: string[] = []
    const send = (value: string): void => {
      producer.send({ topic: TOPIC, messages: [{ value, partition: 1 }] }).then(
        () => ends.push('written'),
        (error: Error) => ends.push(error.name),
      )
    }
    world.onNext(verdict(1, { errorCode: ERROR.NOT_ENOUGH_REPLICAS }))
    for (const name of ['b', 'c', 'd']) send(text(name, 1_500))
    while (!world.log.some(({ message }) => message === 'A record batch will be sent again')) await turns(1)
    return { ends, end: () => until(() => ends.length === 3) }
  }

  const until = async (isOver: () => boolean): Promise<void> => {
    for (let i = 0; i < 10 && !isOver(); i++) await pass(500)
  }

  test('ends with it when the topic comes back without the partition', async () => {
    const { ends, end } = await crowded({})
    world.cluster.recreateTopic(TOPIC, { partitions: 1 })
    await end()
    expect(ends).toEqual(Array(3).fill('PartitionNotFoundError'))
  })

  test('ends with it when the topic is gone and cannot be had', async () => {
    const { ends, end } = await crowded({ topics: { create: 'never' } })
    world.cluster.deleteTopic(TOPIC)
    await end()
    expect(ends).toEqual(Array(3).fill('UnknownTopicError'))
  })
})

test('the halves of a batch that is found too large once its topic is gone for good end with the topic', async () => {
  world = await World.withClock({})
  world.topic({})
  const producer = await world.connect({
    metadataMaxAgeMs: 1_000,
    topics: { create: 'never', waitForMs: 3_000 },
    requestTimeoutMs: 60_000,
  })
  await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
  const gate = world.cluster.gate()
  world.onRecord('b', async (request, next) => {
    const answer = await verdict(0, { errorCode: ERROR.MESSAGE_TOO_LARGE })(request, next)
    await gate.wait(new AbortController().signal)
    return answer
  })
  let end = 'it waits'
  producer.send({ topic: TOPIC, messages: [{ value: 'b' }, { value: 'c' }] }).catch((error: SendError) => {
    end = error.failed.map(each => each.error.name).join()
  })
  await gate.arrived
  world.cluster.deleteTopic(TOPIC)
  while ((await world.metric(producer, 'topics_waiting')) === 0) await pass(500)
  while ((await world.metric(producer, 'topics_waiting')) > 0) await pass(500)
  expect(end).toBe('it waits')
  gate.open()
  for (let i = 0; i < 20 && end === 'it waits'; i++) await pass(500)
  expect(end).toBe('UnknownTopicError,UnknownTopicError')
})
