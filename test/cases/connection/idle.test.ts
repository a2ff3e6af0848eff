import { once } from 'node:events'
import net from 'node:net'
import { changed, type EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { finally_, makeProducer, passTime, send, startCluster, values } from './support.js'

/** In front of the cluster: it forgets its connections without a word, as a load balancer does, and takes new ones. */
const forgetfulProxy = async (cluster: EmbeddedKafka) => {
  const upstream = Number(cluster.bootstrap[0]!.split(':')[1])
  const pairs: { dead: boolean; sockets: net.Socket[] }[] = []
  const server = net.createServer(client => {
    const server = net.connect(upstream, '127.0.0.1')
    const pair = { dead: false, sockets: [client, server] }
    pairs.push(pair)
    client.on('data', data => pair.dead || server.write(data))
    server.on('data', data => pair.dead || client.write(data))
    for (const socket of pair.sockets) {
      socket.on('error', () => {})
      socket.on('close', () => {
        if (!pair.dead) for (const each of pair.sockets) each.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  finally_(() => {
    for (const { sockets } of pairs) for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as net.AddressInfo
  cluster.on(
    'Metadata',
    changed(response => ({ ...response, brokers: response.brokers.map(broker => ({ ...broker, port })) })),
    { times: Infinity },
  )
  return {
    address: `127.0.0.1:${port}`,
    get open() {
      return pairs.filter(({ sockets }) => sockets.some(socket => !socket.destroyed)).length
    },
    forget: () => {
      for (const pair of pairs) pair.dead = true
      return pairs.length
    },
    get connections() {
      return pairs.length
    },
  }
}

test.each([undefined, false])(
  'a connection forgotten while idle costs a new one, and nothing that was written is sent again (idempotent: %s)',
  async idempotent => {
    const cluster = await startCluster()
    cluster.createTopic('t')
    const proxy = await forgetfulProxy(cluster)
    // Whoever waited for the request's own time would outlast the test.
    const producer = makeProducer([proxy.address], { idempotent, requestTimeoutMs: 600_000 })
    await producer.connect()
    await send(producer, 't', '0')
    const before = proxy.forget()
    passTime(10_000)
    await send(producer, 't', '1')
    await send(producer, 't', '2')
    expect(proxy.connections - before).toBe(1)
    expect(values(cluster, 't')).toEqual(['0', '1', '2'])
    expect(cluster.journal.of('Produce')).toHaveLength(3)
  },
)

test('the first record of another topic, and a transaction, find a way past forgotten connections', async () => {
  const cluster = await startCluster()
  for (const topic of ['t', 'u']) cluster.createTopic(topic)
  const proxy = await forgetfulProxy(cluster)
  const producer = makeProducer([proxy.address], {
    transactionalId: 'tx',
    requestTimeoutMs: 600_000,
    metadataRequestTimeoutMs: 600_000,
  })
  await producer.connect()
  const first = await producer.transaction()
  await first.send({ topic: 't', messages: [{ value: '0' }] })
  await first.commit()
  proxy.forget()
  passTime(10_000)
  const next = await producer.transaction()
  await next.send({ topic: 'u', messages: [{ value: '1' }] })
  await next.commit()
  expect(cluster.records('u', undefined, 'committed').map(({ value }) => String(value))).toEqual(['1'])
})

test('an idle connection that lives keeps living: it is asked once, and used', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const producer = makeProducer(cluster.bootstrap)
  await producer.connect()
  await send(producer, 't', '0')
  passTime(10_000)
  await send(producer, 't', '1')
  expect(new Set(cluster.journal.of('Produce').map(({ connectionId }) => connectionId)).size).toBe(1)
})

test('connections on which nothing happens are closed after connectionsMaxIdleMs, and made anew when they are needed', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const proxy = await forgetfulProxy(cluster)
  const producer = makeProducer([proxy.address], { connectionsMaxIdleMs: 50 })
  await producer.connect()
  await send(producer, 't', '0')
  while (proxy.open > 0) await new Promise(resolve => setTimeout(resolve, 10))
  await send(producer, 't', '1')
  expect(values(cluster, 't')).toEqual(['0', '1'])
})
