import { afterEach, describe, expect, test, vi } from 'vitest'
import { metadataApi } from '../../../src/protocol/messages/metadata.js'
import { produceApi } from '../../../src/protocol/messages/produce.js'
import { Writer } from '../../../src/protocol/wire/writer.js'
import type { ProduceLink } from '../../../src/transport/port.js'
import type { FakeBroker, ReceivedRequest } from '../fakeBroker.js'
import {
  answerMetadata,
  askMetadata,
  at,
  type LoggedLine,
  openTransport,
  recordExchange,
  startBroker,
} from '../harness.js'

const PLAIN = { sasl: { mechanism: 'plain', username: 'user', password: 'the-password' } } as const
const [API_VERSIONS, HANDSHAKE, AUTHENTICATE] = [18, 17, 36]

async function fails(): Promise<never> {
  throw new Error('token endpoint: 503')
}

const answerHandshake = (request: ReceivedRequest, mechanism: string | null = 'OAUTHBEARER') => {
  const writer = new Writer()
  writer.int16(0)
  writer.int32(mechanism === null ? 0 : 1)
  if (mechanism !== null) {
    writer.int16(mechanism.length)
    writer.utf8(mechanism)
  }
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

/** Lets time pass for sessions, not for timers. */
const clock = () => {
  const { now } = performance
  let passedMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + passedMs)
  return {
    pass(ms: number) {
      passedMs += ms
    },
  }
}

/** A link whose session of 20 s has reached its last quarter, with an answer that came just now. */
const linkToRenew = async (broker: FakeBroker, opening: Promise<ProduceLink>) => {
  const link = await opening
  const time = clock()
  const { exchange, ended } = recordExchange([])
  link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  const request = await broker.next(produceApi)
  time.pass(16_000)
  request.respond(Buffer.alloc(0))
  await ended
  expect(link.needsPreparation).toBe(true)
  return { link, time, request }
}

afterEach(() => {
  vi.restoreAllMocks()
})

/** Lines above debug, but for the warning that is due without TLS. */
const loud = (lines: readonly LoggedLine[]) =>
  lines.filter(({ level, message }) => level < 5 && !message.includes('without TLS'))

test('both kinds of connection are authenticated before their first request', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address], PLAIN)
  const asked = askMetadata(transport)
  const request = await answerMetadata(broker)
  await asked
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(link.needsPreparation).toBe(false)
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
  expect(loud(lines)).toEqual([])
  expect(JSON.stringify(lines)).not.toContain('the-password')
})

test('a control connection renews its credentials before its next request, with nothing else in flight (KIP-368)', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 20_000 })
  const { transport } = openTransport([broker.address], PLAIN)
  const first = askMetadata(transport)
  const request = await broker.next(metadataApi)
  // Both wait for the one connection or a second one; neither may be written between handshake and authentication.
  const [second, third] = [askMetadata(transport), askMetadata(transport)]
  clock().pass(16_000)
  request.answer(metadataApi, { brokers: [], topics: [] })
  await first
  await answerMetadata(broker)
  await answerMetadata(broker)
  await Promise.all([second, third])
  const onFirst = request.connection.seen.map(each => each.apiKey)
  expect(onFirst.slice(0, 5)).toEqual([API_VERSIONS, HANDSHAKE, AUTHENTICATE, metadataApi.key, HANDSHAKE])
  for (const connection of broker.connections) {
    const keys = connection.seen.map(each => each.apiKey)
    keys.forEach((key, index) => {
      if (key === HANDSHAKE) expect(keys[index + 1]).toBe(AUTHENTICATE)
    })
  }
})

test('a produce link says when its credentials have to be renewed, and renews them', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 20_000 })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const { link, request } = await linkToRenew(broker, transport.openProduceLink(0))
  await link.prepare()
  expect(link.needsPreparation).toBe(false)
  expect(request.connection.seen.map(each => each.apiKey)).toEqual([
    API_VERSIONS,
    HANDSHAKE,
    AUTHENTICATE,
    produceApi.key,
    HANDSHAKE,
    AUTHENTICATE,
  ])
})

