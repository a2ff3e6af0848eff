import { CompressionTypes } from 'kafkajs'
import { type ResilientProducer, SendAbortedError } from 'kafkajs-resilient-producer'
import { Gate, hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Batch } from '../../../src/delivery/batch/batch.js'
import { TOPIC, turns, World } from '../support/world.js'

let world: World
afterEach(async () => {
  vi.restoreAllMocks()
  await world.end()
})

/** A request is at the broker until the gate opens: what comes now is in no request. */
const occupied = async (options = {}) => {
  world = await World.start()
  world.topic()
  const producer = await world.confirmed(options)
  const gate = world.cluster.gate()
  world.onRecord('held 0', hold(gate))
  producer.send({ topic: TOPIC, messages: [{ value: 'held 0', partition: 0 }] }).catch(() => {})
  await gate.arrived
  // Behind the first, on the same connection: what comes now gathers.
  producer.send({ topic: TOPIC, messages: [{ value: 'held 1', partition: 0 }] }).catch(() => {})
  await turns()
  return { producer, open: () => gate.open() }
}

const abortable = (
  producer: ResilientProducer,
  values: readonly string[],
  signal: AbortSignal,
  topic = TOPIC,
) => {
  const sent = producer.send({ topic, signal, messages: values.map(value => ({ value, partition: 0 })) })
  sent.catch(() => {})
  return sent
}

const names = (count: number, prefix = '') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** Counts the records that are copied when withdrawn ones are taken out of their batches. */
const countCopies = () => {
  const copied = { records: 0, times: 0 }
  const drop = Batch.prototype.dropWithdrawn
  vi.spyOn(Batch.prototype, 'dropWithdrawn').mockImplementation(function (this: Batch, pool) {
    copied.times++
    copied.records += this.recordCount
    return drop.call(this, pool)
  })
  return copied
}

const isAborted = (end: PromiseSettledResult<unknown>): boolean =>
  end.status === 'rejected' && end.reason instanceof SendAbortedError

describe('aborts of single records in one batch', () => {
  test.each([1000, 4000])('%i of them copy each record a few times in all', async count => {
    // On a busy machine a batch is open for longer than it may be: closed, it would join the two requests, and its records could not be withdrawn.
    const { producer, open } = await occupied({ batchBytes: 10_000_000, maxInFlightPerBroker: 2 })
    const controllers = names(count).map(() => new AbortController())
    const all = controllers.map(({ signal }, i) => abortable(producer, [`${i}`], signal))
    await turns()
    const copied = countCopies()
    for (const [i, each] of controllers.entries()) if (i % 10 !== 0) each.abort(new Error('enough'))
    // At once, before anything is sent.
    const aborted = await Promise.allSettled(all.filter((_, i) => i % 10 !== 0))
    expect(aborted.filter(isAborted)).toHaveLength(count * 0.9)
    open()
    await Promise.all(all.filter((_, i) => i % 10 === 0))
    expect(world.stored().slice(3)).toEqual(names(count).filter((_, i) => i % 10 === 0))
    expect(copied.times).toBeLessThanOrEqual(Math.log2(count) + 2)
    expect(copied.records).toBeLessThan(count * 3)
  })

  test('all of them: the batch is not copied, and its place is free at once', async () => {
    const { producer, open } = await occupied()
    const controllers = names(500).map(() => new AbortController())
    const all = controllers.map(({ signal }, i) => abortable(producer, [`${i}`], signal))
    await turns()
    for (const each of controllers) each.abort()
    await Promise.allSettled(all)
    expect(await world.metric(producer, 'buffered_records')).toBe(2)
    expect(await world.metric(producer, 'records_failed_total')).toBe(500)
    open()
    await producer.flush()
    expect(world.stored()).toEqual(['first', 'held 0', 'held 1'])
  })

  test('make one error per call, and give only whole buffers back', async () => {
    const { producer, open } = await occupied()
    const controller = new AbortController()
    const made = vi.spyOn(Error, 'captureStackTrace')
    const sent = abortable(producer, names(100), controller.signal)
    await turns()
    const before = made.mock.calls.length
    controller.abort(new Error('enough'))
    await sent.catch(() => {})
    expect(made.mock.calls.length - before).toBeLessThanOrEqual(2)
    open()
    await producer.flush()
  })
})

