import { expect, test } from 'vitest'
import { createTopicsApi } from '../../../src/protocol/messages/createTopics.js'
import { metadataApi } from '../../../src/protocol/messages/metadata.js'
import { produceApi } from '../../../src/protocol/messages/produce.js'
import { metadataAnswer } from '../fakeBroker.js'
import { answerMetadata, askMetadata, at, openTransport, recordExchange, startBroker } from '../harness.js'

test('a control request carries header, body and the highest common version, and gives the decoded answer', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const asked = transport.control(
    metadataApi,
    version => ({ topics: [{ name: `v${version}` }], allowAutoTopicCreation: true }),
    { target: { anyBut: undefined }, timeoutMs: 20_000 },
  )
  const request = await broker.next(metadataApi)
  expect(request.version).toBe(12)
  expect(request.clientId).toBe('the-client')
  expect(request.rest[0]).toBe(0)
  expect(request.rest.toString('latin1')).toContain('v12')
  request.answer(metadataApi, metadataAnswer([{ nodeId: 7, port: broker.port }]))
  const answer = await asked
  expect(answer.version).toBe(12)
  expect(answer.nodeId).toBe(-1)
  expect(answer.response.brokers).toEqual([{ nodeId: 7, host: '127.0.0.1', port: broker.port, rack: null }])
})

test('once metadata is set the seed connection is that broker and has its id', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const first = askMetadata(transport)
  await answerMetadata(broker)
  await first
  transport.setBrokers([at(7, broker)])
  const second = askMetadata(transport, { node: 7 })
  await answerMetadata(broker)
  expect((await second).nodeId).toBe(7)
  expect(broker.connections).toHaveLength(1)
})

test('versions are negotiated with each broker for itself', async () => {
  const old = await startBroker({ versions: { 3: [0, 6], 18: [0, 2] } })
  const recent = await startBroker({ versions: { 3: [0, 13], 18: [0, 2] } })
  const { transport } = openTransport([old.address])
  transport.setBrokers([at(1, old), at(2, recent)])
  const asked = [askMetadata(transport, { node: 1 }), askMetadata(transport, { node: 2 })]
  const [ofOld, ofRecent] = [await answerMetadata(old), await answerMetadata(recent)]
  expect([ofOld.version, ofRecent.version]).toEqual([6, 13])
  // Not flexible: the array of topics follows the client id at once.
  expect(ofOld.rest.readInt32BE(0)).toBe(0)
  await Promise.all(asked)
})

test('a version above the one asked for is not used', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const asked = transport.control(
    metadataApi,
    () => ({ topics: [] }),
    { target: { anyBut: undefined }, timeoutMs: 20_000 },
    8,
  )
  expect((await answerMetadata(broker)).version).toBe(8)
  expect((await asked).version).toBe(8)
})

test('an API that the broker lacks is a typed error, and the connection goes on', async () => {
  const broker = await startBroker({ versions: { 3: [0, 12], 18: [0, 2] } })
  const { transport } = openTransport([broker.address])
  const refused = transport.control(createTopicsApi, () => ({ topics: [], timeoutMs: 1 }), {
    target: { anyBut: undefined },
    timeoutMs: 20_000,
  })
  await expect(refused).rejects.toMatchObject({
    name: 'UnsupportedApiError',
    retriable: false,
    apiKey: 19,
    apiName: 'CreateTopics',
  })
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
  expect(broker.connections).toHaveLength(1)
})

test('what `body` throws reaches the caller, and the connection goes on', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const own = new Error('cannot be said in this version')
  const failed = transport.control(
    metadataApi,
    () => {
      throw own
    },
    { target: { anyBut: undefined }, timeoutMs: 20_000 },
  )
  await expect(failed).rejects.toBe(own)
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
  expect(broker.connections).toHaveLength(1)
})

test('control requests do not travel on the produce connection', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  const { exchange, ended } = recordExchange([])
  link.produce(link.produceVersion, [Buffer.from('unanswered')], -1, exchange)
  const produced = await broker.next(produceApi)
  const asked = askMetadata(transport, { node: 0 })
  const request = await answerMetadata(broker)
  await asked
  expect(request.connection).not.toBe(produced.connection)
  link.destroy(new Error('end of test'))
  await ended
})

test('each control connection carries one request at a time, and a slow one does not hold up the next', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const slow = transport.control(createTopicsApi, () => ({ topics: [], timeoutMs: 1 }), {
    target: { anyBut: undefined },
    timeoutMs: 20_000,
  })
  const creation = await broker.next(createTopicsApi)
  const second = askMetadata(transport)
  const third = askMetadata(transport)
  const ofSecond = await broker.next(metadataApi)
  expect(ofSecond.connection).not.toBe(creation.connection)
  expect(broker.untaken).toEqual([])
  ofSecond.answer(metadataApi, metadataAnswer())
  await second
  const ofThird = await broker.next(metadataApi)
  expect(ofThird.connection).toBe(ofSecond.connection)
  ofThird.answer(metadataApi, metadataAnswer())
  await third
  creation.answer(createTopicsApi, { topics: [] })
  await slow
  expect(broker.connections).toHaveLength(2)
})

