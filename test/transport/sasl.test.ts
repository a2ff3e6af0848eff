import { describe, expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { Writer } from '../../src/protocol/wire/writer.js'
import type { ReceivedRequest } from './fakeBroker.js'
import { answerMetadata, askMetadata, at, openTransport, recordExchange, startBroker } from './harness.js'

const PLAIN = { sasl: { mechanism: 'plain', username: 'user', password: 'the-password' } } as const
const [API_VERSIONS, HANDSHAKE, AUTHENTICATE] = [18, 17, 36]

const answerHandshake = (request: ReceivedRequest) => {
  const writer = new Writer()
  writer.int16(0)
  writer.int32(1)
  writer.int16('OAUTHBEARER'.length)
  writer.utf8('OAUTHBEARER')
  request.respond(writer.finish())
}

const saslRefusal = () => {
  const writer = new Writer()
  writer.int16(58)
  writer.int16(-1)
  writer.int32(0)
  writer.int64(0n)
  return writer.finish()
}

test('both kinds of connection are authenticated before their first request', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address], PLAIN)
  const asked = askMetadata(transport)
  const request = await answerMetadata(broker)
  await asked
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(link.needsAuthentication).toBe(false)
  const expected = [API_VERSIONS, HANDSHAKE, AUTHENTICATE]
  expect(request.connection.seen.map(each => each.apiKey)).toEqual([...expected, metadataApi.key])
  expect((await broker.connected(2)).seen.map(each => each.apiKey)).toEqual(expected)
})

test('a refused password is a typed error without the password, no other seed is tried, and nothing is logged above debug', async () => {
  const broker = await startBroker({ manual: [AUTHENTICATE] })
  const other = await startBroker()
  const { transport, lines } = openTransport([broker.address, other.address], PLAIN)
  const asked = askMetadata(transport)
  const rejected = expect(asked).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
    retriable: false,
    message: expect.not.stringContaining('the-password'),
  })
  const authentication = await broker.next({ key: AUTHENTICATE })
  authentication.respond(saslRefusal())
  await rejected
  await authentication.connection.closed
  expect(other.connections).toEqual([])
  expect(lines.filter(({ level }) => level < 5)).toEqual([])
  expect(JSON.stringify(lines)).not.toContain('the-password')
})

test('a control connection renews its credentials before its next request, with nothing else in flight (KIP-368)', async () => {
  let sessionLifetimeMs = 1
  const broker = await startBroker({ sessionLifetimeMs: () => sessionLifetimeMs })
  const { transport } = openTransport([broker.address], PLAIN)
  const first = askMetadata(transport)
  const request = await broker.next(metadataApi)
  // Both wait for the one connection or a second one; neither may be written between handshake and authentication.
  const [second, third] = [askMetadata(transport), askMetadata(transport)]
  request.answer(metadataApi, { brokers: [], topics: [] })
  await first
  sessionLifetimeMs = 0
  await answerMetadata(broker)
  await answerMetadata(broker)
  await Promise.all([second, third])
  const onFirst = request.connection.seen.map(each => each.apiKey)
  expect(onFirst.slice(0, 4)).toEqual([API_VERSIONS, HANDSHAKE, AUTHENTICATE, HANDSHAKE])
  for (const connection of broker.connections) {
    const keys = connection.seen.map(each => each.apiKey)
    keys.forEach((key, index) => {
      if (key === HANDSHAKE) expect(keys[index + 1]).toBe(AUTHENTICATE)
    })
  }
})

test('a produce link says when its credentials have to be renewed, and renews them', async () => {
  let sessionLifetimeMs = 1
  const broker = await startBroker({ sessionLifetimeMs: () => sessionLifetimeMs })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(link.needsAuthentication).toBe(true)
  sessionLifetimeMs = 3_600_000
  await link.authenticate()
  expect(link.needsAuthentication).toBe(false)
  const { exchange, ended } = recordExchange([])
  link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  const request = await broker.next(produceApi)
  request.respond(Buffer.alloc(0))
  await ended
  expect(request.connection.seen.map(each => each.apiKey)).toEqual([
    API_VERSIONS,
    HANDSHAKE,
    AUTHENTICATE,
    HANDSHAKE,
    AUTHENTICATE,
    produceApi.key,
  ])
})

test('credentials of a session shorter than kafkajs renews ahead are not renewed at once: brokers refuse it within a second', async () => {
  // kafkajs renews 10 s ahead of the end.
  const broker = await startBroker({ sessionLifetimeMs: () => 8_000 })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(link.needsAuthentication).toBe(false)
})

