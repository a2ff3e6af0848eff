import { afterEach, beforeEach, expect, test } from 'vitest'
import { batchesIn } from './support/sentBatches.js'
import { TOPIC, World } from './support/world.js'

/** `socket.request.max.bytes` of the brokers that are meant; a header and a topic's name come on top of the records. */
const REQUEST_BYTES = 4096

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

const requestSizes = () =>
  world.cluster.journal.of('Produce').map(({ body }) =>
    // What stands around a batch is at least its index and its length.
    batchesIn(body).reduce((sum, { records }) => sum + 8 + records.length, 0),
  )

test('many small batches do not add up to more than a request may have', async () => {
  world.topic({ partitions: 300 })
  const producer = await world.connect({ requestBytes: REQUEST_BYTES })
  const messages = Array.from({ length: 300 }, (_, partition) => ({ value: 'v', partition }))
  await producer.send({ topic: TOPIC, messages })
  expect(Math.max(...requestSizes())).toBeLessThanOrEqual(REQUEST_BYTES)
  expect(world.cluster.records(TOPIC)).toHaveLength(300)
})

test('a batch does not grow beyond it, whatever batchBytes says', async () => {
  world.topic()
  const producer = await world.connect({ requestBytes: REQUEST_BYTES, batchBytes: 1_000_000 })
  const messages = Array.from({ length: 200 }, (_, i) => ({ value: `${i}`.padEnd(300, '.'), partition: 0 }))
  await producer.send({ topic: TOPIC, messages })
  expect(Math.max(...requestSizes())).toBeLessThanOrEqual(REQUEST_BYTES)
  expect(world.stored()).toEqual(messages.map(({ value }) => value))
})
