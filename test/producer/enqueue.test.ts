import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BufferFullError, type ResilientProducer, type TopicMessage } from 'kafkajs-resilient-producer'
import { dropBeforeApply, ERROR, errorCode, Gate, hang, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../delivery/support/world.js'

let world: World
let created: Gate
beforeEach(async () => {
  created = new Gate()
  world = await World.withClock({ autoCreate: { createdAfter: created } })
})
afterEach(() => world.end())

const BUFFER = 10_000
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
const settled = (promise: Promise<unknown>) => {
  const seen = { done: false }
  promise.then(
    () => {
      seen.done = true
    },
    () => {
      seen.done = true
    },
  )
  return seen
}

describe('enqueue', () => {
  test('tells each record its place, in order', async () => {
    world.topic()
    const producer = await world.connect()
    const seen: unknown[] = []
    for (const name of ['a', 'b', 'c'])
      producer.enqueue(TOPIC, { value: name }, (error, place) => seen.push([name, error, place]))
    await producer.flush()
    expect(seen).toEqual([
      ['a', null, { topic: TOPIC, partition: 0, offset: '0' }],
      ['b', null, { topic: TOPIC, partition: 0, offset: '1' }],
      ['c', null, { topic: TOPIC, partition: 0, offset: '2' }],
    ])
  })

  test('tells a failure to the callback, else to onDeliveryError, else to the log', async () => {
    world.topic()
    const failures: unknown[] = []
    const producer = await world.confirmed({
      onDeliveryError: (error, place) => failures.push([error.name, place]),
    })
    for (const name of ['x', 'y']) world.onRecord(name, errorCode(ERROR.INVALID_RECORD))
    const called: unknown[] = []
    producer.enqueue(TOPIC, { value: 'x' }, error => called.push(error?.name))
    await producer.flush()
    producer.enqueue(TOPIC, { value: 'y' })
    producer.enqueue(TOPIC, { value: 'same batch' })
    await producer.flush()
    expect(called).toEqual(['RecordRejectedError'])
    expect(failures).toEqual([
      ['RecordRejectedError', { topic: TOPIC, partition: 0 }],
      ['RecordRejectedError', { topic: TOPIC, partition: 0 }],
    ])
  })

  test('goes on when a callback throws', async () => {
    world.topic()
    const producer = await world.connect({
      onDeliveryError: () => {
        throw new Error('in onDeliveryError')
      },
    })
    const seen: string[] = []
    producer.enqueue(TOPIC, { value: 'a' }, () => {
      throw new Error('in onDelivery')
    })
    producer.enqueue(TOPIC, { value: 'b' }, () => seen.push('b'))
    await producer.flush()
    producer.enqueue(TOPIC, { value: 'c', partition: 7 })
    world.onRecord('d', errorCode(ERROR.INVALID_RECORD))
    producer.enqueue(TOPIC, { value: 'd' })
    await producer.flush()
    expect(seen).toEqual(['b'])
    const errors = world.log.filter(({ level }) => level === 'ERROR').map(({ message }) => message)
    expect(errors).toEqual([
      expect.stringContaining('in onDelivery'),
      expect.stringContaining('in onDeliveryError'),
      expect.stringContaining('in onDeliveryError'),
    ])
    world.log.length = 0
  })

  test('refuses bad input at once', async () => {
    world.topic()
    const producer = await world.connect()
    expect(() => producer.enqueue('', { value: 'a' })).toThrow('Invalid topic')
    expect(() => producer.enqueue('no good', { value: 'a' })).toThrow(/topic/)
    expect(() => producer.enqueue(TOPIC, {} as never)).toThrow(/value/)
    expect(() => producer.enqueue(TOPIC, { value: 'a' }, 5 as never)).toThrow(/onDelivery must be/)
    expect(() => producer.enqueue(TOPIC, { value: 'x'.repeat(70_000_000) })).toThrow(/too large/)
  })

  test('answers false from 80 % on, and ends a record that does not fit', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 5000)
    const errors: (Error | null)[] = []
    const note = (error: Error | null) => errors.push(error)
    expect(producer.enqueue(TOPIC, { value: value('a', 2500) }, note)).toBe(true)
    expect(producer.enqueue(TOPIC, { value: value('b', 800) }, note)).toBe(false)
    expect(producer.enqueue(TOPIC, { value: value('c', 1000) }, note)).toBe(false)
    expect(producer.enqueue(TOPIC, { value: value('too much', 1000) }, note)).toBe(false)
    await turns()
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(BufferFullError)
    expect(errors[0]).toMatchObject({ outcome: 'not-written', topic: TOPIC })
    gate.open()
    await producer.flush()
    expect(stored()).toEqual(['first', 'held', 'a', 'b', 'c'])
  })
})

