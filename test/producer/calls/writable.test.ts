import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ResilientProducer, TopicMessage } from 'kafkajs-resilient-producer'
import { dropBeforeApply, errorCode, Gate, hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'

let world: World
let created: Gate
beforeEach(async () => {
  created = new Gate()
  world = await World.withClock({ autoCreate: { createdAfter: created } })
})
afterEach(() => world.end())

const BUFFER = 10_000
const INVALID_RECORD = 87
const value = (name: string | number, bytes: number) => `${name}`.padEnd(bytes, '.')
const stored = (topic = TOPIC) => world.stored(0, topic).map(each => each.replaceAll('.', ''))

/** A record of this size is in flight until the gate opens. */
const occupy = async (producer: ResilientProducer, bytes: number) => {
  const gate = world.cluster.gate()
  world.onRecord(value('held', bytes), hold(gate))
  const held = producer.send({ topic: TOPIC, messages: [{ value: value('held', bytes) }] })
  held.catch(() => {})
  await gate.arrived
  return { gate, held }
}

describe('writable', () => {
  const records = (count: number, bytes = 300): TopicMessage[] =>
    Array.from({ length: count }, (_, i) => ({ topic: TOPIC, value: value(i, bytes) }))

  test('takes a pipeline of many times the buffer, and finishes after its own acknowledgements', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await pipeline(Readable.from(records(300)), producer.writable())
    expect(stored()).toEqual(records(300).map((_, i) => `${i}`))
    expect(await world.metric(producer, 'buffered_records')).toBe(0)
  })

  test('waits for a topic that is not there yet, however much comes', async () => {
    const producer = await world.connect({ bufferBytes: BUFFER })
    const done = pipeline(Readable.from(records(100)), producer.writable())
    await turns(50)
    expect(await world.metric(producer, 'buffered_bytes')).toBeLessThanOrEqual(BUFFER / 2)
    created.open()
    await pass(1000)
    await done
    expect(stored()).toEqual(records(100).map((_, i) => `${i}`))
  })

  test('tells each record it took up what became of it, and is destroyed by a listener that throws', async () => {
    world.topic()
    const producer = await world.connect()
    const [first, second, third] = records(3) as [TopicMessage, TopicMessage, TopicMessage]
    world.onRecord(String(second.value), errorCode(INVALID_RECORD))
    const ended: unknown[] = []
    const stream = producer.writable({
      onError: () => {},
      onDelivery: (error, record, { offset }) => {
        ended.push([error?.name, record, offset])
        if (record === third) throw new Error('of the listener')
      },
    })
    const write = (record: TopicMessage) => new Promise(resolve => stream.write(record, resolve))
    for (const record of [first, second]) {
      await write(record)
      await producer.flush()
    }
    await write({ topic: TOPIC, value: 7 as never })
    const closed = new Promise(resolve => stream.once('error', resolve))
    await write(third)
    expect(await closed).toMatchObject({ message: 'of the listener' })
    expect(ended).toEqual([
      [undefined, first, '0'],
      ['RecordRejectedError', second, undefined],
      ['InvalidMessageError', { topic: TOPIC, value: 7 }, undefined],
      [undefined, third, '1'],
    ])
  })

  test('does not finish before the last record is acknowledged', async () => {
    world.topic()
    const producer = await world.connect()
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const gate = world.cluster.gate()
    world.onRecord('last', hold(gate))
    const stream = producer.writable()
    stream.end({ topic: TOPIC, value: 'last' })
    let finished = false
    stream.on('finish', () => {
      finished = true
    })
    await gate.arrived
    await turns(20)
    expect(finished).toBe(false)
    gate.open()
    await new Promise(resolve => stream.on('finish', resolve))
  })

  test('is destroyed by the failure of a record, and the source with it', async () => {
    world.topic()
    const producer = await world.connect()
    const input = records(10).map((record, i) => (i === 4 ? { ...record, partition: 9 } : record))
    const source = Readable.from(input)
    await expect(pipeline(source, producer.writable())).rejects.toMatchObject({
      name: 'PartitionNotFoundError',
    })
    expect(source.destroyed).toBe(true)
    await producer.flush()
  })

  test('goes on where onError takes it', async () => {
    world.topic()
    const producer = await world.connect()
    const failures: unknown[] = []
    const input: TopicMessage[] = records(10).map((record, i) =>
      i === 4 ? { ...record, partition: 9 } : i === 6 ? ({ topic: TOPIC } as TopicMessage) : record,
    )
    const stream = producer.writable({ onError: (error, record) => failures.push([error.name, record]) })
    await pipeline(Readable.from(input), stream)
    expect(failures).toEqual(
      [
        ['PartitionNotFoundError', input[4]],
        ['KafkaJSNonRetriableError', input[6]],
      ].sort((a, b) =>
        a[0] === 'KafkaJSNonRetriableError' ? -1 : b[0] === 'KafkaJSNonRetriableError' ? 1 : 0,
      ),
    )
    expect(stored()).toEqual(['0', '1', '2', '3', '5', '7', '8', '9'])
  })

  test('is destroyed when the producer disconnects while it is held back', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    world.onRecord(value(0, 300), hang)
    const done = pipeline(Readable.from(records(100)), producer.writable())
    done.catch(() => {})
    await world.cluster.journal.until(() => world.sent().length === 2)
    await turns(20)
    await producer.disconnect({ timeoutMs: 0 })
    await expect(done).rejects.toMatchObject({ name: 'ProducerClosedError' })
  })

  test('goes on when a send that was before it in line is withdrawn', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 4000)
    const controller = new AbortController()
    const large = producer.send({
      topic: TOPIC,
      messages: [{ value: value('large', 8000) }],
      signal: controller.signal,
    })
    large.catch(() => {})
    const stream = producer.writable()
    stream.write({ topic: TOPIC, value: 'a' })
    await turns()
    controller.abort(new Error('enough'))
    await turns()
    expect(await world.metric(producer, 'buffered_records')).toBe(2)
    gate.open()
    await new Promise<void>(resolve => stream.end(resolve))
    expect(stored()).toEqual(['first', 'held', 'a'])
  })

  test('delivers in order through lost connections', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    for (const at of [20, 21, 150]) world.onRecord(value(at, 300), dropBeforeApply)
    await pipeline(Readable.from(records(300)), producer.writable())
    expect(stored()).toEqual(records(300).map((_, i) => `${i}`))
  })

  test('that is destroyed while its record waits for room hands over nothing more', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate, held } = await occupy(producer, 6000)
    const told: (string | undefined)[] = []
    const stream = producer.writable({ onDelivery: error => told.push(error?.name) })
    stream.on('error', () => {})
    stream.write({ topic: TOPIC, value: value('never', 3900) })
    stream.destroy(new Error('the source failed'))
    await turns()
    gate.open()
    await held
    await producer.flush()
    expect(stored()).toEqual(['first', 'held'])
    expect(told).toEqual(['SendAbortedError'])
  })

  test('that waits for room longer than maxBlockMs goes on waiting', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER, maxBlockMs: 1000 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate, held } = await occupy(producer, 6000)
    const stream = producer.writable()
    stream.write({ topic: TOPIC, value: value('patient', 3900) })
    const impatient = producer.send({ topic: TOPIC, messages: [{ value: value('impatient', 3900) }] })
    impatient.catch(() => {})
    await pass(1500)
    await expect(impatient).rejects.toMatchObject({ name: 'BufferFullError' })
    gate.open()
    await held
    await new Promise<void>(resolve => stream.end(resolve))
    expect(stored()).toEqual(['first', 'held', 'patient'])
  })
})