describe('an abort', () => {
  test('of several records between those of others leaves them in order, and what comes later behind them', async () => {
    const { producer, open } = await occupied()
    const controllers = [new AbortController(), new AbortController()]
    const kept: Promise<unknown>[] = []
    for (let i = 0; i < 4; i++) {
      kept.push(
        producer.send({
          topic: TOPIC,
          messages: names(3, `kept ${i} `).map(value => ({ value, partition: 0 })),
        }),
      )
      abortable(producer, names(5, `gone ${i} `), controllers[i % 2]!.signal)
    }
    await turns()
    controllers[0]!.abort()
    kept.push(producer.send({ topic: TOPIC, messages: [{ value: 'between', partition: 0 }] }))
    controllers[1]!.abort()
    kept.push(producer.send({ topic: TOPIC, messages: [{ value: 'behind', partition: 0 }] }))
    open()
    await Promise.all(kept)
    const expected = [0, 1, 2, 3].flatMap(i => names(3, `kept ${i} `))
    expect(world.stored().slice(3)).toEqual([...expected, 'between', 'behind'])
    expect(world.sent().map(({ epoch }) => epoch)).toEqual(world.sent().map(() => 0))
  })

  test('in the turn in which its records run out of time ends each once', async () => {
    world = await World.withClock({ autoCreate: { createdAfter: new Gate() } })
    world.topic()
    const producer = await world.confirmed({ deliveryTimeoutMs: 1000, maxBlockMs: 1000 })
    world.cluster.moveLeader(TOPIC, 0, -1)
    await turns()
    const controller = new AbortController()
    const outcomes: string[] = []
    const note = (sent: Promise<unknown>) =>
      sent.then(
        () => outcomes.push('ok'),
        error => outcomes.push(error.name),
      )
    // The abort is another call's failure, in the same turn.
    note(
      producer.send({ topic: TOPIC, messages: [{ value: 'a', partition: 0 }] }).catch(error => {
        controller.abort()
        throw error
      }),
    )
    note(abortable(producer, ['b', 'c'], controller.signal))
    note(abortable(producer, names(3), controller.signal, 'missing'))
    await vi.advanceTimersByTimeAsync(1001)
    await turns()
    expect(outcomes).toHaveLength(3)
    expect(outcomes[0]).toBe('DeliveryTimeoutError')
    expect(await world.metric(producer, 'records_failed_total')).toBe(6)
  })

  test('of a call with records in flight, in an open batch, waiting for space and for a topic', async () => {
    const { producer, open } = await occupied({ bufferBytes: 6000, batchBytes: 1500 })
    const controller = new AbortController()
    const messages = names(30).map(i => ({ value: i.padEnd(300, '.'), partition: 0 }))
    const sent = producer.sendBatch({
      signal: controller.signal,
      topicMessages: [
        { topic: TOPIC, messages },
        { topic: 'missing', messages },
      ],
    } as never)
    sent.catch(() => {})
    await turns()
    controller.abort()
    open()
    const error = await sent.then(
      () => undefined,
      (each: Error & { failed?: { topic: string; messageIndexes: number[] }[] }) => each,
    )
    const failed = error?.failed ?? []
    const indexes = failed.flatMap(({ topic, messageIndexes }) =>
      messageIndexes.map(index => `${topic} ${index}`),
    )
    const ended = error?.name === 'SendAbortedError' ? 60 : indexes.length + world.stored().length - 3
    expect(new Set(indexes).size).toBe(indexes.length)
    expect(ended).toBe(60)
    await producer.flush()
  })

  test('while a batch is compressed takes its records out', async () => {
    const { producer, open } = await occupied({ compression: CompressionTypes.GZIP })
    const controller = new AbortController()
    const kept = names(50, 'kept ').map(value =>
      producer.send({ topic: TOPIC, messages: [{ value, partition: 0 }] }),
    )
    const gone = abortable(producer, names(10, 'gone '), controller.signal)
    void producer.flush()
    open()
    controller.abort()
    await Promise.all(kept)
    const outcome = await gone.then(
      () => 'written',
      error => error.name,
    )
    expect(world.stored().filter(each => each.startsWith('gone'))).toHaveLength(
      outcome === 'written' ? 10 : 0,
    )
    expect(world.stored().filter(each => each.startsWith('kept'))).toEqual(names(50, 'kept '))
  })

  test('by a partitioner in the midst of its own call ends that call alone', async () => {
    world = await World.start({ autoCreate: { createdAfter: 1 } })
    const controller = new AbortController()
    let calls = 0
    const producer = await world.connect({
      createPartitioner: () => () => {
        if (++calls === 2) controller.abort(new Error('stop'))
        return 0
      },
    })
    const outcome = (sent: Promise<unknown>) =>
      sent.then(
        () => 'ok',
        error => error.name,
      )
    const aborted = outcome(abortable(producer, names(5), controller.signal, 'new'))
    const behind = outcome(producer.send({ topic: 'new', messages: [{ value: 'behind' }] }))
    expect(await behind).toBe('ok')
    expect(['SendError', 'SendAbortedError', 'ok']).toContain(await aborted)
    expect(await outcome(producer.send({ topic: 'new', messages: [{ value: 'later' }] }))).toBe('ok')
    // And of a topic that is there.
    const second = new AbortController()
    calls = -1000
    const again = outcome(
      producer.send({ topic: 'new', signal: second.signal, messages: names(5).map(value => ({ value })) }),
    )
    second.abort()
    await again
    await producer.flush()
    expect(await world.metric(producer, 'buffered_bytes')).toBe(0)
  })
})
