import { afterEach, beforeEach, expect, test } from 'vitest'
import { batchesIn } from '../support/sentBatches.js'
import { TOPIC, World } from '../support/world.js'

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

test.each([1024, 4096, 60_000])(
  'a record that has no place in a request of %d bytes is refused at the call',
  async requestBytes => {
    world.topic()
    const producer = await world.connect({ requestBytes })
    const tooLarge = { value: 'v'.repeat(requestBytes), partition: 0 }
    const refused = expect.objectContaining({
      name: 'RecordTooLargeError',
      topic: TOPIC,
      outcome: 'not-written',
    })
    await expect(producer.send({ topic: TOPIC, messages: [tooLarge] })).rejects.toEqual(refused)
    const topicMessages = [{ topic: TOPIC, messages: [{ value: 'a', partition: 0 }, tooLarge] }]
    await expect(producer.sendBatch({ topicMessages })).rejects.toEqual(refused)
    expect(() => producer.enqueue(TOPIC, tooLarge)).toThrow(refused as never)
    const inHeaders = { value: null, headers: { name: 'h'.repeat(requestBytes) } }
    await expect(producer.send({ topic: TOPIC, messages: [inHeaders] })).rejects.toEqual(refused)
    // Three bytes per character.
    const wide = { value: '\u20ac'.repeat(Math.ceil(requestBytes / 3)) }
    await expect(producer.send({ topic: TOPIC, messages: [wide] })).rejects.toEqual(refused)
    const largest = { value: 'v'.repeat(requestBytes - 600), partition: 0 }
    await producer.send({ topic: TOPIC, messages: [largest] })
    expect(Math.max(...requestSizes())).toBeLessThanOrEqual(requestBytes)
  },
)
