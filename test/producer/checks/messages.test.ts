import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  CompressionTypes,
  Kafka,
  logLevel,
  type Message,
  type PartitionerArgs,
  type ProducerRecord,
} from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { traced } from 'kafkajs-resilient-producer/opentelemetry'
import { EmbeddedKafka, type StoredRecord } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { produceApi } from '../../../src/protocol/messages/produce.js'
import type { Decoded } from '../../../src/protocol/wire/codec.js'

type ProduceRequest = Decoded<typeof produceApi.request>

let cluster: EmbeddedKafka
const open: ResilientProducer[] = []
const client = () => new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
const connected = async (options: ResilientProducerOptions = {}) => {
  const producer = createResilientProducer(client(), options)
  open.push(producer)
  await producer.connect()
  return producer
}
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: { createdAfter: 1, partitions: 2 } })
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(each => each.disconnect()))
  await cluster.close()
})

const shown = ({ partition, key, value, headers, timestamp }: StoredRecord) => ({
  partition,
  key: key === null ? null : String(key),
  value: value === null ? null : String(value),
  headers: headers.map(each => [each.key, each.value === null ? null : String(each.value)]),
  timestamp: Number(timestamp) < 1_600_000_000_000 ? Number(timestamp) : 'now',
})
const stored = (topic: string) => cluster.records(topic).map(shown)
const message = (given: unknown) => given as Message

/** `known`: encoded at once. `new`: it waits for its topic. */
const ways = ['known', 'new'] as const
const prepare = (way: (typeof ways)[number]) => {
  if (way === 'known') cluster.createTopic(way, { partitions: 2 })
}

const MS = 1_500_000_000_000

