import { hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, test } from 'vitest'
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