describe('ready', () => {
  test('resolves below 50 %', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER, batchRecords: 1 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    await producer.ready()
    const { gate } = await occupy(producer, 3000)
    const second = world.cluster.gate()
    world.onRecord(value('a', 4000), hold(second))
    producer.enqueue(TOPIC, { value: value('a', 4000) })
    producer.enqueue(TOPIC, { value: value('b', 2000) })
    const ready = settled(producer.ready())
    await turns(20)
    expect(ready.done).toBe(false)
    gate.open()
    await second.arrived
    await turns(20)
    expect(ready.done).toBe(false)
    second.open()
    await producer.flush()
    expect(ready.done).toBe(true)
  })

  test('rejects when the producer is disconnected', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    await occupy(producer, 6000)
    const ready = producer.ready()
    ready.catch(() => {})
    await producer.disconnect({ timeoutMs: 0 })
    await expect(ready).rejects.toMatchObject({ name: 'ProducerClosedError' })
    world.forgetRules()
  })

  test('lets a loop of enqueue and ready deliver many times the buffer, each record once', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    const failed: unknown[] = []
    for (let i = 0; i < 300; i++) {
      const fits = producer.enqueue(TOPIC, { value: value(i, 300) }, error => error && failed.push(error))
      if (!fits) await producer.ready()
      if (i === 0) created.open()
    }
    await producer.flush()
    expect(failed).toEqual([])
    expect(stored()).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`))
  })
})

describe('send past the buffer', () => {
  test('waits in order, over all topics, and is let in as space comes free', async () => {
    world.topic()
    world.topic({}, 'other')
    const producer = await world.connect({ bufferBytes: BUFFER })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 8000)
    const order: string[] = []
    const sends = ['large', 'a', 'b', 'c'].map((name, i) =>
      producer
        .send({
          topic: i % 2 ? 'other' : TOPIC,
          messages: [{ value: value(name, name === 'large' ? 5000 : 100) }],
        })
        .then(() => order.push(name)),
    )
    await turns(20)
    // Small ones that would fit do not pass the large one.
    expect(order).toEqual([])
    gate.open()
    await Promise.all(sends)
    expect(stored()).toEqual(['first', 'held', 'large', 'b'])
    expect(stored('other')).toEqual(['a', 'c'])
  })

  test('ends with BufferFullError after maxBlockMs; the others keep their places', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER, maxBlockMs: 5000 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate, held } = await occupy(producer, 8000)
    const early = producer.send({ topic: TOPIC, messages: [{ value: value('early', 5000) }] })
    early.catch(() => {})
    await pass(3000)
    const late = producer.send({ topic: TOPIC, messages: [{ value: value('late', 5000) }] })
    await pass(2000)
    await expect(early).rejects.toMatchObject({
      name: 'BufferFullError',
      outcome: 'not-written',
      topic: TOPIC,
    })
    gate.open()
    await Promise.all([held, late])
    expect(stored()).toEqual(['first', 'held', 'late'])
  })

  test('of a call that fits in part: what is in stays in, the rest fails with its indexes', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER, maxBlockMs: 5000 })
    await producer.send({ topic: TOPIC, messages: [{ value: 'first' }] })
    const { gate } = await occupy(producer, 4000)
    const messages = ['a', 'b', 'c', 'd'].map(name => ({ value: value(name, 2500) }))
    const sent = producer.send({ topic: TOPIC, messages })
    sent.catch(() => {})
    await pass(5000)
    gate.open()
    await expect(sent).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [{ topicName: TOPIC, baseOffset: '2' }],
      failed: [{ topic: TOPIC, partition: -1, messageIndexes: [2, 3], error: { name: 'BufferFullError' } }],
    })
    expect(stored()).toEqual(['first', 'held', 'a', 'b'])
  })

  test('of a call for a missing topic that fits its share in part: the same once the topic is there', async () => {
    const producer = await world.connect({ bufferBytes: BUFFER, maxBlockMs: 5000 })
    const messages = ['a', 'b', 'c'].map(name => ({ value: value(name, 2000) }))
    const sent = producer.send({ topic: 'missing', messages })
    sent.catch(() => {})
    await turns()
    await pass(5000)
    created.open()
    await pass(1000)
    await expect(sent).rejects.toMatchObject({
      name: 'SendError',
      acknowledged: [{ topicName: 'missing', baseOffset: '0' }],
      failed: [{ messageIndexes: [2], error: { name: 'BufferFullError' } }],
    })
    expect(stored('missing')).toEqual(['a', 'b'])
  })

  test('keeps the order of a call that is let in piece by piece', async () => {
    world.topic()
    const producer = await world.connect({ bufferBytes: BUFFER })
    const messages = Array.from({ length: 100 }, (_, i) => ({ value: value(i, 900) }))
    const [result] = await producer.send({ topic: TOPIC, messages })
    expect(result).toMatchObject({ baseOffset: '0', partition: 0 })
    expect(stored()).toEqual(messages.map((_, i) => `${i}`))
  })
})

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
})
