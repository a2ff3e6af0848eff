import { randomBytes } from 'node:crypto'
import vm from 'node:vm'
import { CompressionTypes } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TOPIC, World } from '../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

/** What a test in Jest's jsdom environment makes: its Uint8Array, Error, Promise and RegExp are not those of Node.js. */
const foreign = (code: string): unknown => vm.runInNewContext(code)
class OwnBuffer extends Uint8Array {}

describe('bytes of another realm', () => {
  test.each<[string, () => unknown]>([
    ['a Uint8Array', () => foreign('new Uint8Array([104, 105])')],
    ['a view into a larger ArrayBuffer', () => foreign('new Uint8Array([0, 104, 105, 0]).subarray(1, 3)')],
    ['a subclass of its Uint8Array', () => foreign('new (class extends Uint8Array {})([104, 105])')],
    [
      'a Buffer over its ArrayBuffer',
      () => Buffer.from(foreign('new Uint8Array([104, 105]).buffer') as ArrayBuffer),
    ],
    ['a subclass of Uint8Array of this realm', () => OwnBuffer.from([104, 105])],
  ])('%s is taken as key, value and header', async (_, make) => {
    world.topic()
    const producer = await world.connect()
    const bytes = make() as Buffer
    await producer.send({
      topic: TOPIC,
      messages: [{ key: bytes, value: bytes, headers: { one: bytes, list: [bytes, 'x'] } }],
    })
    producer.enqueue(TOPIC, { key: bytes, value: bytes })
    await producer.flush()
    const [sent, enqueued] = world.cluster.records(TOPIC)
    expect([sent?.key, sent?.value, enqueued?.value].map(String)).toEqual(['hi', 'hi', 'hi'])
    expect(sent?.headers.map(({ key, value }) => [key, String(value)])).toEqual([
      ['one', 'hi'],
      ['list', 'hi'],
      ['list', 'x'],
    ])
  })

  test('keys of both realms go to the same partition', async () => {
    world.topic({ partitions: 12 })
    const producer = await world.connect()
    const keys = Array.from({ length: 20 }, (_, each) => `key ${each}`)
    const messages = keys.flatMap(key => [
      { key, value: key },
      { key: foreign(`new Uint8Array([${[...Buffer.from(key)]}])`) as Buffer, value: key },
    ])
    await producer.send({ topic: TOPIC, messages })
    const partitions = new Map<string, Set<number>>()
    for (const { value, partition } of world.cluster.records(TOPIC)) {
      const of = partitions.get(String(value)) ?? new Set()
      partitions.set(String(value), of.add(partition))
    }
    expect([...partitions.values()].map(({ size }) => size)).toEqual(keys.map(() => 1))
  })
})

test('what is thrown and returned by code of another realm is an error, a promise, a pattern', async () => {
  world.topic()
  const pattern = foreign('/^never-/') as RegExp
  const producer = await world.connect({
    createPartitioner: () => () => {
      throw foreign('new TypeError("no partition")')
    },
    topics: { rules: [{ match: pattern, create: 'never', waitForMs: 0 }] },
  })
  const failed = await producer.send({ topic: TOPIC, messages: [{ value: 'x' }] }).catch(error => error)
  expect(failed.message).toContain('no partition')
  expect(failed.cause?.name ?? failed.name).toBe('TypeError')
  await expect(producer.send({ topic: 'never-there', messages: [{ value: 'x' }] })).rejects.toThrow(
    /"never-there" does not exist/,
  )
})

test('a compressed batch whose codec answers with a promise of another realm', async () => {
  const { compressorOf } = await import('../../src/delivery/compression/compressor.js')
  const body = randomBytes(100)
  const answering = foreign('(value => Promise.resolve(value))') as (value: Buffer) => Promise<Buffer>
  const compressor = compressorOf(CompressionTypes.GZIP, answering)
  expect(await compressor.compress(body)).toEqual(body)
  const failing = foreign('(() => Promise.reject(new Error("codec broke")))') as () => Promise<Buffer>
  await expect(compressorOf(CompressionTypes.GZIP, failing).compress(body)).rejects.toThrow(/codec broke/)
})
