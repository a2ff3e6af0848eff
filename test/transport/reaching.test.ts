import net from 'node:net'
import { expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { FakeBroker } from './fakeBroker.js'
import { answerMetadata, askMetadata, at, openTransport, recordExchange, startBroker } from './harness.js'

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

test('beside a broker that hangs while it is being reached another one is tried', async () => {
  const hung = await startBroker({ manual: [18] })
  const good = await startBroker()
  const { transport } = openTransport([hung.address])
  transport.setBrokers([at(0, hung), at(1, good)])
  const asked = askMetadata(transport, { anyBut: 1 })
  const handshake = await hung.next({ key: 18 })
  await answerMetadata(good)
  expect((await asked).nodeId).toBe(1)
  // It was slow: it is not the first to be asked, whoever's turn it is.
  for (const _ of [1, 2]) {
    const again = askMetadata(transport)
    await answerMetadata(good)
    expect((await again).nodeId).toBe(1)
  }
  expect(transport.troubles).toMatchObject([{ broker: hung.address, failures: 1 }])
  // Nobody waits for it, and it is used all the same when it is there.
  hung.answerApiVersions(handshake)
  const late = askMetadata(transport, { node: 0 })
  expect((await answerMetadata(hung)).connection).toBe(handshake.connection)
  await late
  expect(transport.troubles).toEqual([])
})

test('a connection that takes longer than one request waits goes on being made, for the next', async () => {
  const slow = await startBroker({ manual: [18] })
  const { transport } = openTransport([slow.address])
  const impatient = expect(askMetadata(transport, { anyBut: undefined }, 20)).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
    message: expect.stringContaining(slow.address),
  })
  const handshake = await slow.next({ key: 18 })
  await impatient
  const asked = askMetadata(transport)
  slow.answerApiVersions(handshake)
  await answerMetadata(slow)
  await asked
  expect(slow.connections).toHaveLength(1)
})

test('a seed that is a black hole beside a good one costs no more than the wait before the next is tried', async () => {
  const good = await startBroker()
  const { transport } = openTransport(['black.hole:9092', good.address], {
    connectionTimeout: 600_000,
    socketFactory: ({ host, port, onConnect }) =>
      host === 'black.hole' ? new net.Socket() : net.connect({ host, port }, onConnect),
  })
  const asked = askMetadata(transport)
  await answerMetadata(good)
  await asked
})

test('the answer of another broker counts where one is silent, and the silent one keeps its connection', async () => {
  const [mute, good] = [await startBroker(), await startBroker()]
  const { transport } = openTransport([mute.address])
  transport.setBrokers([at(0, mute), at(1, good)])
  const asked = transport.control(metadataApi, () => ({ topics: [] }), {
    target: { anyBut: 1 },
    timeoutMs: 20_000,
    besideMs: 30,
  })
  const unanswered = await mute.next(metadataApi)
  await answerMetadata(good)
  expect((await asked).nodeId).toBe(1)
  unanswered.answer(metadataApi, { brokers: [], topics: [] })
  const again = askMetadata(transport, { node: 0 })
  expect((await answerMetadata(mute)).connection).toBe(unanswered.connection)
  await again
})

test('without another broker a silent one is asked once, and its late answer counts', async () => {
  const only = await startBroker()
  const { transport } = openTransport([only.address])
  const asked = transport.control(metadataApi, () => ({ topics: [] }), {
    target: { anyBut: undefined },
    timeoutMs: 20_000,
    besideMs: 5,
  })
  const request = await only.next(metadataApi)
  await new Promise(resolve => setTimeout(resolve, 20))
  request.answer(metadataApi, { brokers: [], topics: [] })
  await asked
  expect(only.untaken).toEqual([])
  expect(only.connections).toHaveLength(1)
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

test('a broker that moved is reached at its new address; what is in flight at the old one may end', async () => {
  const before = await startBroker()
  const after = await startBroker()
  const { transport } = openTransport([before.address])
  transport.setBrokers([at(0, before)])
  const link = await transport.openProduceLink(0)
  const closed = new Promise<Error>(resolve => {
    link.onClosed = resolve
  })
  const { exchange, result, ended } = recordExchange([])
  link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  const request = await before.next(produceApi)
  transport.setBrokers([at(0, after)])
  expect([link.isOpen, link.needsPreparation]).toEqual([true, true])
  request.respond(Buffer.from('late'))
  await ended
  expect(result.payload?.toString()).toBe('late')
  await expect(link.prepare()).rejects.toMatchObject({
    name: 'KafkaJSConnectionError',
    broker: before.address,
  })
  await closed
  await request.connection.closed
  const moved = askMetadata(transport, { node: 0 })
  await answerMetadata(after)
  expect((await moved).nodeId).toBe(0)
  expect((await transport.openProduceLink(0)).isOpen).toBe(true)
  expect(after.connections).toHaveLength(2)
})

test('an idle link to a broker that moved is closed at once', async () => {
  const [before, after] = [await startBroker(), await startBroker()]
  const { transport } = openTransport([before.address])
  transport.setBrokers([at(0, before)])
  const link = await transport.openProduceLink(0)
  transport.setBrokers([at(0, after)])
  expect(link.isOpen).toBe(false)
})

test('an answer that lacks a broker cuts none of its connections', async () => {
  const [one, other] = [await startBroker(), await startBroker()]
  const { transport } = openTransport([one.address])
  transport.setBrokers([at(0, one), at(1, other)])
  const link = await transport.openProduceLink(1)
  const asked = askMetadata(transport, { node: 1 })
  const request = await answerMetadata(other)
  await asked
  transport.setBrokers([at(0, one)])
  transport.setBrokers([at(0, one), at(1, other)])
  expect(link.isOpen).toBe(true)
  expect(await transport.openProduceLink(1)).toBe(link)
  const again = askMetadata(transport, { node: 1 })
  expect((await answerMetadata(other)).connection).toBe(request.connection)
  await again
})

test('a seed under a name that no broker has is left once the brokers are known, after what is under way', async () => {
  const seed = await startBroker()
  const { transport } = openTransport([seed.address])
  const asked = askMetadata(transport)
  const request = await seed.next(metadataApi)
  transport.setBrokers([{ nodeId: 0, host: 'localhost', port: seed.port, rack: null }])
  expect(request.connection.socket.destroyed).toBe(false)
  request.answer(metadataApi, { brokers: [], topics: [] })
  await asked
  await request.connection.closed
})

test('a link that is being opened ends when its broker moves', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  const rejected = expect(opening).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
  const handshake = await broker.next({ key: 18 })
  transport.setBrokers([at(0, { port: 1 })])
  await rejected
  await handshake.connection.closed
})
