import fc from 'fast-check'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { saslAuthenticateApi } from '../../src/protocol/messages/saslAuthenticate.js'
import { saslHandshakeApi } from '../../src/protocol/messages/saslHandshake.js'
import { oauthBearerExchange } from '../../src/testing/sasl/oauthBearer.js'
import { plainExchange } from '../../src/testing/sasl/plain.js'
import { scramCredential, scramExchange } from '../../src/testing/sasl/scram.js'
import { runs, seed } from '../protocol/support/runs.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const users = { alice: 'secret', 'a,b=c': 'pässword', ünï: 'x' }
const start = (sasl: object) => EmbeddedKafka.start({ autoCreate: { createdAfter: 0 }, listeners: { sasl } })

/** What a kafkajs producer with these credentials comes to. */
const send = async (sasl: SASLOptions): Promise<string> => {
  const brokers = cluster!.bootstrap
  const kafka = new Kafka({ brokers, sasl, logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  const producer = kafka.producer()
  try {
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'x' }] })
    return 'sent'
  } catch (error) {
    return (error as Error).message
  } finally {
    await producer.disconnect()
  }
}

describe.each(['scram-sha-256', 'scram-sha-512'] as const)('%s', mechanism => {
  test('serves kafkajs with the right password, and refuses a wrong one and a user it does not know', async () => {
    cluster = await start({ users })
    for (const [username, password] of Object.entries(users)) {
      expect(await send({ mechanism, username, password })).toBe('sent')
    }
    expect(await send({ mechanism, username: 'alice', password: 'wrong' })).toContain('invalid credentials')
    expect(await send({ mechanism, username: 'toString', password: 'x' })).toContain(
      'Invalid user credentials',
    )
    expect(cluster.records('t')).toHaveLength(3)
  })
})

describe('OAUTHBEARER', () => {
  const principalOfToken = (token: string) => (token === 'good.token' ? 'bob' : undefined)
  const oauth = (value: string): SASLOptions => ({
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => ({ value }),
  })

  test('serves kafkajs with a token that is known, and cuts it off with another', async () => {
    cluster = await start({ principalOfToken })
    expect(await send(oauth('good.token'))).toBe('sent')
    expect(await send(oauth('bad.token'))).not.toBe('sent')
  })

  test('answers a bad token with what is wrong, and refuses after the client has read that', async () => {
    cluster = await start({ principalOfToken })
    const client = await RawClient.connect(cluster.bootstrap[0]!)
    await client.call(saslHandshakeApi, 1, { mechanism: 'OAUTHBEARER' })
    const authenticate = (text: string) =>
      client.call(saslAuthenticateApi, 2, { authBytes: Buffer.from(text) })
    const challenge = await authenticate('n,,\u0001auth=Bearer bad.token\u0001\u0001')
    expect(challenge).toMatchObject({ errorCode: 0, authBytes: Buffer.from('{"status":"invalid_token"}') })
    expect((await authenticate('\u0001'))?.errorCode).toBe(ERROR.SASL_AUTHENTICATION_FAILED)
    await client.ended()
  })
})

