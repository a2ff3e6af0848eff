import { expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { FakeBroker } from './fakeBroker.js'
import { answerMetadata, askMetadata, at, openTransport, startBroker } from './harness.js'

/** An address on which nobody listens. */
const unreachable = async (): Promise<{ port: number; address: string }> => {
  const broker = await FakeBroker.start()
  const { port, address } = broker
  await broker.stop()
  return { port, address }
}

test('a seed that refuses is passed over within the same call', async () => {
  const dead = await unreachable()
  const broker = await startBroker()
  const { transport, lines } = openTransport([dead.address, broker.address])
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  expect((await asked).nodeId).toBe(-1)
  expect(lines.filter(({ level }) => level < 5)).toEqual([])
  expect(lines).toContainEqual({ level: 5, namespace: 'Transport', message: 'A broker cannot be reached' })
})

test('when no seed can be reached the last error is given, after each was tried once', async () => {
  const [one, two] = [await unreachable(), await unreachable()]
  const { transport, lines } = openTransport([one.address, two.address])
  await expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'KafkaJSConnectionError',
    broker: two.address,
    code: 'ECONNREFUSED',
  })
  expect(lines.filter(({ message }) => message === 'Connecting')).toHaveLength(2)
})

test('when no known broker can be reached, the brokers function is asked again (KIP-899)', async () => {
  const first = await startBroker()
  const second = await startBroker()
  const dead = await unreachable()
  let list = [first.address]
  const { transport } = openTransport(() => Promise.resolve(list))
  const asked = askMetadata(transport)
  await answerMetadata(first)
  await asked
  transport.setBrokers([at(0, dead)])
  list = [second.address]
  const again = askMetadata(transport)
  await answerMetadata(second)
  expect((await again).nodeId).toBe(-1)
  expect(first.connections).toHaveLength(1)
})

test('a brokers function that throws or never answers ends the call with a typed error', async () => {
  const throwing = openTransport(() => {
    throw new Error('discovery is down')
  })
  await expect(askMetadata(throwing.transport)).rejects.toMatchObject({
    name: 'KafkaJSConnectionError',
    message: expect.stringContaining('discovery is down'),
  })
  const hanging = openTransport(() => new Promise<string[]>(() => {}))
  await expect(askMetadata(hanging.transport, { anyBut: undefined }, 30)).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
  })
  const empty = openTransport(() => [])
  await expect(askMetadata(empty.transport)).rejects.toMatchObject({ retriable: false })
})

test('known brokers take turns, those to avoid come last', async () => {
  const brokers = [await startBroker(), await startBroker(), await startBroker()]
  const { transport } = openTransport([brokers[0]!.address])
  transport.setBrokers(brokers.map((broker, nodeId) => at(nodeId, broker)))
  const asked: number[] = []
  for (const avoid of [undefined, undefined, undefined, 0, 0, 0]) {
    const answer = askMetadata(transport, { anyBut: avoid })
    const request = await Promise.race(brokers.map(broker => broker.next(metadataApi)))
    request.answer(metadataApi, { brokers: [], topics: [] })
    asked.push((await answer).nodeId)
    // The losers of the race took nothing: they only wait, so the next round would find their waiters first.
    for (const broker of brokers) broker.forgetWaiting()
  }
  expect(asked.slice(0, 3).toSorted()).toEqual([0, 1, 2])
  expect(asked.slice(3)).not.toContain(0)
})

test('a broker that hangs while it is being reached leaves time for another one', async () => {
  const hung = await startBroker({ manual: [18] })
  const good = await startBroker()
  const { transport } = openTransport([hung.address])
  transport.setBrokers([at(0, hung), at(1, good)])
  const asked = askMetadata(transport, { anyBut: 1 }, 2_000)
  const handshake = await hung.next({ key: 18 })
  await answerMetadata(good)
  expect((await asked).nodeId).toBe(1)
  await handshake.connection.closed
  // It failed lately: it is not the first to be asked, whoever's turn it is.
  for (const _ of [1, 2]) {
    const again = askMetadata(transport)
    await answerMetadata(good)
    expect((await again).nodeId).toBe(1)
  }
  expect(hung.connections).toHaveLength(1)
})

test('the only broker, though it failed lately, is asked again', async () => {
  const dead = await unreachable()
  const { transport } = openTransport([dead.address])
  transport.setBrokers([at(0, dead)])
  await expect(askMetadata(transport)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const broker = await startBroker({ port: dead.port })
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  expect((await asked).nodeId).toBe(0)
})

test('a node that metadata does not name is a typed error', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const expected = { name: 'KafkaJSBrokerNotFound', message: expect.stringContaining('5') }
  await expect(askMetadata(transport, { node: 5 })).rejects.toMatchObject(expected)
  await expect(transport.openProduceLink(5)).rejects.toMatchObject(expected)
})

test('a coordinator is asked where another broker has said it is, known to metadata or not', async () => {
  const [seed, coordinator] = [await startBroker(), await startBroker()]
  const { transport } = openTransport([seed.address])
  transport.setBrokers([at(0, seed)])
  const asked = askMetadata(transport, { at: at(7, coordinator) })
  await answerMetadata(coordinator)
  expect((await asked).nodeId).toBe(-1)
  expect(seed.connections).toEqual([])
})

test('a coordinator that cannot be reached is named', async () => {
  const seed = await startBroker()
  const dead = await unreachable()
  const { transport } = openTransport([seed.address])
  await expect(askMetadata(transport, { at: at(7, dead) })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const hung = await startBroker({ manual: [18] })
  await expect(askMetadata(transport, { at: at(7, hung) }, 50)).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
    message: expect.stringContaining('broker 7'),
  })
})

test('a broker without a host is not taken for a seed', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([{ nodeId: 0, host: '', port: broker.port, rack: null }])
  await expect(askMetadata(transport, { node: 0 })).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
  expect(broker.connections).toEqual([])
})

test('a broker that moved is reached at its new address, its old connections are closed', async () => {
  const before = await startBroker()
  const after = await startBroker()
  const { transport } = openTransport([before.address])
  transport.setBrokers([at(0, before)])
  const asked = askMetadata(transport, { node: 0 })
  const request = await answerMetadata(before)
  await asked
  const link = await transport.openProduceLink(0)
  const closed = new Promise<Error>(resolve => {
    link.onClosed = resolve
  })
  transport.setBrokers([at(0, after)])
  expect(await closed).toMatchObject({ name: 'KafkaJSConnectionError', broker: before.address })
  await Promise.all([request.connection.closed, (await before.connected(2)).closed])
  const moved = askMetadata(transport, { node: 0 })
  await answerMetadata(after)
  expect((await moved).nodeId).toBe(0)
  expect((await transport.openProduceLink(0)).isOpen).toBe(true)
  expect(after.connections).toHaveLength(2)
})

test('a request under way at a broker that leaves may end; its connection closes then', async () => {
  const leaving = await startBroker()
  const { transport } = openTransport([leaving.address])
  const asked = askMetadata(transport)
  const request = await leaving.next(metadataApi)
  transport.setBrokers([])
  expect(request.connection.socket.destroyed).toBe(false)
  request.answer(metadataApi, { brokers: [], topics: [] })
  await asked
  await request.connection.closed
})

test('a link that is being opened ends when its broker leaves', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  const rejected = expect(opening).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
  const handshake = await broker.next({ key: 18 })
  transport.setBrokers([])
  await rejected
  await handshake.connection.closed
})
