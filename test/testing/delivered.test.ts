import { Kafka, logLevel } from 'kafkajs'
import {
  assertDelivered,
  delivered,
  EmbeddedKafka,
  type KafkaMatchers,
  kafkaMatchers,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { initProducerIdApi } from '../../src/protocol/messages/initProducerId.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: it has to be declared as vitest does.
  interface Matchers<T = any> extends KafkaMatchers {}
}

expect.extend(kafkaMatchers)

let cluster: EmbeddedKafka
let client: RawClient
beforeEach(async () => {
  cluster = await EmbeddedKafka.start()
  cluster.createTopic('orders', { partitions: 2 })
  client = await RawClient.connect(cluster.bootstrap[0]!)
})
afterEach(async () => {
  await client.close()
  await cluster.close()
})

const append = (partition: number, ...values: string[]) =>
  produce(client, batch({ values, keys: values.map(value => `key of ${value}`) }), {
    topic: 'orders',
    partition,
  })
const at = (partition: number, value: string) => ({ partition, value })

describe('delivered', () => {
  test('waits for so many records, and gives all', async () => {
    const waiting = delivered(cluster, 'orders', 3)
    await append(1, 'c')
    await append(0, 'a', 'b')
    expect((await waiting).map(({ partition, value }) => at(partition, `${value}`))).toEqual([
      at(0, 'a'),
      at(0, 'b'),
      at(1, 'c'),
    ])
  })

  test('says what is there when the rest does not come', async () => {
    await append(0, 'a')
    await expect(delivered(cluster, 'orders', 2, { timeoutMs: 20 })).rejects.toThrow(
      'topic orders holds 1 records, not 2\n  partition 0 offset 0: key "key of a" value "a"',
    )
    await expect(delivered(cluster, 'no-such-topic', 1, { timeoutMs: 1 })).rejects.toThrow('holds 0 records')
  })

  test('leaves no timer and no watcher behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter(each => each === 'Timeout').length
    const before = timers()
    const waiting = delivered(cluster, 'orders')
    await append(0, 'a')
    await waiting
    await expect(delivered(cluster, 'orders', 9, { timeoutMs: 1 })).rejects.toThrow()
    await client.call(initProducerIdApi, 1, { transactionalId: null, transactionTimeoutMs: 1 })
    // Its timer would keep a run of tests open for five seconds, its watcher would read all logs for ever.
    expect(Reflect.get(cluster.journal, 'waiting')).toHaveProperty('size', 0)
    // The test runner has timers of its own, which come and go.
    await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(before), { timeout: 2000 })
  })
})

describe('toHaveDelivered', () => {
  test('takes the records of a topic, in the order of each partition', async () => {
    await append(0, 'a', 'b')
    await append(1, 'c')
    const [a, b, c] = [{ value: 'a', key: 'key of a' }, { value: Buffer.from('b') }, at(1, 'c')]
    for (const order of [
      [a, b, c],
      [a, c, b],
      [c, a, b],
    ])
      await expect(cluster).toHaveDelivered('orders', order)
    await expect(cluster).not.toHaveDelivered('orders', [b, a, c])
    await expect(cluster).not.toHaveDelivered('orders', [a, b])
    await expect(cluster).not.toHaveDelivered('orders', [at(1, 'a'), b, c])
  })

  test('finds the partition of each of several equal records', async () => {
    await append(0, 'x', 'c')
    await append(1, 'x', 'b')
    await expect(cluster).toHaveDelivered('orders', [
      { value: 'x' },
      { value: 'b' },
      { value: 'x' },
      { value: 'c' },
    ])
    await expect(cluster).toHaveDelivered('orders', [
      { value: 'x' },
      { value: 'c' },
      { value: 'x' },
      { value: 'b' },
    ])
    await expect(cluster).not.toHaveDelivered('orders', [
      { value: 'x' },
      { value: 'c' },
      { value: 'b' },
      { value: 'x' },
    ])
  })

  test('waits for them', async () => {
    const matched = expect(cluster).toHaveDelivered('orders', [{ value: 'a' }])
    await append(0, 'a')
    await matched
  })

  test('compares headers, nulls and JSON', async () => {
    const producer = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    const value = JSON.stringify({ id: 7, lines: [1, 2] })
    await producer.send({
      topic: 'orders',
      messages: [{ key: null, value, headers: { trace: 'xyz', other: '1' } }],
    })
    await producer.disconnect()
    const match = (expected: object) =>
      expect(cluster).toHaveDelivered('orders', [expected], { timeoutMs: 10 })
    await match({ key: null, value: { lines: [1, 2], id: 7 }, headers: { trace: 'xyz' } })
    for (const wrong of [{ key: '' }, { value: { id: 7 } }, { value: null }, { headers: { trace: 'abc' } }]) {
      await expect(match(wrong)).rejects.toThrow('missing:')
    }
  })

  test('lists what is missing, what is too much, and another order', async () => {
    await append(0, 'a', 'b')
    const failure = (expected: object[]) =>
      assertDelivered(cluster, 'orders', expected, { timeoutMs: 1 }).then(
        () => expect.fail('it was delivered'),
        (error: Error) => error.message,
      )
    expect(await failure([{ value: 'a' }, { value: 'z' }])).toBe(
      [
        'topic orders holds 2 records, 2 were expected',
        'missing:',
        "  { value: 'z' }",
        'not expected:',
        '  partition 0 offset 1: key "key of b" value "b"',
      ].join('\n'),
    )
    expect(await failure([{ value: 'b' }, { value: 'a' }])).toContain(
      'in another order:\n  partition 0 offset 0',
    )
    await expect(expect(cluster).toHaveDelivered('orders', [], { timeoutMs: 1 })).rejects.toThrow(
      'not expected:',
    )
    await expect(
      expect(cluster).not.toHaveDelivered('orders', [{ value: 'a' }, { value: 'b' }]),
    ).rejects.toThrow('holds just those records')
  })

  test('does not see the records of a transaction before it is committed, nor of one that is aborted', async () => {
    const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    for (const [value, end] of [
      ['aborted', 'abort'],
      ['committed', 'commit'],
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'orders', messages: [{ value, partition: 0 }] })
      await expect(cluster).toHaveDelivered('orders', [])
      await transaction[end]()
    }
    await expect(cluster).toHaveDelivered('orders', [{ value: 'committed' }])
    expect(cluster.records('orders')).toHaveLength(2)
    await producer.disconnect()
  })
})