describe('a listener', () => {
  const connect = () => RawClient.connect(cluster!.bootstrap[0]!)
  const plain = async (client: RawClient, user: keyof typeof users) => {
    await client.call(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    return client.call(saslAuthenticateApi, 1, { authBytes: Buffer.from(`\0${user}\0${users[user]}`) })
  }

  test('offers the mechanisms it has credentials for, or those it is told', async () => {
    const offered = async (sasl: object) => {
      cluster = await start(sasl)
      const client = await connect()
      const answer = await client.call(saslHandshakeApi, 1, { mechanism: 'GSSAPI' })
      await client.close()
      await cluster.close()
      expect(answer?.errorCode).toBe(ERROR.UNSUPPORTED_SASL_MECHANISM)
      return answer?.mechanisms
    }
    const principalOfToken = () => 'bob'
    expect(await offered({ users })).toEqual(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
    expect(await offered({ principalOfToken })).toEqual(['OAUTHBEARER'])
    expect(await offered({ users, mechanisms: ['SCRAM-SHA-512'] })).toEqual(['SCRAM-SHA-512'])
  })

  test('serves nothing between a renewed handshake and its end', async () => {
    cluster = await start({ users })
    const client = await connect()
    await plain(client, 'alice')
    await client.call(saslHandshakeApi, 1, { mechanism: 'SCRAM-SHA-256' })
    expect((await client.call(apiVersionsApi, 3, {}))?.errorCode).toBe(0)
    expect(await client.call(metadataApi, 9, { topics: [], allowAutoTopicCreation: false })).toBeUndefined()
  })

  test('renews a session for the same principal only', async () => {
    cluster = await start({ users })
    const client = await connect()
    expect((await plain(client, 'alice'))?.errorCode).toBe(0)
    expect((await plain(client, 'alice'))?.errorCode).toBe(0)
    const changed = await plain(client, 'ünï')
    expect(changed?.errorCode).toBe(ERROR.SASL_AUTHENTICATION_FAILED)
    expect(changed?.errorMessage).toContain('Cannot change principals')
    await client.ended()
  })
})

test('SCRAM-SHA-256 computes what RFC 7677 computes', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const credential = scramCredential('SCRAM-SHA-256', 'pencil', salt)
  const exchange = scramExchange('SCRAM-SHA-256', () => credential, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0')
  const step = (text: string) => {
    const result = exchange.step(Buffer.from(text))
    return result.kind === 'refused' ? result : { ...result, bytes: result.bytes.toString() }
  }
  expect(step('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')).toEqual({
    kind: 'challenge',
    bytes: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  })
  const proof = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
  expect(step(`c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=${proof}`)).toEqual({
    kind: 'authenticated',
    principal: 'user',
    bytes: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  })
})

test.each([
  ['nothing', ['']],
  ['no header', ['n=user,r=abc']],
  ['channel binding', ['p=tls-unique,,n=user,r=abc']],
  ['a name with a lone equal sign', ['n,,n=us=er,r=abc']],
  ['no nonce', ['n,,n=user']],
  ['a final message at once', ['c=biws,r=abc,p=YQ==']],
  ['another nonce', ['n,,n=user,r=abc', 'c=biws,r=abcXXX,p=YQ==']],
  ['another header than before', ['n,,n=user,r=abc', 'c=eSws,r=abcserver,p=YQ==']],
  ['a proof of another length', ['n,,n=user,r=abc', 'c=biws,r=abcserver,p=YQ==']],
  ['no proof', ['n,,n=user,r=abc', 'c=biws,r=abcserver']],
  ['another’s authorization', ['n,a=admin,n=user,r=abc']],
])('SCRAM refuses %s', (_, messages) => {
  const credential = scramCredential('SCRAM-SHA-512', 'x', Buffer.from('salt'))
  const exchange = scramExchange('SCRAM-SHA-512', () => credential, 'server')
  const steps = messages.map(message => exchange.step(Buffer.from(message)).kind)
  expect(steps.at(-1)).toBe('refused')
  expect(steps.slice(0, -1)).toEqual(messages.slice(1).map(() => 'challenge'))
})

test('PLAIN refuses what has no password', () => {
  for (const text of ['', '\0alice', 'alice', '\0\0']) {
    expect(plainExchange(() => undefined).step(Buffer.from(text)).kind).toBe('refused')
    expect(plainExchange(() => 'secret').step(Buffer.from(text)).kind).toBe('refused')
  }
})

test('no mechanism throws at any message, or lets one in by it', () => {
  const credential = scramCredential('SCRAM-SHA-256', 'x', Buffer.from('salt'))
  const exchanges = {
    PLAIN: () => plainExchange(() => 'a password nobody guesses'),
    SCRAM: () => scramExchange('SCRAM-SHA-256', () => credential, 'server'),
    OAUTHBEARER: () => oauthBearerExchange(() => undefined),
  }
  const part = fc.constantFrom(
    'n,,',
    'n=',
    'u',
    ',r=',
    'abc',
    'server',
    'c=biws',
    ',p=',
    'YQ==',
    '\0',
    '\u0001',
    'auth=Bearer ',
    '=2C',
    '=',
    ',',
  )
  const text = fc.array(part, { maxLength: 12 }).map(parts => Buffer.from(parts.join('')))
  const anything = fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes))
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(exchanges)),
      fc.array(fc.oneof(text, anything), { maxLength: 3 }),
      (begin, messages) => {
        const exchange = begin()
        for (const message of messages) expect(exchange.step(message).kind).not.toBe('authenticated')
      },
    ),
    { seed, numRuns: runs(1000) },
  )
})
