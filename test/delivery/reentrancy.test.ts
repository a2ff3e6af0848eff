import { BufferFullError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DeliveryEngine } from '../../src/delivery/engine.js'
import { TOPIC, turns, World } from './support/world.js'

/* Users' code that runs in the midst of the engine's: partitioners and callbacks that send, abort or throw. */

let world: World
beforeEach(async () => {
  world = await World.start()
})
afterEach(() => world.end())

const text = ({ value }: { value: Buffer | string | null }) => String(value)

const handOver = {
  send: (producer: ResilientProducer, value: string) =>
    producer.send({ topic: TOPIC, messages: [{ value }] }).then(
      () => undefined,
      (error: Error) => error,
    ),
  enqueue: (producer: ResilientProducer, value: string) =>
    new Promise<Error | undefined>(resolve => {
      producer.enqueue(TOPIC, { value }, error => resolve(error ?? undefined))
    }),
}
const ways = Object.entries(handOver)

describe("a user's partitioner", () => {
  test.each(ways)('that sends and then throws is called once per record (%s)', async (_, hand) => {
    world.topic({ partitions: 2 })
    let calls = 0
    const producer: ResilientProducer = await world.connect({
      createPartitioner:
        () =>
        ({ message }) => {
          if (text(message) !== 'bad') return 0
          calls++
          producer.enqueue(TOPIC, { value: 'audit' })
          throw new Error('no')
        },
    })
    await hand(producer, 'first')
    expect(String(await hand(producer, 'bad'))).toContain('The partitioner failed: no')
    await producer.flush()
    expect(calls).toBe(1)
    expect(world.stored(0)).toEqual(['first', 'audit'])
    expect(await world.metric(producer, 'records_failed_total')).toBe(1)
  })

  test.each(ways)(
    'that sends finds the buffer as full as it is with its own record (%s)',
    async (_, hand) => {
      world.topic({ partitions: 2 })
      const big = 'v'.repeat(700)
      const inside: (Error | null)[] = []
      const producer: ResilientProducer = await world.connect({
        bufferBytes: 1400,
        createPartitioner:
          () =>
          ({ message }) => {
            if (text(message) === big && inside.length === 0) {
              inside.push(null)
              producer.enqueue(TOPIC, { value: big }, error => inside.push(error))
            }
            return 0
          },
      })
      await hand(producer, 'first')
      expect(await hand(producer, big)).toBeUndefined()
      expect(inside).toEqual([null, expect.any(BufferFullError)])
      expect(world.stored(0)).toEqual(['first', big])
    },
  )

  test.each(ways)('that answers what is no number fails its record alone (%s)', async (_, hand) => {
    world.topic({ partitions: 1 })
    const odd: unknown[] = [0.5, -1, Number.NaN, 1, Symbol('p'), Object.create(null), 'zero', undefined]
    const producer = await world.connect({
      createPartitioner:
        () =>
        ({ message }) =>
          (text(message) === 'fine' ? 0 : odd[Number(text(message))]) as number,
    })
    // The first ones wait for the topic, the last ones do not.
    const early = odd.map((_each, i) => hand(producer, `${i}`))
    expect(await hand(producer, 'fine')).toBeUndefined()
    const late = odd.map((_each, i) => hand(producer, `${i}`))
    for (const errors of [await Promise.all(early), await Promise.all(late)]) {
      for (const error of errors.slice(0, 4)) expect(error?.name).toBe('PartitionNotFoundError')
      for (const error of errors.slice(4)) expect(error?.message).toContain('not a number')
    }
    expect(world.stored(0)).toEqual(['fine'])
  })
})

describe('a callback', () => {
  test('that aborts a call while its queue is given up changes nothing for the others: each is told once', async () => {
    world.topic({ partitions: 1 })
    const producer = await world.connect({ lingerMs: 10_000, deliveryTimeoutMs: 3_000 })
    const first = producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    await producer.flush()
    await first
    world.cluster.moveLeader(TOPIC, 0, -1)
    const told: string[] = []
    const tell = (name: string) => (error: Error | null) => told.push(`${name}: ${error?.name}`)
    const abort = new AbortController()
    producer.enqueue(TOPIC, { value: 'a' }, error => {
      tell('a')(error)
      abort.abort()
    })
    producer.flush().catch(() => {})
    // Until `a` has been sent, and refused: what comes now is in a batch of its own.
    await world.cluster.journal.until(() => world.sent().some(({ values }) => values.includes('a')))
    await world.until(producer, 'requests_in_flight', 0)
    producer.enqueue(TOPIC, { value: 'b' }, tell('b'))
    const sent = producer.send({ topic: TOPIC, messages: [{ value: 'c' }], signal: abort.signal })
    const rejected = sent.catch(tell('c'))
    await producer.disconnect({ timeoutMs: 100 })
    await rejected
    await turns()
    expect(told.sort()).toEqual([
      'a: ProducerClosedError',
      'b: ProducerClosedError',
      'c: ProducerClosedError',
    ])
  })
})

describe('the batch of the partition that a topic stays on', () => {
  test('is not kept once it has ended', async () => {
    world.topic({ partitions: 2 })
    const found = vi.spyOn(DeliveryEngine.prototype, 'topic')
    const producer = await world.connect({ lingerMs: 10_000 })
    const send = (value: string, signal?: AbortSignal) =>
      producer.send({ topic: TOPIC, messages: [{ value }], ...(signal && { signal }) })
    const first = send('first')
    await producer.flush()
    await first
    const second = send('second')
    const queues = found.mock.results.at(-1)!.value
    expect(queues.stickyBatch).toBeDefined()
    await producer.flush()
    await second
    expect(queues.stickyBatch).toBeUndefined()
    const abort = new AbortController()
    const third = send('third', abort.signal)
    expect(queues.stickyBatch).toBeDefined()
    abort.abort()
    await expect(third).rejects.toThrow()
    expect(queues.stickyBatch).toBeUndefined()
    found.mockRestore()
  })
})
