import net from 'node:net'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { createTransport } from '../../src/transport/index.js'
import {
  answerMetadata,
  askMetadata,
  at,
  openTransport,
  recordExchange,
  startBroker,
  trackTimers,
} from './harness.js'

const liveSockets = () => process.getActiveResourcesInfo().filter(each => each === 'TCPSocketWrap').length

test('connected and idle it has no timer, and a produce request makes none', async () => {
  const broker = await startBroker()
  const timers = trackTimers()
  const { transport } = openTransport([broker.address])
  const asked = askMetadata(transport)
  expect(timers.size).toBeGreaterThan(0)
  await answerMetadata(broker)
  await asked
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(timers.size).toBe(0)
  const { exchange, ended } = recordExchange([])
  link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  const request = await broker.next(produceApi)
  expect(timers.size).toBe(0)
  request.respond(Buffer.alloc(0))
  await ended
  expect(timers.size).toBe(0)
})

test('an orderly close is no connection error to the log', async () => {
  const broker = await startBroker()
  const { transport, lines } = openTransport([broker.address])
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
  transport.setBrokers([at(0, broker)])
  await transport.openProduceLink(0)
  const before = lines.length
  await transport.close()
  expect(lines.slice(before).filter(({ message }) => /error/i.test(message))).toEqual([])
})

test('close ends what is in flight, waiting and connecting, though the broker hangs, and leaves nothing', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  const timers = trackTimers()
  transport.setBrokers([at(0, broker), at(1, broker)])
  const opening = transport.openProduceLink(0)
  broker.answerApiVersions(await broker.next({ key: 18 }))
  const link = await opening
  const { exchange, result } = recordExchange([])
  link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  await broker.next(produceApi)

  const inFlight = askMetadata(transport, { node: 0 })
  broker.answerApiVersions(await broker.next({ key: 18 }))
  await broker.next(metadataApi)
  const connecting = askMetadata(transport, { node: 0 })
  const waiting = askMetadata(transport, { node: 0 })
  const linking = transport.openProduceLink(1)
  await broker.next({ key: 18 })
  await broker.next({ key: 18 })
  const outcomes = Promise.allSettled([inFlight, connecting, waiting, linking])
  await transport.close()
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'ProducerClosedError' } })
  }
  expect(result).toMatchObject({ sent: true, error: { name: 'ProducerClosedError' } })
  expect(link.isOpen).toBe(false)
  await Promise.all(broker.connections.map(({ closed }) => closed))
  expect(timers.size).toBe(0)
  expect(liveSockets()).toBe(0)
})

test('close ends a connection whose handshake never ends, and its timer', async () => {
  const sockets: net.Socket[] = []
  const timers = trackTimers()
  const { transport } = openTransport(['127.0.0.1:1'], {
    socketFactory: () => {
      const socket = new net.Socket()
      sockets.push(socket)
      return socket
    },
  })
  const asked = expect(askMetadata(transport)).rejects.toMatchObject({ name: 'ProducerClosedError' })
  // kafkajs takes a few microtasks to make the socket.
  await new Promise(resolve => setImmediate(resolve))
  expect(sockets).toHaveLength(1)
  await transport.close()
  await asked
  expect(sockets[0]?.destroyed).toBe(true)
  expect(timers.size).toBe(0)
})

test('a handshake that never ends is given up after connectionTimeout', async () => {
  const { transport } = openTransport(['127.0.0.1:1'], {
    connectionTimeout: 20,
    socketFactory: () => new net.Socket(),
  })
  await expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'KafkaJSConnectionError',
    message: expect.stringMatching(/^Connection timeout: .*connectionTimeout \(20 ms\)/),
  })
})

test('a socket that closes while it connects, without an error, ends the attempt at once', async () => {
  const { transport } = openTransport(['127.0.0.1:1'], {
    connectionTimeout: 3_600_000,
    socketFactory: () => {
      const socket = new net.Socket()
      setImmediate(() => socket.destroy())
      return socket
    },
  })
  await expect(askMetadata(transport)).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
})

test('close during the lookup of the brokers ends the call', async () => {
  const { transport } = openTransport(() => new Promise<string[]>(() => {}))
  const asked = expect(askMetadata(transport)).rejects.toMatchObject({ name: 'ProducerClosedError' })
  await transport.close()
  await asked
})

test('after close nothing is opened any more, and closing again is fine', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  await transport.close()
  await transport.close()
  await expect(askMetadata(transport)).rejects.toMatchObject({ name: 'ProducerClosedError' })
  await expect(askMetadata(transport, { node: 0 })).rejects.toMatchObject({ name: 'ProducerClosedError' })
  await expect(transport.openProduceLink(0)).rejects.toMatchObject({ name: 'ProducerClosedError' })
  expect(broker.connections).toEqual([])
})

test('many calls at once draw no warning about listeners', async () => {
  const warnings: string[] = []
  const onWarning = (warning: Error) => warnings.push(warning.message)
  process.on('warning', onWarning)
  try {
    const broker = await startBroker()
    const { transport } = openTransport([broker.address])
    const asked = Array.from({ length: 50 }, () => askMetadata(transport))
    for (const _ of asked) await answerMetadata(broker)
    await Promise.all(asked)
    await new Promise(resolve => setImmediate(resolve))
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', onWarning)
  }
})

test('a listener of network events that throws surfaces, and does not break the connection', async () => {
  const broker = await startBroker()
  let throwing = true
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  const transport = createTransport(kafka, {
    listener: {
      wants: () => true,
      emit: () => {
        if (throwing) throw new Error('of the listener')
      },
    },
  })
  const surfaced: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => surfaced.push(error))
  try {
    const asked = askMetadata(transport)
    await answerMetadata(broker)
    await asked
    throwing = false
    await transport.close()
    // One for ApiVersions, one for Metadata.
    expect(surfaced).toMatchObject([{ message: 'of the listener' }, { message: 'of the listener' }])
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
})