describe.each(ways)('a message to a %s topic', way => {
  beforeEach(() => prepare(way))

  test.each([
    ['a Date', new Date(MS), MS],
    ['the first Date of all', new Date(0), 0],
    ['what a library of dates has', { valueOf: (): number => MS }, MS],
    ['a bigint', BigInt(MS), MS],
    ['a string', String(MS), MS],
    ['a number', MS, MS],
    ['0, which is none', 0, 'now'],
  ])('takes a timestamp that is %s', async (_, timestamp, expected) => {
    const producer = await connected()
    await producer.send({ topic: way, messages: [message({ value: 'v', timestamp })] })
    expect(stored(way)).toMatchObject([{ timestamp: expected }])
  })

  test.each([
    ['an invalid Date', new Date(Number.NaN)],
    ['a word', 'now'],
    ['an ISO date', '2020-01-01T00:00:00Z'],
    ['a fraction', '1500000000000.5'],
    ['a list', [MS]],
    ['true', true],
    ['an object without a value', Object.create(null)],
    ['a symbol', Symbol('now')],
  ])('refuses a timestamp that is %s', async (_, timestamp) => {
    const producer = await connected()
    const sent = producer.send({ topic: way, messages: [message({ value: 'v', timestamp })] })
    await expect(sent).rejects.toThrow(
      /^Invalid message at index 0 for topic ".+": timestamp must be a whole number of ms/,
    )
  })

  test.each([
    ['a string', '1', 1],
    ['a bigint', 1n, 1],
    ['the string 0', '0', 0],
    ['null, which is none', null, expect.any(Number)],
  ])('takes a partition that is %s', async (_, partition, expected) => {
    const producer = await connected()
    await producer.send({ topic: way, messages: [message({ value: 'v', partition })] })
    expect(stored(way)).toMatchObject([{ partition: expected }])
  })

  test.each([
    '1.5',
    ' 1',
    '1 ',
    '01',
    '+1',
    '-1',
    '0x1',
    '1e0',
    '',
    'one',
    1.5,
    -1,
    Number.NaN,
    true,
    [1],
    {},
  ])('refuses the partition %j, which kafkajs does not find', async partition => {
    const producer = await connected()
    const sent = producer.send({ topic: way, messages: [message({ value: 'v', partition })] })
    await expect(sent).rejects.toThrow('partition must be a whole number of at least 0')
  })

  test('may have headers without a value: undefined is written as null, alone and in a list', async () => {
    const headers = {
      a: undefined,
      b: ['x', undefined, 'y'],
      c: [undefined],
      d: new Array(1),
      e: [],
      f: '',
      g: null,
    }
    const producer = await connected()
    await producer.send({ topic: way, messages: [message({ value: 'v', headers })] })
    expect(stored(way)[0]!.headers).toEqual([
      ['a', null],
      ['b', 'x'],
      ['b', null],
      ['b', 'y'],
      ['c', null],
      ['d', null],
      ['f', ''],
      ['g', null],
    ])
  })

  test('takes the headers that are its own, whatever their names', async () => {
    const headers = Object.assign(
      Object.create({ inherited: 5 }),
      JSON.parse('{"constructor":"c","hasOwnProperty":"h"}'),
    )
    Object.defineProperty(headers, '__proto__', { value: ['p', 'q'], enumerable: true })
    const producer = await connected()
    await producer.send({ topic: way, messages: [message({ value: 'v', headers })] })
    expect(stored(way)[0]!.headers).toEqual([
      ['constructor', 'c'],
      ['hasOwnProperty', 'h'],
      ['__proto__', 'p'],
      ['__proto__', 'q'],
    ])
  })

  class Order {
    readonly #id = 'o-1'
    reads: string[] = []
    get key() {
      this.reads.push('key')
      return this.#id
    }
    get value() {
      this.reads.push('value')
      return `${this.#id} ${this.reads.filter(each => each === 'value').length}`
    }
    get headers() {
      this.reads.push('headers')
      const { reads } = this
      return {
        get source() {
          reads.push('source')
          return 'shop'
        },
      }
    }
    get partition() {
      this.reads.push('partition')
      return 1
    }
    get timestamp() {
      this.reads.push('timestamp')
      return String(MS)
    }
  }
  const FIELDS = ['key', 'value', 'partition', 'headers', 'source', 'timestamp']
  const ORDER = { partition: 1, key: 'o-1', value: 'o-1 1', headers: [['source', 'shop']], timestamp: MS }

  type Send = (producer: ResilientProducer, topic: string, given: Message) => Promise<unknown>
  const calls: readonly (readonly [string, Send])[] = [
    ['send', (producer, topic, given) => producer.send({ topic, messages: [given] })],
    [
      'sendBatch',
      (producer, topic, given) => producer.sendBatch({ topicMessages: [{ topic, messages: [given] }] }),
    ],
    [
      'enqueue',
      (producer, topic, given) =>
        new Promise<void>((resolve, reject) => {
          producer.enqueue(topic, given, error => (error ? reject(error) : resolve()))
        }),
    ],
    [
      'writable',
      (producer, topic, given) =>
        pipeline(Readable.from([Object.assign(given, { topic })]), producer.writable()),
    ],
  ]

  test.each(calls)('by %s is read once, whatever its accessors answer the next time', async (_, send) => {
    const producer = await connected()
    const order = new Order()
    await send(producer, way, order)
    expect(stored(way)).toEqual([ORDER])
    expect(order.reads.sort()).toEqual([...FIELDS].sort())
  })

  test.each(calls)('by %s is read once by traced(), too', async (_, send) => {
    const producer = traced(await connected())
    const order = new Order()
    await send(producer, way, order)
    expect(stored(way)).toEqual([ORDER])
    expect(order.reads.sort()).toEqual([...FIELDS].sort())
  })

  test.each([
    ['frozen', (given: Message) => Object.freeze({ ...given, headers: Object.freeze({ ...given.headers }) })],
    ['a proxy', (given: Message) => new Proxy(given, {})],
    ['without a prototype', (given: Message) => Object.assign(Object.create(null), given)],
    ['of another class', (given: Message) => Object.assign(new (class extends Map {})(), given)],
  ])('may be %s', async (_, make) => {
    const producer = await connected()
    const given = {
      key: 'k',
      value: 'v',
      partition: 1,
      headers: { h: ['1', Buffer.from('2')] },
      timestamp: String(MS),
    }
    await producer.send({ topic: way, messages: [make(given)] })
    expect(stored(way)).toEqual([
      {
        partition: 1,
        key: 'k',
        value: 'v',
        headers: [
          ['h', '1'],
          ['h', '2'],
        ],
        timestamp: MS,
      },
    ])
  })

  test('may be changed once the call is made', async () => {
    const producer = await connected()
    const when = new Date(MS)
    const given = { key: 'k', value: 'v', partition: 1, headers: { h: ['1'] }, timestamp: when }
    const sent = producer.send({ topic: way, messages: [message(given)] })
    Object.assign(given, { key: 'x', value: 'x', partition: 0 })
    given.headers.h.push('x')
    when.setTime(1)
    await sent
    expect(stored(way)).toEqual([
      { partition: 1, key: 'k', value: 'v', headers: [['h', '1']], timestamp: MS },
    ])
  })

  describe("of a custom partitioner's user", () => {
    class Tenant {
      readonly #shard: number
      readonly value = 'v'
      constructor(shard: number) {
        this.#shard = shard
      }
      get shard() {
        return this.#shard
      }
      shardOf() {
        return this.#shard
      }
    }

    test.each([
      ['a field of its own', { value: 'v', shard: 1 }, (given: { shard?: number }) => given.shard],
      ['an accessor of its class', new Tenant(1), (given: { shard?: number }) => given.shard],
      ['a method of its class', new Tenant(1), (given: Tenant) => given.shardOf()],
      ['its class', new Tenant(1), (given: object) => (given instanceof Tenant ? 1 : 0)],
    ])('shows the partitioner %s', async (_, given, shardOf) => {
      const createPartitioner =
        () =>
        ({ message: seen }: PartitionerArgs) =>
          shardOf(seen as never) as number
      const producer = await connected({ createPartitioner })
      await producer.send({ topic: way, messages: [message(given)] })
      expect(stored(way)).toMatchObject([{ partition: 1, value: 'v' }])
    })

    test('may have the partition of a partitioner that answers a string', async () => {
      const createPartitioner = () => () => '1' as unknown as number
      const producer = await connected({ createPartitioner })
      await producer.send({ topic: way, messages: [{ value: 'v' }] })
      expect(stored(way)).toMatchObject([{ partition: 1 }])
    })
  })
})

