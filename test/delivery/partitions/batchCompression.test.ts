import { gzipSync } from 'node:zlib'
import kafkajs, { CompressionTypes } from 'kafkajs'
import type { ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdict } from '../support/faults.js'
import { pass, TOPIC, turns, World } from '../support/world.js'

/** A codec that compresses when a test says so. */
class HeldCodec {
  readonly waiting: { body: Buffer; done: (error?: Error) => void }[] = []
  private readonly expecting: (() => void)[] = []

  compress({ buffer }: { buffer: Buffer }): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        body: buffer,
        done: error => (error === undefined ? resolve(gzipSync(buffer)) : reject(error)),
      })
      for (const look of this.expecting.splice(0)) look()
    })
  }

  async arrived(count: number): Promise<void> {
    while (this.waiting.length < count) await new Promise<void>(resolve => this.expecting.push(resolve))
  }
}

const original = { ...kafkajs.CompressionCodecs }
let world: World
let codec: HeldCodec
beforeEach(async () => {
  world = await World.withClock({ brokers: 2 })
  codec = new HeldCodec()
  Object.assign(kafkajs.CompressionCodecs, { [CompressionTypes.GZIP]: () => codec })
})
afterEach(async () => {
  Object.assign(kafkajs.CompressionCodecs, original)
  for (const { done } of codec.waiting) done()
  await world.end()
})

const GZIP = { compression: CompressionTypes.GZIP, batchRecords: 1 }

const send = (producer: ResilientProducer, value: string, partition = 0, rest = {}) => {
  const sent = producer.send({ topic: TOPIC, messages: [{ value, partition }], ...rest })
  sent.catch(() => {})
  return sent
}
const connect = async (options = {}) => {
  const producer = await world.connect({ ...GZIP, ...options })
  await send(producer, 'first', 0, { compression: CompressionTypes.None })
  return producer
}

describe('a batch that is being compressed', () => {
  test('is passed by none of its partition, and holds up no other partition', async () => {
    world.topic({ partitions: 2, leaders: [0, 0] })
    const producer = await connect()
    const sends = ['a', 'b', 'c'].map(value => send(producer, value))
    void producer.flush()
    await codec.arrived(1)
    await send(producer, 'other', 1, { compression: CompressionTypes.None })
    const behind = send(producer, 'plain', 0, { compression: CompressionTypes.None })
    void producer.flush()
    await turns(10)
    expect(world.stored()).toEqual(['first'])
    for (let i = 0; i < 3; i++) {
      await codec.arrived(i + 1)
      codec.waiting[i]!.done()
    }
    await Promise.all([...sends, behind])
    expect(world.stored()).toEqual(['first', 'a', 'b', 'c', 'plain'])
  })

  test('and whose time ends then is not written; its memory is given back when the codec is done with it', async () => {
    world.topic()
    const producer = await connect({ deliveryTimeoutMs: 5000 })
    const sent = send(producer, 'a')
    await codec.arrived(1)
    await pass(5000)
    await expect(sent).rejects.toMatchObject({
      name: 'DeliveryTimeoutError',
      outcome: 'not-written',
      attempts: 0,
    })
    expect(await world.metric(producer, 'buffered_records')).toBe(1)
    codec.waiting[0]!.done()
    await world.until(producer, 'buffered_records', 0)
    const next = send(producer, 'b')
    await codec.arrived(2)
    codec.waiting[1]!.done()
    await next
    expect(world.stored()).toEqual(['first', 'b'])
    expect(world.sent().map(({ epoch, sequence }) => [epoch, sequence])).toEqual([
      [0, 0],
      [0, 1],
    ])
  })

  test('by a codec that fails is rejected, and said where; those behind it go on', async () => {
    world.topic()
    const producer = await connect()
    const sends = ['a', 'b'].map(value => send(producer, value))
    void producer.flush()
    await codec.arrived(1)
    codec.waiting[0]!.done(new Error('out of luck'))
    await expect(sends[0]).rejects.toMatchObject({
      name: 'CompressionFailedError',
      topic: TOPIC,
      partition: 0,
      outcome: 'not-written',
      attempts: 0,
      cause: { message: 'out of luck' },
    })
    await codec.arrived(2)
    codec.waiting[1]!.done()
    await sends[1]
    expect(world.stored()).toEqual(['first', 'b'])
    expect(world.sent().map(({ epoch }) => epoch)).toEqual([0, 0])
  })

  test('by a codec that throws at once is rejected as well', async () => {
    world.topic()
    const producer = await connect()
    codec.compress = () => {
      throw new Error('not today')
    }
    await expect(send(producer, 'a')).rejects.toMatchObject({
      name: 'CompressionFailedError',
      topic: TOPIC,
      outcome: 'not-written',
    })
  })

  test('when the producer closes ends then', async () => {
    world.topic()
    const producer = await connect()
    const sent = send(producer, 'a')
    await codec.arrived(1)
    await producer.disconnect({ timeoutMs: 0 })
    await expect(sent).rejects.toMatchObject({ name: 'ProducerClosedError', outcome: 'not-written' })
    codec.waiting[0]!.done()
    await turns()
  })

  test('when its leader moves goes to the new one', async () => {
    world.topic({ leaders: [0], replicationFactor: 2 })
    const producer = await connect()
    const sent = send(producer, 'a')
    await codec.arrived(1)
    world.cluster.moveLeader(TOPIC, 0, 1)
    codec.waiting[0]!.done()
    await sent
    expect(world.stored()).toEqual(['first', 'a'])
  })

  test('when a call in it is withdrawn is compressed anew without that', async () => {
    world.topic()
    const producer = await connect({ batchRecords: 100 })
    const controller = new AbortController()
    const sends = [
      send(producer, 'a'),
      send(producer, 'b', 0, { signal: controller.signal }),
      send(producer, 'c'),
    ]
    void producer.flush()
    await codec.arrived(1)
    controller.abort(new Error('enough'))
    await expect(sends[1]).rejects.toMatchObject({ name: 'SendAbortedError' })
    await codec.arrived(2)
    codec.waiting[1]!.done()
    await Promise.all([sends[0], sends[2]])
    expect(world.stored()).toEqual(['first', 'a', 'c'])
    // Only now is the first body read to its end.
    codec.waiting[0]!.done()
    await turns()
  })
})

