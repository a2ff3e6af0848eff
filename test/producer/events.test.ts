import type { RequestEvent } from 'kafkajs'
import { hang, throttle } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.withClock()
})
afterEach(() => world.end())

const message = (value: string) => ({ value, partition: 0 })

describe('the events', () => {
  test('have kafkajs’s names and shape, and ids that rise', async () => {
    const producer = world.producer()
    const seen: object[] = []
    producer.on(producer.events.CONNECT, event => seen.push(event))
    producer.on(producer.events.DISCONNECT, event => seen.push(event))
    await producer.connect()
    await producer.disconnect()
    const shape = (type: string) => ({
      id: expect.any(Number),
      type,
      timestamp: expect.any(Number),
      payload: undefined,
    })
    expect(seen).toEqual([shape('producer.connect'), shape('producer.disconnect')])
    const [first, second] = seen as { id: number }[]
    expect(second!.id).toBeGreaterThan(first!.id)
  })

  test('tell a request that was not answered in time', async () => {
    world.topic()
    const producer = await world.confirmed({ requestTimeoutMs: 5000, ackTimeoutMs: 1000 })
    const timeouts: Record<string, unknown>[] = []
    producer.on(producer.events.REQUEST_TIMEOUT, ({ payload }) => timeouts.push({ ...payload }))
    world.onRecord('late', hang)
    const sent = producer.send({ topic: TOPIC, messages: [message('late')] })
    await world.cluster.journal.until(() => world.sent().some(({ values }) => values.includes('late')))
    await pass(6000)
    await sent
    expect(timeouts).toEqual([
      {
        broker: world.cluster.bootstrap[0],
        clientId: 'under-test',
        correlationId: expect.any(Number),
        createdAt: expect.any(Number),
        sentAt: expect.any(Number),
        pendingDuration: expect.any(Number),
        apiName: 'Produce',
        apiKey: 0,
        apiVersion: expect.any(Number),
      },
    ])
  })

  test('tell how many requests are held back while a broker asks for that', async () => {
    world.topic()
    world.topic({}, 'second')
    world.topic({}, 'other')
    const producer = await world.connect()
    const sizes: object[] = []
    producer.on(producer.events.REQUEST_QUEUE_SIZE, ({ payload }) => sizes.push(payload))
    // On both connections for such requests: while one is free it is taken.
    world.cluster.on('Metadata', throttle(1000), { times: 2 })
    await producer.send({ topic: TOPIC, messages: [message('a')] })
    await producer.send({ topic: 'second', messages: [message('a')] })
    const asked = world.cluster.journal.of('Metadata').length
    const held = producer.send({ topic: 'other', messages: [message('b')] })
    await turns(20)
    expect(world.cluster.journal.of('Metadata')).toHaveLength(asked)
    await pass(1000)
    await held
    const size = (queueSize: number) => ({
      broker: world.cluster.bootstrap[0],
      clientId: 'under-test',
      queueSize,
    })
    expect(sizes).toEqual([size(1), size(0)])
  })

  test('stop with the remover, which ends its own listener only', async () => {
    world.topic()
    const producer = world.producer()
    const seen: string[] = []
    const listener = ({ payload }: RequestEvent) => seen.push(payload.apiName)
    const remove = producer.on(producer.events.REQUEST, listener)
    const removeAgain = producer.on(producer.events.REQUEST, listener)
    await producer.connect()
    const twice = seen.filter(name => name === 'Metadata').length
    expect(twice).toBe(2)
    remove()
    remove()
    seen.length = 0
    await producer.send({ topic: TOPIC, messages: [message('a')] })
    expect(seen.filter(name => name === 'Produce')).toHaveLength(1)
    removeAgain()
    seen.length = 0
    await producer.send({ topic: TOPIC, messages: [message('b')] })
    expect(seen).toEqual([])
  })

  test('reach the others where a listener throws or rejects, and the log', async () => {
    const producer = world.producer()
    const seen: string[] = []
    producer.on(producer.events.CONNECT, () => {
      throw new Error('thrown')
    })
    producer.on(producer.events.CONNECT, async () => {
      throw new Error('rejected')
    })
    producer.on(producer.events.CONNECT, ({ type }) => seen.push(type))
    await producer.connect()
    await turns()
    expect(seen).toEqual(['producer.connect'])
    const errors = world.log.filter(({ level }) => level === 'ERROR')
    expect(errors.map(each => each.message)).toEqual([
      'Failed to execute listener: thrown',
      'Failed to execute listener: rejected',
    ])
    // What every other test must not leave behind.
    world.log.length = 0
  })
})