test('a message that waits keeps its fields while others are encoded', async () => {
  cluster.createTopic('known')
  const producer = await connected()
  await producer.send({ topic: 'known', messages: [{ value: 'first' }] })
  const names = ['a', 'b', 'c']
  const sends = names.map(name => {
    producer.enqueue('new', { key: name, value: `enqueued ${name}` })
    producer.enqueue('known', { key: name, value: `encoded ${name}` })
    return producer.send({ topic: 'new', messages: [{ key: name, value: `sent ${name}` }] })
  })
  await Promise.all(sends)
  await producer.flush()
  const written = (topic: string) =>
    stored(topic)
      .map(({ key, value }) => `${key}: ${value}`)
      .sort()
  expect(written('new')).toEqual([
    ...names.flatMap(name => [`${name}: enqueued ${name}`, `${name}: sent ${name}`]),
  ])
  expect(written('known')).toEqual([...names.map(name => `${name}: encoded ${name}`), 'null: first'])
})

test('a partitioner may keep the messages that it was shown', async () => {
  cluster.createTopic('known')
  const kept: Message[] = []
  const createPartitioner = () => (args: PartitionerArgs) => {
    kept.push(args.message)
    return 0
  }
  const producer = await connected({ createPartitioner })
  for (const value of ['a', 'b']) await producer.send({ topic: 'known', messages: [{ key: value, value }] })
  producer.enqueue('known', { key: 'c', value: 'c' })
  await producer.flush()
  expect(kept.map(({ key, value }) => [key, value])).toEqual(['a', 'b', 'c'].map(each => [each, each]))
})

