import { BufferFullError, PartitionNotFoundError, type ResilientProducer } from 'kafkajs-resilient-producer'
import { hold } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { turns, World } from '../support/world.js'

let world: World
afterEach(() => world.end())

/** Records are counted with some 22 bytes more. */
const BUFFER = 10_000
const text = (name: string, bytes: number): string => name.padEnd(bytes, '.')
const nameOf = (value: string): string => value.replaceAll('.', '')
const stored = (topic: string): string[] => world.stored(0, topic).map(nameOf)

const send = (producer: ResilientProducer, topic: string, name: string, bytes = 10) => {
  const sent = producer.send({ topic, messages: [{ value: text(name, bytes) }] })
  sent.catch(() => {})
  return sent
}

/** `late` is created once a gate opens, `never` is not, `here` exists and its records are held at the broker. */
const start = async (options = {}) => {
  const created = { gate: undefined as ReturnType<World['cluster']['gate']> | undefined }
  const { Gate } = await import('kafkajs-resilient-producer/testing')
  created.gate = new Gate()
  world = await World.withClock({
    autoCreate: { createdAfter: created.gate, never: topic => topic === 'never' },
  })
  world.topic({}, 'here')
  const producer = await world.connect({ bufferBytes: BUFFER, ...options })
  await send(producer, 'here', 'first')
  return { producer, appear: () => created.gate?.open() }
}

/** Fills the buffer with a record that is held at its broker. */
const occupy = async (producer: ResilientProducer, bytes: number) => {
  const gate = world.cluster.gate()
  world.onRecord(text('held', bytes), hold(gate))
  const held = send(producer, 'here', 'held', bytes)
  await gate.arrived
  return { held, leave: () => gate.open() }
}

describe('no call of a topic overtakes another', () => {
  test('where the share of missing topics is too small for the first and not for the second', async () => {
    const { producer, appear } = await start()
    const { leave } = await occupy(producer, 9000)
    const ahead = send(producer, 'never', 'ahead', 3000)
    const sends = [send(producer, 'late', 'large', 3000), send(producer, 'late', 'small')]
    leave()
    await turns(20)
    appear()
    await Promise.all(sends)
    expect(stored('late')).toEqual(['large', 'small'])
    await producer.disconnect({ timeoutMs: 0 })
    await expect(ahead).rejects.toThrow()
  })

  test('where the topic appears when there is space for the second only', async () => {
    const { producer, appear } = await start()
    const { leave } = await occupy(producer, 3000)
    const ahead = send(producer, 'never', 'ahead', 4900)
    const sends = [send(producer, 'late', 'large', 3000), send(producer, 'late', 'small')]
    appear()
    await world.cluster.journal.until(() => world.cluster.topics.includes('late'))
    await turns(50)
    leave()
    await Promise.all(sends)
    expect(stored('late')).toEqual(['large', 'small'])
    await producer.disconnect({ timeoutMs: 0 })
    await expect(ahead).rejects.toThrow()
  })

  test('where the failure of a parked record calls back, and the callback sends', async () => {
    const { producer, appear } = await start()
    let fromCallback: Promise<unknown> | undefined
    producer.enqueue('late', { value: 'wrong', partition: 7 }, error => {
      expect(error).toBeInstanceOf(PartitionNotFoundError)
      fromCallback = send(producer, 'late', 'third')
    })
    const sends = [send(producer, 'late', 'first'), send(producer, 'late', 'second')]
    appear()
    await Promise.all(sends)
    await fromCallback
    expect(stored('late')).toEqual(['first', 'second', 'third'])
  })

  test('where one is parked, the next wait for space, and others come when the topic is there', async () => {
    const { producer, appear } = await start()
    const { leave } = await occupy(producer, 6000)
    const names = ['a', 'b', 'c', 'd', 'e']
    const sends = names.map(name => send(producer, 'late', name, 1500))
    appear()
    await world.cluster.journal.until(() => world.cluster.topics.includes('late'))
    sends.push(send(producer, 'late', 'f'))
    await turns(20)
    sends.push(send(producer, 'late', 'g'))
    leave()
    await Promise.all(sends)
    expect(stored('late')).toEqual([...names, 'f', 'g'])
  })
})

describe('a missing topic', () => {
  test('holds up no other: beyond their share its records wait outside the buffer', async () => {
    const { producer } = await start()
    const waiting = Array.from({ length: 50 }, (_, i) => send(producer, 'never', `${i}`, 1000))
    const delivered = Array.from({ length: 20 }, (_, i) => send(producer, 'here', `here ${i}`, 1000))
    await Promise.all(delivered)
    expect(await world.metric(producer, 'buffered_bytes')).toBeLessThanOrEqual(BUFFER / 2)
    await producer.disconnect({ timeoutMs: 0 })
    for (const each of await Promise.allSettled(waiting)) expect(each.status).toBe('rejected')
  })

  test('that is given up and asked for again in one turn is waited for', async () => {
    const { producer, appear } = await start()
    const controller = new AbortController()
    const first = producer.send({
      topic: 'late',
      messages: [{ value: 'withdrawn' }],
      signal: controller.signal,
    })
    await turns()
    controller.abort(new Error('enough'))
    const second = send(producer, 'late', 'wanted')
    await expect(first).rejects.toMatchObject({ name: 'SendAbortedError', outcome: 'not-written' })
    appear()
    await second
    expect(stored('late')).toEqual(['wanted'])
  })

  test('whose records filled half of the buffer lets `ready` go when it fails', async () => {
    const { producer } = await start({ topics: { create: 'never', waitForMs: 20 } })
    let failed: Error | null = null
    producer.enqueue('never', { value: text('large', 6000) }, error => {
      failed = error
    })
    await producer.ready()
    await turns()
    expect(failed).toMatchObject({ name: 'UnknownTopicError' })
  })

  test('takes records by `enqueue` up to its share, and refuses the others: memory stays bounded', async () => {
    const { producer } = await start()
    const errors: unknown[] = []
    let warned = 0
    for (let i = 0; i < 100; i++) {
      const hasSpace = producer.enqueue('never', { value: text(`${i}`, 1000) }, error => errors.push(error))
      if (!hasSpace) warned ||= i
    }
    await turns()
    const refused = errors.filter(each => each instanceof BufferFullError).length
    expect(refused).toBeGreaterThanOrEqual(96)
    // `false` comes before the first refusal.
    expect(warned).toBe(100 - refused - 1)
    await producer.disconnect({ timeoutMs: 0 })
    expect(errors).toHaveLength(100)
  })
})

test('a caller may change its array and its messages while the call waits for its topic', async () => {
  const { producer, appear } = await start()
  const messages: { value: string }[] = [{ value: 'one' }, { value: 'two' }]
  const sent = producer.send({ topic: 'late', messages })
  await turns()
  messages[0]!.value = 'changed'
  messages.length = 0
  appear()
  await expect(sent).resolves.toHaveLength(1)
  expect(stored('late')).toEqual(['one', 'two'])
})
