import { connect as connectTls } from 'node:tls'
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { saslAuthenticateApi } from '../../src/protocol/messages/saslAuthenticate.js'
import { saslHandshakeApi } from '../../src/protocol/messages/saslHandshake.js'
import { cert, key } from './support/certificate.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka

afterEach(() => cluster.close())

const users = { alice: 'secret', ünï: 'pässword' }

const send = async (config: Partial<KafkaConfig>): Promise<string> => {
  const kafka = new Kafka({
    brokers: cluster.bootstrap,
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    ...config,
  })
  const producer = kafka.producer()
  try {
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'x' }] })
    return 'sent'
  } catch (error) {
    return (error as Error).name
  } finally {
    await producer.disconnect()
  }
}

const plain = (username: string, password: string) => ({ mechanism: 'plain', username, password }) as const

describe('a listener with TLS and SASL', () => {
  test('serves kafkajs with the right password, and refuses it with a wrong one or none', async () => {
    cluster = await EmbeddedKafka.start({
      brokers: 2,
      autoCreate: { createdAfter: 0 },
      listeners: { tls: { key, cert }, sasl: { users } },
    })
    const ssl = { ca: [cert] }
    expect(await send({ ssl, sasl: plain('alice', 'secret') })).toBe('sent')
    expect(await send({ ssl, sasl: plain('ünï', 'pässword') })).toBe('sent')
    expect(await send({ ssl, sasl: plain('alice', 'wrong') })).toBe('KafkaJSSASLAuthenticationError')
    expect(await send({ ssl, sasl: plain('toString', 'x') })).toBe('KafkaJSSASLAuthenticationError')
    expect(await send({ ssl })).not.toBe('sent')
    expect(await send({ sasl: plain('alice', 'secret') })).not.toBe('sent')
    expect(cluster.records('t')).toHaveLength(2)
  })

  test('closes what never ended its handshake', async () => {
    cluster = await EmbeddedKafka.start({ listeners: { tls: { key, cert } } })
    const idle = await RawClient.connect(cluster.bootstrap[0]!)
    await cluster.close({ clients: 'may-stay' })
    await idle.ended()
  })

  test('speaks TLS 1.2 and newer with the certificate it was given', async () => {
    cluster = await EmbeddedKafka.start({ listeners: { tls: { key, cert } } })
    const [host, port] = cluster.bootstrap[0]!.split(':')
    const socket = connectTls({ host, port: Number(port), ca: [cert] })
    await new Promise(resolve => socket.once('secureConnect', resolve))
    expect(socket.authorized).toBe(true)
    socket.destroy()
  })
})

describe('SASL PLAIN', () => {
  const authenticate = (client: RawClient, user: string, password: string) =>
    client.call(saslAuthenticateApi, 1, { authBytes: Buffer.from(`\0${user}\0${password}`) })

  const askMetadata = (client: RawClient) =>
    client.call(metadataApi, 9, { topics: [], allowAutoTopicCreation: false })

  const connect = () => RawClient.connect(cluster.bootstrap[0]!)

  test('lets a connection do nothing but authenticate before it has', async () => {
    cluster = await EmbeddedKafka.start({ listeners: { sasl: { users } } })
    const client = await connect()
    expect((await client.call(apiVersionsApi, 3, {}))?.errorCode).toBe(0)
    expect(await askMetadata(client)).toBeUndefined()
    expect(cluster.journal.of('Metadata')).toEqual([])
  })

  test('names its mechanisms, wants the handshake first, and ends with a wrong password', async () => {
    cluster = await EmbeddedKafka.start({ listeners: { sasl: { users } } })
    const client = await connect()
    expect((await authenticate(client, 'alice', 'secret'))?.errorCode).toBe(ERROR.ILLEGAL_SASL_STATE)
    expect(await client.call(saslHandshakeApi, 1, { mechanism: 'GSSAPI' })).toMatchObject({
      errorCode: ERROR.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: expect.arrayContaining(['PLAIN']),
    })
    await client.call(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    expect((await authenticate(client, 'alice', 'wrong'))?.errorCode).toBe(ERROR.SASL_AUTHENTICATION_FAILED)
    await client.ended()
  })

  test('ends a session that is not renewed in its lifetime, and keeps one that is', async () => {
    cluster = await EmbeddedKafka.start({ listeners: { sasl: { users, sessionLifetimeMs: 40 } } })
    const [renewing, idle] = [await connect(), await connect()]
    for (const client of [renewing, idle]) {
      await client.call(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
      expect((await authenticate(client, 'alice', 'secret'))?.sessionLifetimeMs).toBe(40n)
    }
    const end = performance.now() + 60
    while (performance.now() < end) {
      await renewing.call(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
      await authenticate(renewing, 'alice', 'secret')
    }
    expect(await askMetadata(renewing)).toBeDefined()
    expect(await askMetadata(idle)).toBeUndefined()
    await renewing.close()
  })

  test('is refused by a listener without it', async () => {
    cluster = await EmbeddedKafka.start()
    const client = await connect()
    expect((await client.call(saslHandshakeApi, 1, { mechanism: 'PLAIN' }))?.errorCode).toBe(
      ERROR.ILLEGAL_SASL_STATE,
    )
    await client.close()
  })
})