test('a call may be of a class, with accessors', async () => {
  class Call {
    readonly #topic = 'known'
    get topic() {
      return this.#topic
    }
    get messages() {
      return [{ value: 'v'.repeat(1000) }]
    }
    get compression() {
      return CompressionTypes.GZIP
    }
  }
  cluster.createTopic('known', { partitions: 2 })
  const producer = await connected()
  await producer.send(new Call() as ProducerRecord)
  await traced(producer).send(new Call() as ProducerRecord)
  const bytes = cluster.journal
    .of('Produce')
    .map(({ body }) => (body as ProduceRequest).topicData[0]!.partitionData[0]!.records!.length)
  expect(bytes).toEqual([expect.any(Number), expect.any(Number)])
  expect(Math.max(...bytes)).toBeLessThan(500)
})

describe('what kafkajs takes', () => {
  const taken: readonly (readonly [string, object])[] = [
    ['timestamp Date', { value: 'v', timestamp: new Date(MS), partition: 0 }],
    ['timestamp by valueOf', { value: 'v', timestamp: { valueOf: () => MS }, partition: 0 }],
    ['timestamp bigint', { value: 'v', timestamp: BigInt(MS), partition: 0 }],
    ['partition string', { value: 'v', partition: '1' }],
    ['partition bigint', { value: 'v', partition: 1n }],
  ]
  test.each(taken)('is taken alike: %s', async (_, given) => {
    cluster.createTopic('theirs', { partitions: 2 })
    cluster.createTopic('ours', { partitions: 2 })
    const theirs = client().producer({ retry: { retries: 0 } })
    await theirs.connect()
    await theirs.send({ topic: 'theirs', messages: [message(given)] })
    await theirs.disconnect()
    const ours = await connected()
    await ours.send({ topic: 'ours', messages: [message(given)] })
    expect(stored('ours')).toEqual(stored('theirs'))
  })
})

test('sendBatch reads each message once, however often it names a topic', async () => {
  cluster.createTopic('known', { partitions: 1 })
  const producer = await connected()
  let reads = 0
  const entries = 5000
  const topicMessages = Array.from({ length: entries }, (_, i) => ({
    topic: 'known',
    // Copying what came before for each would read each message again and again.
    messages: new Proxy([{ value: `${i}` }], {
      get(list, name) {
        if (name === '0') reads++
        return Reflect.get(list, name)
      },
    }),
  }))
  const [result] = await producer.sendBatch({ topicMessages })
  expect(result).toMatchObject({ topicName: 'known', baseOffset: '0' })
  expect(reads).toBe(entries)
  expect(cluster.records('known').map(each => String(each.value))).toEqual(
    topicMessages.map((_, i) => `${i}`),
  )
})

describe('a topic with a name that every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf', '__defineGetter__']

  test('has its offsets, and changes nothing that is everybody’s', async () => {
    const everybodys = () =>
      [Object.prototype, Object, Object.prototype.toString].map(each => Object.getOwnPropertyNames(each))
    const before = everybodys()
    for (const name of NAMES) cluster.createTopic(name, { partitions: 1 })
    const kafka = client()
    const consumer = kafka.consumer({ groupId: 'g' })
    const producer = createResilientProducer(kafka, { transactionalId: 't' })
    open.push(producer)
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.sendBatch({
      topicMessages: NAMES.map(topic => ({
        topic,
        messages: [{ value: topic, headers: { [topic]: topic } }],
      })),
    })
    await transaction.sendOffsets({
      consumerGroupId: 'g',
      topics: NAMES.map(topic => ({ topic, partitions: [{ partition: 0, offset: '42' }] })),
    })
    await transaction.commit()
    expect(everybodys()).toEqual(before)
    expect(({} as Record<string, unknown>)[0]).toBeUndefined()
    for (const name of NAMES) expect(stored(name)).toMatchObject([{ value: name, headers: [[name, name]] }])
    const admin = kafka.admin()
    await admin.connect()
    const offsets = await admin.fetchOffsets({ groupId: 'g', topics: NAMES })
    await admin.disconnect()
    await consumer.disconnect()
    expect(offsets.map(each => [each.topic, each.partitions[0]!.offset])).toEqual(
      NAMES.map(name => [name, '42']),
    )
  })
})
