import tls from 'node:tls'
import { type ISocketFactory, logLevel } from 'kafkajs'
import { changed, type EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { cert, key } from '../../testing/support/certificate.js'
import { makeProducer, send, startCluster } from './support.js'

const TLS = { listeners: { tls: { key, cert } } }

const collected = () => {
  const lines: { level: string; message: string }[] = []
  return {
    lines,
    config: {
      logLevel: logLevel.WARN,
      logCreator: () => (entry: { label: string; log: { message: string } }) =>
        void lines.push({ level: entry.label, message: entry.log.message }),
    },
  }
}

const connectionsTo = (cluster: EmbeddedKafka): number => cluster.journal.of('ApiVersions').length

test('a certificate that does not verify ends a first connect() at once, with what to do', async () => {
  const cluster = await startCluster(TLS)
  const producer = makeProducer(cluster.bootstrap, {}, { ssl: {} })
  await expect(producer.connect()).rejects.toMatchObject({
    name: 'CertificateError',
    broker: cluster.bootstrap[0],
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    message: expect.stringContaining('ssl.ca'),
  })
  expect(connectionsTo(cluster)).toBe(0)
})

test('a certificate for another name says so', async () => {
  const cluster = await startCluster(TLS)
  const ssl = { ca: [cert], servername: 'another.example' }
  const producer = makeProducer(cluster.bootstrap, {}, { ssl })
  await expect(producer.connect()).rejects.toMatchObject({
    name: 'CertificateError',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    message: expect.stringContaining('ssl.servername'),
  })
})

test('a seed with a certificate that does not verify does not hide one that is in order', async () => {
  const [bad, good] = [await startCluster(TLS), await startCluster(TLS)]
  good.createTopic('t')
  const badPort = Number(bad.bootstrap[0]!.split(':')[1])
  const socketFactory: ISocketFactory = ({ host, port, onConnect }) =>
    tls.connect({ host, port, ca: port === badPort ? [] : [cert] }, onConnect)
  const brokers = [...bad.bootstrap, ...good.bootstrap]
  const producer = makeProducer(brokers, {}, { ssl: true, socketFactory })
  await producer.connect()
  await send(producer, 't', 'a')
})

test('a certificate that no longer verifies is warned of once, and retried', async () => {
  const cluster = await startCluster(TLS)
  cluster.createTopic('t')
  const { lines, config } = collected()
  const ssl = { ca: [cert] }
  const producer = makeProducer(cluster.bootstrap, {}, { ...config, ssl })
  await producer.connect()
  await send(producer, 't', 'a')
  ssl.ca = []
  cluster.cutConnections()
  const sent = send(producer, 't', 'b')
  while (!lines.some(({ message }) => message.includes('does not verify')))
    await new Promise(resolve => setTimeout(resolve, 10))
  ssl.ca = [cert]
  await sent
  expect(lines.filter(({ message }) => message.startsWith('The TLS certificate'))).toHaveLength(1)
})

test.each([-1n, -5n])('a producer id of %s is refused, and asked for again', async producerId => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  cluster.on(
    'InitProducerId',
    changed(response => ({ ...response, producerId })),
  )
  const producer = makeProducer(cluster.bootstrap, { idempotent: true })
  await producer.connect()
  expect(cluster.journal.of('InitProducerId')).toHaveLength(2)
  await send(producer, 't', 'a')
})

test('what a broker says of a login, and the host that it advertises, forge no line', async () => {
  const forged = 'no\n2026-01-01 ERROR root \u001b[31m\u202e'
  const cluster = await startCluster({ listeners: { sasl: { users: { u: 'p' } } } })
  cluster.on(
    'SaslAuthenticate',
    changed(response => ({ ...response, errorCode: 58, errorMessage: forged })),
    { times: Infinity },
  )
  const producer = makeProducer(
    cluster.bootstrap,
    {},
    { sasl: { mechanism: 'plain', username: 'u', password: 'p' } },
  )
  const error = await producer.connect().catch((reason: Error) => reason)
  expect((error as Error).message).toContain('no\\u000a2026-01-01 ERROR root \\u001b[31m\\u202e')
})
