import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { finally_, makeProducer, startCluster } from '../cases/connection/support.js'
import { cert, key } from '../testing/support/certificate.js'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** A second address of the loopback network, which no certificate of the tests names. */
const OTHER_HOST = '127.0.0.2'

/** Passes bytes on to a broker, under another address; tells the first bytes of each connection. */
const forward = async (to: string): Promise<{ readonly address: string; readonly begins: Buffer[] }> => {
  const begins: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const broker = connect(Number(to.split(':')[1]), '127.0.0.1')
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    client.once('data', bytes => begins.push(bytes))
    client.pipe(broker).pipe(client)
  })
  await new Promise<void>(resolve => server.listen(0, OTHER_HOST, resolve))
  finally_(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return { address: `${OTHER_HOST}:${(server.address() as { port: number }).port}`, begins }
}

const ONCE = { metadataRetry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 2 } }

test('a trusted certificate for another name is refused by default, before any request', async () => {
  const cluster = await startCluster({ listeners: { tls: { key, cert } } })
  const { address, begins } = await forward(cluster.bootstrap[0]!)
  const producer = makeProducer([address], ONCE, { ssl: { ca: [cert] } })
  await expect(producer.connect()).rejects.toMatchObject({
    name: 'CertificateError',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    broker: address,
  })
  expect(begins.length).toBeGreaterThan(0)
  expect(cluster.journal.entries).toEqual([])
})

test('with ssl, a broker that does not speak TLS gets nothing in plain text', async () => {
  const cluster = await startCluster()
  const { address, begins } = await forward(cluster.bootstrap[0]!)
  const sasl = { mechanism: 'plain', username: 'alice', password: 'correct-horse' } as const
  const producer = makeProducer([address], ONCE, { ssl: true, sasl, connectionTimeout: 500 })
  await expect(producer.connect({ timeoutMs: 5000 })).rejects.toThrow()
  expect(begins.length).toBeGreaterThan(0)
  // A record of TLS's handshake (RFC 8446, 5.1), on each connection that was tried.
  expect(new Set(begins.map(bytes => bytes[0]))).toEqual(new Set([0x16]))
  expect(begins.some(bytes => bytes.includes('correct-horse'))).toBe(false)
  expect(cluster.journal.entries).toEqual([])
})

test.each([
  ['scram-sha-512', 'PLAIN'],
  ['scram-sha-256', 'SCRAM-SHA-512'],
  ['plain', 'SCRAM-SHA-256'],
] as const)(
  '%s is not given up for %s, the only mechanism that the broker takes',
  async (mechanism, taken) => {
    const users = { alice: 'correct-horse' }
    const cluster = await startCluster({ listeners: { sasl: { users, mechanisms: [taken] } } })
    const sasl = { mechanism, username: 'alice', password: users.alice } as never
    const producer = makeProducer(cluster.bootstrap, ONCE, { sasl })
    await expect(producer.connect()).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
    const asked = cluster.journal
      .of('SaslHandshake')
      .map(({ body }) => (body as { mechanism: string }).mechanism)
    expect(new Set(asked)).toEqual(new Set([mechanism.toUpperCase()]))
    expect(cluster.journal.of('SaslAuthenticate')).toEqual([])
  },
)

test('with sasl, a broker that takes no login gets no request', async () => {
  const cluster = await startCluster()
  cluster.on('SaslHandshake', errorCode(ERROR.ILLEGAL_SASL_STATE), { times: Infinity })
  const sasl = { mechanism: 'plain', username: 'alice', password: 'correct-horse' } as const
  const producer = makeProducer(cluster.bootstrap, ONCE, { sasl })
  await expect(producer.connect()).rejects.toThrow()
  const requests = new Set(cluster.journal.entries.map(({ api }) => api))
  expect(requests).toEqual(new Set(['ApiVersions', 'SaslHandshake']))
})

describe('nothing runs at installation', () => {
  const SCRIPTS = ['preinstall', 'install', 'postinstall']

  test('of the package', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    expect(SCRIPTS.filter(name => name in scripts)).toEqual([])
  })

  test('of what it depends on', () => {
    interface Package {
      readonly dev?: boolean
      readonly devOptional?: boolean
      readonly peer?: boolean
      readonly hasInstallScript?: boolean
    }
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> }
    const installed = Object.entries(packages).filter(
      ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional,
    )
    expect(installed.map(([path]) => path)).toContain('node_modules/commander')
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
  })
})