test.each([
  ['whose session is over', 20_000, 25_000],
  ['whose session is shorter than a broker lets it be renewed', 900, 800],
])('a link %s is replaced by another one', async (_, lifetimeMs, afterMs) => {
  const broker = await startBroker({ sessionLifetimeMs: () => lifetimeMs })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(link.needsPreparation).toBe(false)
  clock().pass(afterMs)
  expect(link.needsPreparation).toBe(true)
  await expect(link.prepare()).rejects.toMatchObject({ name: 'KafkaJSConnectionError', retriable: true })
  const next = await transport.openProduceLink(0)
  expect(next).not.toBe(link)
  expect((await broker.connected(2)).seen.filter(({ apiKey }) => apiKey === AUTHENTICATE)).toHaveLength(1)
})

test('a control connection whose session was refused again is replaced, and nobody notices', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 20_000, manual: [AUTHENTICATE] })
  const { transport, lines } = openTransport([broker.address], PLAIN)
  const first = askMetadata(transport)
  broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
  const request = await broker.next(metadataApi)
  clock().pass(16_000)
  request.answer(metadataApi, { brokers: [], topics: [] })
  await first
  const second = askMetadata(transport)
  const renewal = await broker.next({ key: AUTHENTICATE })
  expect(renewal.connection).toBe(request.connection)
  renewal.respond(saslRefusal())
  const login = await broker.next({ key: AUTHENTICATE })
  expect(login.connection).not.toBe(request.connection)
  broker.answerSaslAuthenticate(login)
  await answerMetadata(broker)
  await second
  expect(loud(lines)).toEqual([])
})

test('a login that is refused after there was a connection may be tried again', async () => {
  const broker = await startBroker({ manual: [AUTHENTICATE] })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const first = transport.openProduceLink(0)
  broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
  ;(await first).destroy(new Error('the broker starts anew'))
  const refused = expect(transport.openProduceLink(0)).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
    retriable: true,
  })
  ;(await broker.next({ key: AUTHENTICATE })).respond(saslRefusal())
  await refused
  expect(transport.troubles).toMatchObject([{ cause: { name: 'KafkaJSSASLAuthenticationError' } }])
})

test('credentials that change are taken with the next connection', async () => {
  const broker = await startBroker({ manual: [AUTHENTICATE] })
  const sasl = { ...PLAIN.sasl, password: 'first' }
  const { transport } = openTransport([broker.address], { sasl })
  transport.setBrokers([at(0, broker)])
  for (const password of ['first', 'second']) {
    sasl.password = password
    const opening = transport.openProduceLink(0)
    const authentication = await broker.next({ key: AUTHENTICATE })
    expect(authentication.rest.toString('latin1')).toContain(`user\0${password}`)
    broker.answerSaslAuthenticate(authentication)
    ;(await opening).destroy(new Error('next'))
  }
})

test('credentials of a session shorter than kafkajs renews ahead are not renewed at once: brokers refuse it within a second', async () => {
  // kafkajs renews 10 s ahead of the end.
  const broker = await startBroker({ sessionLifetimeMs: () => 8_000 })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  expect(link.needsPreparation).toBe(false)
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
    expect(loud(lines)).toEqual([])
    expect(JSON.stringify(lines)).not.toContain('the-token')
  })

  test('at the renewal of a session closes the link', async () => {
    const broker = await startBroker({ sessionLifetimeMs: () => 20_000, manual: [AUTHENTICATE, HANDSHAKE] })
    const { transport } = openTransport([broker.address], OAUTH)
    transport.setBrokers([at(0, broker)])
    const opening = transport.openProduceLink(0)
    answerHandshake(await broker.next({ key: HANDSHAKE }))
    broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
    const { link } = await linkToRenew(broker, opening)
    const { retriable: _, ...refused } = refusal
    const rejected = expect(link.prepare()).rejects.toMatchObject(refused)
    answerHandshake(await broker.next({ key: HANDSHAKE }))
    ;(await broker.next({ key: AUTHENTICATE })).respond(invalidToken())
    await rejected
    expect(link.isOpen).toBe(false)
  })
})

