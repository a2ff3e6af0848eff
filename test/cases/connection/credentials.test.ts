import type { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { makeProducer, passTime, send, startCluster } from './support.js'

const SASL_AUTHENTICATION_FAILED = 58
const SCRAM = { sasl: { mechanism: 'scram-sha-256', username: 'u', password: 'p' } } as const

/** A token of another principal from the second call of `change` on: brokers do not let a session change it. */
const changingPrincipal = () => {
  let principal = 'alice'
  const sasl = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: principal }) } as const
  return {
    config: { sasl },
    change() {
      principal = 'bob'
    },
  }
}

test.each(['on connections in use', 'on idle connections'])(
  'a principal that changes is noticed by no send, known topic or new, %s',
  async when => {
    const listeners = { sasl: { principalOfToken: (token: string) => token, sessionLifetimeMs: 20_000 } }
    const cluster = await startCluster({ listeners, autoCreate: {} })
    for (const topic of ['a', 'c']) cluster.createTopic(topic)
    const credentials = changingPrincipal()
    const producer = makeProducer(cluster.bootstrap, {}, credentials.config)
    await producer.connect()
    await send(producer, 'a', '1')
    credentials.change()
    if (when === 'on connections in use') {
      const gate = cluster.gate()
      cluster.on('Produce', async (request, next) => {
        await gate.wait(request.stopped)
        return next()
      })
      const held = send(producer, 'a', '2')
      await gate.arrived
      passTime(16_000)
      gate.open()
      await held
    } else passTime(16_000)
    for (const topic of ['a', 'b', 'c', 'd']) await send(producer, topic, '3')
  },
)

test('a principal that changes is noticed by no transaction', async () => {
  const listeners = { sasl: { principalOfToken: (token: string) => token, sessionLifetimeMs: 20_000 } }
  const cluster = await startCluster({ listeners })
  for (const topic of ['a', 'c']) cluster.createTopic(topic)
  const credentials = changingPrincipal()
  const producer = makeProducer(cluster.bootstrap, { transactionalId: 'tx' }, credentials.config)
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'a', messages: [{ value: '1' }] })
  credentials.change()
  passTime(16_000)
  await transaction.send({ topic: 'c', messages: [{ value: '2' }] })
  await transaction.commit()
  const next = await producer.transaction()
  await next.send({ topic: 'a', messages: [{ value: '3' }] })
  await next.abort()
})

/** Refuses so many logins. */
const refuse = (cluster: EmbeddedKafka, count: number, node?: number) => {
  let refused = 0
  const off = cluster.on(
    'SaslAuthenticate',
    (request, next) => {
      if (refused >= count) return next()
      refused++
      return request.refuse(SASL_AUTHENTICATION_FAILED)
    },
    { times: Infinity, ...(node !== undefined && { node }) },
  )
  return { off, refused: () => refused }
}

test('a first login that is refused ends connect() at once', async () => {
  const cluster = await startCluster({ listeners: { sasl: { users: { u: 'other' } } } })
  const producer = makeProducer(cluster.bootstrap, {}, SCRAM)
  await expect(producer.connect()).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
  expect(cluster.journal.of('SaslHandshake')).toHaveLength(1)
})

test('a broker that refuses logins while it starts fails no send', async () => {
  const cluster = await startCluster({ brokers: 2, listeners: { sasl: { users: { u: 'p' } } } })
  cluster.createTopic('t', { partitions: 2, leaders: [0, 1] })
  const producer = makeProducer(cluster.bootstrap, {}, SCRAM)
  await producer.connect()
  for (const partition of [0, 1])
    await producer.send({ topic: 't', messages: [{ partition, value: 'warm' }] })
  const { refused } = refuse(cluster, 4, 1)
  await cluster.stopBroker(1)
  await cluster.startBroker(1)
  cluster.moveLeader('t', 1, 1)
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      producer.send({ topic: 't', messages: [{ partition: i % 2, value: 'x' }] }),
    ),
  )
  expect(refused()).toBe(4)
})

test('logins that are refused during an abort delay it, and the producer goes on', async () => {
  const cluster = await startCluster({ listeners: { sasl: { users: { u: 'p' } } } })
  cluster.createTopic('t')
  const producer = makeProducer(cluster.bootstrap, { transactionalId: 'tx' }, SCRAM)
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 't', messages: [{ value: 'a' }] })
  const { refused } = refuse(cluster, 2)
  cluster.cutConnections()
  await transaction.abort()
  expect(refused()).toBe(2)
  const next = await producer.transaction()
  await next.send({ topic: 't', messages: [{ value: 'b' }] })
  await next.commit()
})

test('an abort that could not be asked for rejects, may be asked for again, and ends nothing else', async () => {
  const cluster = await startCluster({ listeners: { sasl: { users: { u: 'p' } } } })
  cluster.createTopic('t')
  const options = { transactionalId: 'tx', deliveryTimeoutMs: 400 }
  const producer = makeProducer(cluster.bootstrap, options, SCRAM)
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 't', messages: [{ value: 'a' }] })
  const { off } = refuse(cluster, Infinity)
  cluster.cutConnections()
  await expect(transaction.abort()).rejects.toMatchObject({ name: 'CoordinatorTimeoutError' })
  expect(transaction.isActive()).toBe(true)
  off()
  await transaction.abort()
  expect(transaction.isActive()).toBe(false)
  const next = await producer.transaction()
  await next.send({ topic: 't', messages: [{ value: 'b' }] })
  await next.commit()
})

test.each([500, 1_000, -1])(
  'sessions of %d ms work, without a login per request',
  async sessionLifetimeMs => {
    const cluster = await startCluster({ listeners: { sasl: { users: { u: 'p' }, sessionLifetimeMs } } })
    cluster.createTopic('t')
    const producer = makeProducer(cluster.bootstrap, {}, { sasl: { ...SCRAM.sasl, mechanism: 'plain' } })
    await producer.connect()
    for (let i = 0; i < 20; i++) await send(producer, 't', `${i}`)
    expect(cluster.journal.of('SaslAuthenticate').length).toBeLessThan(10)
  },
)
