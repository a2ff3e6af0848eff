import { once } from 'node:events'
import net from 'node:net'
import { networkInterfaces } from 'node:os'
import { Duplex } from 'node:stream'
import { type ISocketFactory, type KafkaConfig, logLevel } from 'kafkajs'
import { createResilientProducer, ResilientKafka } from 'kafkajs-resilient-producer'
import { errorCode } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { finally_, makeProducer, send, startCluster } from './support.js'

const hasIpv6 = Object.values(networkInterfaces()).some(each =>
  each?.some(({ address }) => address === '::1'),
)

describe.runIf(hasIpv6)('IPv6', () => {
  const listen = async (upstream: string) => {
    const port = Number(upstream.split(':')[1])
    const server = net.createServer(client => {
      const socket = net.connect(port, '127.0.0.1')
      client.pipe(socket).pipe(client)
      for (const each of [client, socket]) each.on('error', () => {})
      client.on('close', () => socket.destroy())
      socket.on('close', () => client.destroy())
    })
    server.listen(0, '::1')
    await once(server, 'listening')
    finally_(() => server.close())
    return (server.address() as net.AddressInfo).port
  }

  test.each<[string, (port: number) => KafkaConfig['brokers']]>([
    ['a seed in brackets', port => [`[::1]:${port}`]],
    ['a seed without brackets', port => [`::1:${port}`]],
    ['beside others', port => ['127.0.0.1:1', `[::1]:${port}`]],
    ['of a function', port => async () => [`[::1]:${port}`]],
  ])('%s', async (_, brokers) => {
    const cluster = await startCluster()
    cluster.createTopic('t')
    const producer = makeProducer(brokers(await listen(cluster.bootstrap[0]!)))
    await producer.connect()
    await send(producer, 't', 'a')
  })
})

/** Passes bytes on, and is no net.Socket: it has neither setNoDelay nor setKeepAlive, nor, with `emitClose` false, an end to be seen. */
const duplexOver = (socket: net.Socket, emitClose: boolean): Duplex => {
  const duplex = new Duplex({
    emitClose,
    read: () => socket.resume(),
    write: (chunk, _encoding, done) => socket.write(chunk, done),
    final: done => socket.end(done),
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', data => duplex.push(data) || socket.pause())
  socket.on('end', () => duplex.push(null))
  socket.on('error', error => duplex.destroy(error))
  return duplex
}

test.each([true, false])('any Duplex of a socketFactory will do (it says close: %s)', async emitClose => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const socketFactory = (({ host, port, onConnect }: Parameters<ISocketFactory>[0]) =>
    duplexOver(net.connect({ host, port }, onConnect), emitClose)) as unknown as ISocketFactory
  const producer = makeProducer(cluster.bootstrap, {}, { socketFactory })
  await producer.connect()
  await send(producer, 't', 'a')
  await send(producer, 't', 'x'.repeat(900_000))
  cluster.cutConnections()
  await send(producer, 't', 'b')
  await producer.disconnect()
})

test.each<[string, () => unknown]>([
  ['throws', () => nowhere()],
  ['gives no stream', () => ({})],
  ['gives nothing', () => undefined],
])('a socketFactory that %s is an error of connecting, and no more', async (_, make) => {
  const producer = makeProducer(
    ['127.0.0.1:1'],
    { metadataRetry: { retries: 1, minTimeoutMs: 1, maxTimeoutMs: 1 } },
    { socketFactory: make as ISocketFactory },
  )
  await expect(producer.connect()).rejects.toMatchObject({
    name: 'BrokersUnreachableError',
    cause: { name: 'KafkaJSConnectionError', message: expect.stringContaining('Failed to connect') },
  })
})

const nowhere = (): never => {
  throw new Error('the tunnel is closed')
}

test.each(['of debug lines', 'of warnings and errors'])(
  'a logger that throws at lines %s disturbs nobody',
  async which => {
    const cluster = await startCluster()
    cluster.createTopic('t')
    let thrown = 0
    const kafka = new ResilientKafka({
      brokers: cluster.bootstrap,
      logLevel: logLevel.DEBUG,
      // PLAIN without TLS and the like are warned of.
      logCreator:
        () =>
        ({ level }) => {
          if ((level === logLevel.DEBUG) !== (which === 'of debug lines')) return
          thrown++
          throw new Error('the log transport is gone')
        },
    })
    const producer = kafka.producer()
    await producer.connect()
    await send(producer, 't', 'a')
    cluster.cutConnections()
    await send(producer, 't', 'b')
    cluster.on('Produce', errorCode(7), { times: 1 })
    await send(producer, 't', 'c')
    await producer.disconnect()
    if (which === 'of debug lines') expect(thrown).toBeGreaterThan(0)
  },
)

test('a producer is made from a KafkaConfig alone', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const producer = createResilientProducer({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  await producer.connect()
  await send(producer, 't', 'a')
  await producer.disconnect()
})

test('allowBroker keeps credentials from an address that is advertised, and says so once', async () => {
  const cluster = await startCluster({ brokers: 2 })
  cluster.createTopic('t', { partitions: 1, leaders: [1] })
  const [seed, forbidden] = cluster.bootstrap
  const lines: string[] = []
  const producer = makeProducer(
    [seed!],
    { allowBroker: (host, port) => `${host}:${port}` !== forbidden, deliveryTimeoutMs: 500 },
    { logLevel: logLevel.WARN, logCreator: () => entry => void lines.push(entry.log.message) },
  )
  await producer.connect()
  await expect(send(producer, 't', 'a')).rejects.toMatchObject({
    outcome: 'not-written',
    cause: { name: 'BrokerNotAllowedError', broker: forbidden },
  })
  expect(lines.filter(line => line.includes('allowBroker refuses'))).toHaveLength(1)
  expect(cluster.journal.entries.filter(({ node }) => node === 1)).toEqual([])
})

test('consumers and admins of a ResilientKafka make no timer of negative length', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const negative: number[] = []
  const { setTimeout: real } = globalThis
  finally_(() => Object.assign(globalThis, { setTimeout: real }))
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 0) => {
      if (ms < 0) negative.push(ms)
      return real(run, ms)
    },
  })
  const kafka = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.listTopics()
  await admin.disconnect()
  const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic: 't', fromBeginning: true })
  await consumer.run({ eachMessage: async () => {} })
  await consumer.disconnect()
  expect(negative).toEqual([])
})