test('requests that ask for a connection together share the attempt to open it', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const asked = [askMetadata(transport, { node: 0 }), askMetadata(transport, { node: 0 })]
  const handshake = await broker.next({ key: 18 })
  expect(broker.connections).toHaveLength(1)
  handshake.connection.socket.destroy()
  const [first, second] = await Promise.allSettled(asked)
  expect(first).toMatchObject({ reason: { name: expect.stringMatching(/^KafkaJSConnection/) } })
  expect((second as PromiseRejectedResult).reason).toBe((first as PromiseRejectedResult).reason)
  expect(broker.connections).toHaveLength(1)
})

test('a request without an answer ends by its own deadline, and its connection with it', async () => {
  const broker = await startBroker()
  const { transport, events } = openTransport([broker.address])
  const asked = askMetadata(transport, { anyBut: undefined }, 60)
  const rejected = expect(asked).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
    retriable: true,
    broker: broker.address,
    correlationId: 1,
    sentAt: expect.any(Number),
  })
  const request = await broker.next(metadataApi)
  await rejected
  await request.connection.closed
  expect(events.filter(({ name }) => name === 'network.request_timeout')).toMatchObject([
    { payload: { broker: broker.address, correlationId: 1, apiName: 'Metadata', apiKey: 3, apiVersion: 12 } },
  ])
  const again = askMetadata(transport)
  expect((await answerMetadata(broker)).connection.id).toBe(2)
  await again
})

test('a throttled connection is not lent; where every one is throttled, a request waits unsent until its time is up', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const first = askMetadata(transport)
  const onFirst = await broker.next(metadataApi)
  onFirst.answer(metadataApi, { ...metadataAnswer(), throttleTimeMs: 3_600_000 })
  await first
  const second = askMetadata(transport)
  const onSecond = await broker.next(metadataApi)
  expect(onSecond.connection).not.toBe(onFirst.connection)
  onSecond.answer(metadataApi, { ...metadataAnswer(), throttleTimeMs: 3_600_000 })
  await second
  await expect(askMetadata(transport, { anyBut: undefined }, 40)).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
  })
  expect(broker.untaken).toEqual([])
  expect(broker.connections.map(({ socket }) => socket.destroyed)).toEqual([false, false])
})

test('a throttle that has passed lets the request go', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  for (let i = 0; i < 2; i++) {
    const throttled = askMetadata(transport)
    ;(await broker.next(metadataApi)).answer(metadataApi, { ...metadataAnswer(), throttleTimeMs: 50 })
    await throttled
  }
  const third = askMetadata(transport)
  await answerMetadata(broker)
  await third
  expect(broker.connections).toHaveLength(2)
})

test('a throttle of days is told once', async () => {
  const broker = await startBroker()
  const { transport, lines } = openTransport([broker.address])
  const asked = askMetadata(transport)
  ;(await broker.next(metadataApi)).answer(metadataApi, { ...metadataAnswer(), throttleTimeMs: 2 ** 31 - 1 })
  await asked
  expect(lines.filter(({ level }) => level < 5)).toMatchObject([
    { level: 2, message: expect.stringContaining('2147484 s') },
  ])
})

test('a connection that the broker closes while idle is replaced, without a line above debug', async () => {
  const broker = await startBroker()
  const { transport, lines } = openTransport([broker.address])
  const first = askMetadata(transport)
  const request = await answerMetadata(broker)
  await first
  request.connection.socket.end()
  await request.connection.closed
  const second = askMetadata(transport)
  expect((await answerMetadata(broker)).connection.id).toBe(2)
  await second
  expect(lines.filter(({ level }) => level < 5)).toEqual([])
})

test('half a response before the connection closes does not spoil the next connection', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const first = askMetadata(transport)
  const request = await broker.next(metadataApi)
  request.connection.socket.end(request.frame(Buffer.alloc(100)).subarray(0, 50))
  await expect(first).rejects.toMatchObject({ name: 'KafkaJSConnectionError', retriable: true })
  const second = askMetadata(transport)
  expect((await answerMetadata(broker)).connection.id).toBe(2)
  await second
})

test('network.request says what kafkajs says', async () => {
  const broker = await startBroker()
  const { transport, events } = openTransport([broker.address])
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
  expect(events).toMatchObject([
    { name: 'network.request', payload: { apiName: 'ApiVersions', correlationId: 0 } },
    {
      name: 'network.request',
      payload: {
        broker: broker.address,
        clientId: 'the-client',
        correlationId: 1,
        size: expect.any(Number),
        createdAt: expect.any(Number),
        sentAt: expect.any(Number),
        pendingDuration: expect.any(Number),
        duration: expect.any(Number),
        apiName: 'Metadata',
        apiKey: 3,
        apiVersion: 12,
      },
    },
  ])
})