describe('a compressed batch', () => {
  beforeEach(() => {
    Object.assign(kafkajs.CompressionCodecs, original)
  })

  test('that is too large is split and compressed in parts', async () => {
    world.topic()
    const producer = await world.connect({ compression: CompressionTypes.GZIP })
    world.onRecord('a', verdict(0, { errorCode: ERROR.MESSAGE_TOO_LARGE }))
    const messages = ['a', 'b', 'c', 'd'].map(value => ({ value, partition: 0 }))
    await producer.send({ topic: TOPIC, messages })
    expect(world.stored()).toEqual(['a', 'b', 'c', 'd'])
    expect(world.sent().map(({ sequence, values }) => [sequence, values.join('')])).toEqual([
      [0, 'abcd'],
      [0, 'ab'],
      [2, 'cd'],
    ])
  })

  test('of which the broker refuses one record is retried without it', async () => {
    world.topic()
    const producer = await world.connect({ compression: CompressionTypes.GZIP })
    const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'bad' }]
    world.onRecord('b', verdict(0, { errorCode: 87, recordErrors }))
    const messages = ['a', 'b', 'c'].map(value => ({ value, partition: 0 }))
    await expect(producer.send({ topic: TOPIC, messages })).rejects.toMatchObject({
      failed: [{ messageIndexes: [1] }],
    })
    expect(world.stored()).toEqual(['a', 'c'])
  })

  test('is sent again as it is: its checksum and its bytes are the same', async () => {
    world.topic()
    const producer = await world.connect({ compression: CompressionTypes.GZIP })
    world.onRecord('a', dropAfterApply)
    await producer.send({ topic: TOPIC, messages: [{ value: 'a', partition: 0 }] })
    const [first, second] = world.cluster.journal
      .of('Produce')
      .map(({ body }) => (body as { topicData: { partitionData: { records: Buffer }[] }[] }).topicData[0]!)
    expect(second!.partitionData[0]!.records.equals(first!.partitionData[0]!.records)).toBe(true)
    expect(world.stored()).toEqual(['a'])
  })

  test('does not share a batch with a call that asks for another codec, or none', async () => {
    world.topic()
    const producer = await world.connect({ compression: CompressionTypes.GZIP })
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((value, i) =>
        send(producer, value, 0, i === 2 ? { compression: CompressionTypes.None } : {}),
      ),
    )
    expect(world.stored()).toEqual(['a', 'b', 'c', 'd'])
    expect(world.sent().map(({ values }) => values.join(''))).toEqual(['ab', 'c', 'd'])
  })
})