test('a renewal that is refused closes the link', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 20_000, manual: [AUTHENTICATE] })
  const { transport } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
  const { link } = await linkToRenew(broker, opening)
  const rejected = expect(link.prepare()).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
  const request = await broker.next({ key: AUTHENTICATE })
  request.respond(saslRefusal())
  await rejected
  expect(link.isOpen).toBe(false)
  await request.connection.closed
})

test('a renewal without an answer ends by authenticationTimeout', async () => {
  const broker = await startBroker({ sessionLifetimeMs: () => 20_000, manual: [AUTHENTICATE] })
  const { transport } = openTransport([broker.address], { ...PLAIN, authenticationTimeout: 40 })
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  broker.answerSaslAuthenticate(await broker.next({ key: AUTHENTICATE }))
  const { link } = await linkToRenew(broker, opening)
  await expect(link.prepare()).rejects.toMatchObject({
    name: 'KafkaJSConnectionError',
    message: expect.stringContaining('authenticationTimeout (40 ms)'),
  })
  expect(link.isOpen).toBe(false)
})

test('a token provider that never answers ends by authenticationTimeout', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address], {
    authenticationTimeout: 40,
    sasl: {
      mechanism: 'plain',
      authenticationProvider: () => ({ authenticate: () => new Promise<void>(() => {}) }),
    },
  })
  await expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'KafkaJSConnectionError',
    message: expect.stringMatching(
      /^Connection timeout: no credentials for SASL PLAIN at .* from the provider in `sasl` within authenticationTimeout \(40 ms\)$/,
    ),
  })
  await (await broker.connected(1)).closed
})

test.each([
  ['a token provider', { mechanism: 'oauthbearer', oauthBearerProvider: fails }],
  [
    'an authenticationProvider',
    { mechanism: 'aws_msk_iam', authenticationProvider: () => ({ authenticate: fails }) },
  ],
  [
    'an authenticationProvider that throws as it is made',
    {
      mechanism: 'aws_msk_iam',
      authenticationProvider: () => {
        throw new Error('token endpoint: 503')
      },
    },
  ],
] as const)('%s that throws is told as such, and may be asked again', async (_, sasl) => {
  const broker = await startBroker({ manual: [HANDSHAKE] })
  const { transport } = openTransport([broker.address], { sasl } as never)
  const rejected = expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'CredentialsProviderError',
    retriable: true,
    message: expect.stringContaining('token endpoint: 503'),
    cause: { message: 'token endpoint: 503' },
    broker: broker.address,
  })
  answerHandshake(await broker.next({ key: HANDSHAKE }), sasl.mechanism.toUpperCase())
  await rejected
})

test.each([
  ['a mechanism that the broker does not take', 'SCRAM-SHA-512', 'OAUTHBEARER'],
  ['none', 'PLAIN', null],
])('SaslHandshake answered with %s is a refusal that names what is taken', async (_, mechanism, taken) => {
  const broker = await startBroker({ manual: [HANDSHAKE] })
  const { transport } = openTransport([broker.address], {
    sasl: { mechanism, username: 'user', password: 'the-password' } as never,
  })
  const rejected = expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
    message: expect.stringContaining(`which takes ${taken ?? 'none'}`),
  })
  answerHandshake(await broker.next({ key: HANDSHAKE }), taken)
  await rejected
})

test('PLAIN without TLS is warned of once, not for each connection', async () => {
  const broker = await startBroker()
  const { transport, lines } = openTransport([broker.address], PLAIN)
  transport.setBrokers([at(0, broker)])
  ;(await transport.openProduceLink(0)).destroy(new Error('next'))
  await transport.openProduceLink(0)
  expect(lines.filter(({ level }) => level === 2)).toMatchObject([
    { message: expect.stringContaining('SASL PLAIN without TLS') },
  ])
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