test.each(['end', 'reset'] as const)(
  'a connection that is lost during authentication (%s) is no refusal: another seed is tried',
  async way => {
    const broker = await startBroker({ manual: [AUTHENTICATE] })
    const other = await startBroker()
    const { transport } = openTransport([broker.address, other.address], PLAIN)
    const asked = askMetadata(transport)
    const { connection } = await broker.next({ key: AUTHENTICATE })
    if (way === 'end') connection.socket.end()
    else connection.socket.resetAndDestroy()
    await answerMetadata(other)
    await asked

    transport.setBrokers([at(0, broker)])
    const opening = transport.openProduceLink(0)
    const rejected = expect(opening).rejects.toMatchObject({
      name: 'KafkaJSConnectionError',
      retriable: true,
    })
    const again = await broker.next({ key: AUTHENTICATE })
    if (way === 'end') again.connection.socket.end()
    else again.connection.socket.resetAndDestroy()
    await rejected
  },
)

describe('a token that the broker does not take', () => {
  const OAUTH = {
    sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: 'the-token' }) },
  } as const
  const invalidToken = () => {
    const reason = '{"status":"invalid_token"}\n'
    const writer = new Writer()
    writer.int16(0)
    writer.int16(-1)
    writer.int32(reason.length)
    writer.utf8(reason)
    writer.int64(0n)
    return writer.finish()
  }
  const refusal = {
    name: 'KafkaJSSASLAuthenticationError',
    retriable: false,
    message:
      'SASL OAUTHBEARER authentication failed: the broker does not take the token: {"status":"invalid_token"}\\u000a',
  }

  test('is a refusal, although the answer says success, and no other seed is tried', async () => {
    const broker = await startBroker({ manual: [AUTHENTICATE, HANDSHAKE] })
    const other = await startBroker()
    const { transport, lines } = openTransport([broker.address, other.address], OAUTH)
    const rejected = expect(askMetadata(transport)).rejects.toMatchObject(refusal)
    answerHandshake(await broker.next({ key: HANDSHAKE }))
    const authentication = await broker.next({ key: AUTHENTICATE })
    authentication.respond(invalidToken())
    await rejected
    await authentication.connection.closed
    expect(other.connections).toEqual([])
    expect(lines.filter(({ level }) => level < 5)).toEqual([])
    expect(JSON.stringify(lines)).not.toContain('the-token')
  })

  test('at the renewal of a session closes the link', async () => {
    const broker = await startBroker({ sessionLifetimeMs: () => 1, manual: [AUTHENTICATE, HANDSHAKE] })
    const { transport } = openTransport([broker.address], OAUTH)
    transport.setBrokers([at(0, broker)])
    const opening = transport.openProduceLink(0)
    answerHandshake(await broker.next({ key: HANDSHAKE }))
    broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
    const link = await opening
    const rejected = expect(link.authenticate()).rejects.toMatchObject(refusal)
    answerHandshake(await broker.next({ key: HANDSHAKE }))
    ;(await broker.next({ key: AUTHENTICATE })).respond(invalidToken())
    await rejected
    expect(link.isOpen).toBe(false)
  })
})

test('a renewal that is refused closes the link', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 1, manual: [AUTHENTICATE] })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
  const link = await opening
  const renewal = link.authenticate()
  const rejected = expect(renewal).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
  const request = await broker.next({ key: AUTHENTICATE })
  request.respond(saslRefusal())
  await rejected
  expect(link.isOpen).toBe(false)
  await request.connection.closed
})

test('a renewal without an answer ends by authenticationTimeout', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 1, manual: [AUTHENTICATE] })
  const { transport } = openTransport([broker.address], { ...PLAIN, authenticationTimeout: 40 })
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
  const link = await opening
  await expect(link.authenticate()).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
  expect(link.isOpen).toBe(false)
})

test('a token provider that never answers does not outlast the deadline of the request', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address], {
    sasl: {
      mechanism: 'plain',
      authenticationProvider: () => ({ authenticate: () => new Promise<void>(() => {}) }),
    },
  })
  await expect(askMetadata(transport, { anyBut: undefined }, 60)).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
  })
  await (await broker.connected(1)).closed
})

test('a broker that only knows the unframed SASL exchange is authenticated too', async () => {
  const broker = await startBroker({
    versions: { 3: [0, 5], 17: [0, 0], 18: [0, 2] },
    manual: [],
    unframedSasl: true,
  })
  const { transport } = openTransport([broker.address], PLAIN)
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
})
