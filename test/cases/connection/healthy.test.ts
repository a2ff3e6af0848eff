import { changed, hang, holdAnswer, throttle } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { makeProducer, send, startCluster, values } from './support.js'

const block = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('a write with acks 0 is no answer: a request beside it is given up in its time', async () => {
  const cluster = await startCluster()
  for (const topic of ['events', 'noise']) cluster.createTopic(topic)
  const producer = makeProducer(cluster.bootstrap, { requestTimeoutMs: 300, ackTimeoutMs: 1 })
  await producer.connect()
  await send(producer, 'events', 'warm')
  await send(producer, 'noise', 'warm', { acks: 0 })
  cluster.on('Produce', hang)
  let isSent = false
  const sent = send(producer, 'events', 'x').then(() => {
    isSent = true
  })
  while (!isSent) {
    await send(producer, 'noise', 'n', { acks: 0 }).catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  await sent
})

test('a topic is found while the creation of another one is throttled', async () => {
  const cluster = await startCluster()
  cluster.createTopic('existing')
  const producer = makeProducer(cluster.bootstrap, { topics: { create: 'admin' } })
  await producer.connect()
  cluster.on('CreateTopics', throttle(600_000))
  await send(producer, 'made', 'x')
  await send(producer, 'existing', 'x')
})

test('a throttle is not silence: what was sent before it is answered on the same connection', async () => {
  const cluster = await startCluster()
  for (const topic of ['a', 'b']) cluster.createTopic(topic)
  const producer = makeProducer(cluster.bootstrap, { requestTimeoutMs: 200, ackTimeoutMs: 1 })
  await producer.connect()
  for (const topic of ['a', 'b']) await send(producer, topic, 'warm')
  const before = cluster.journal.of('Produce').length
  const gate = cluster.gate()
  cluster.on('Produce', async (request, next) => {
    await gate.wait(request.stopped)
    return throttle(700)(request, next)
  })
  const one = send(producer, 'a', '1')
  await gate.arrived
  const two = send(producer, 'b', '2')
  gate.open()
  await Promise.all([one, two])
  const produces = cluster.journal.of('Produce').slice(before)
  expect(produces).toHaveLength(2)
  expect(new Set(produces.map(({ connectionId }) => connectionId)).size).toBe(1)
})

test('a partition that moves doubles none of those that stay with a slow broker', async () => {
  const cluster = await startCluster({ brokers: 2 })
  for (const topic of ['moves', 'stays'])
    cluster.createTopic(topic, { partitions: 1, replicationFactor: 2, leaders: [0] })
  const producer = makeProducer(cluster.bootstrap, { idempotent: false })
  await producer.connect()
  for (const topic of ['moves', 'stays']) await send(producer, topic, 'warm')
  const gate = cluster.gate()
  cluster.on('Produce', holdAnswer(gate))
  const sent = Promise.all(['moves', 'stays'].map(topic => send(producer, topic, 'x')))
  await gate.arrived
  const asked = new Promise<void>(resolve => {
    // Silent for a second, the broker is asked on another connection whether it lives.
    cluster.on(
      'ApiVersions',
      (_request, next) => {
        setImmediate(resolve)
        return next()
      },
      { times: Infinity, node: 0 },
    )
  })
  cluster.moveLeader('moves', 0, 1)
  await asked
  gate.open()
  await sent
  expect(values(cluster, 'stays')).toEqual(['warm', 'x'])
})

test.each([undefined, false])(
  'metadata that lacks a broker cuts nothing of it (idempotent: %s)',
  async idempotent => {
    const cluster = await startCluster({ brokers: 2 })
    cluster.createTopic('events', { partitions: 1, leaders: [1] })
    cluster.createTopic('other', { partitions: 1, leaders: [0] })
    const producer = makeProducer(cluster.bootstrap, { idempotent })
    await producer.connect()
    await send(producer, 'events', 'warm')
    const gate = cluster.gate()
    cluster.on('Produce', holdAnswer(gate))
    const sent = send(producer, 'events', 'x')
    await gate.arrived
    cluster.on(
      'Metadata',
      changed(response => ({ ...response, brokers: response.brokers.filter(({ nodeId }) => nodeId !== 1) })),
    )
    await send(producer, 'other', 'y')
    gate.open()
    await sent
    const produces = cluster.journal.of('Produce').filter(({ topics }) => topics?.includes('events'))
    expect(produces).toHaveLength(2)
    expect(new Set(produces.map(({ connectionId }) => connectionId)).size).toBe(1)
  },
)

test.each([
  ['the time of a request', { idempotent: false, requestTimeoutMs: 300, ackTimeoutMs: 1 }],
  ['the delivery time', { deliveryTimeoutMs: 300 }],
])('after a stall of the event loop sockets are read before %s is judged', async (_, options) => {
  const cluster = await startCluster()
  cluster.createTopic('events')
  const producer = makeProducer(cluster.bootstrap, options)
  await producer.connect()
  await send(producer, 'events', 'warm')
  cluster.on('Produce', async (_request, next) => {
    const response = await next()
    // The answer is written in this turn; then nothing happens for longer than the limit.
    setImmediate(() => block(900))
    return response
  })
  await send(producer, 'events', 'x')
  expect(values(cluster, 'events')).toEqual(['warm', 'x'])
})

test('a paused broker holds up the first record of no topic that others lead', async () => {
  const cluster = await startCluster({ brokers: 3 })
  for (let i = 0; i < 8; i++) cluster.createTopic(`t${i}`, { partitions: 1, leaders: [i % 2] })
  // Waiting for the paused one's answer would outlast the test.
  const producer = makeProducer(cluster.bootstrap, { metadataRequestTimeoutMs: 600_000 })
  await producer.connect()
  cluster.pauseBroker(2)
  for (let i = 0; i < 8; i++) await send(producer, `t${i}`, 'x')
  cluster.resumeBroker(2)
})
