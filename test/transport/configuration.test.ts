import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { describe, expect, test } from 'vitest'
import { addressKey } from '../../src/transport/address.js'
import { createTransport } from '../../src/transport/index.js'
import { configurationOf, retryOf } from '../../src/transport/kafkajs/index.js'
import { answerMetadata, askMetadata, startBroker } from './harness.js'

const newKafka = (brokers = ['127.0.0.1:1']) =>
  new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 3 } })

/** A Kafka whose private member of that name is replaced. */
const doctored = (name: string, replace: (real: never) => unknown, brokers?: string[]): Kafka => {
  const kafka = newKafka(brokers) as unknown as Record<symbol, unknown>
  const symbol = Object.getOwnPropertySymbols(kafka).find(each => each.description === name)
  if (symbol === undefined) throw new Error(`kafkajs has no ${name}`)
  kafka[symbol] = replace(kafka[symbol] as never)
  return kafka as unknown as Kafka
}

const CREATE_CLUSTER = 'private:Kafka:createCluster'
type CreateCluster = (options: object) => {
  connectionPoolBuilder: { build: (...options: never[]) => Promise<{ pool: Record<string, unknown>[] }> }
  brokerPool: object
}

/** A Kafka whose connections are changed before anyone sees them. */
const withConnections = (change: (connection: Record<string, unknown>) => void, brokers?: string[]): Kafka =>
  doctored(
    CREATE_CLUSTER,
    (create: CreateCluster) => (options: object) => {
      const cluster = create(options)
      const { build } = cluster.connectionPoolBuilder
      cluster.connectionPoolBuilder.build = async (...destination) => {
        const pool = await build(...destination)
        pool.pool.forEach(change)
        return pool
      }
      return cluster
    },
    brokers,
  )

test("a real Kafka gives its cluster's retry options", () => {
  expect(retryOf(newKafka())).toEqual({ retries: 3 })
})

test('symbols are found by what they say, so another copy of kafkajs will do', () => {
  const kafka = newKafka()
  const copy = Object.fromEntries([]) as Record<symbol, unknown>
  for (const symbol of Object.getOwnPropertySymbols(kafka)) {
    copy[Symbol(symbol.description)] = (kafka as unknown as Record<symbol, unknown>)[symbol]
  }
  expect(() => createTransport(copy as unknown as Kafka)).not.toThrow()
})

test.each([
  ['nothing', undefined, 'undefined'],
  ['null', null, 'null'],
  ['an object of another library', {}, 'private:Kafka:createCluster'],
  ['no function to create a cluster', doctored(CREATE_CLUSTER, () => 1), 'createCluster'],
  ['a cluster that is none', doctored(CREATE_CLUSTER, () => () => null), 'Cluster is null'],
  [
    'a cluster without a pool builder',
    doctored(CREATE_CLUSTER, () => () => ({ brokerPool: {} })),
    'connectionPoolBuilder',
  ],
  [
    'a broker pool that makes no brokers',
    doctored(CREATE_CLUSTER, (create: CreateCluster) => (options: object) => ({
      ...create(options),
      brokerPool: {},
    })),
    'createBroker',
  ],
  ['a logger without namespaces', doctored('private:Kafka:logger', () => ({ debug() {} })), 'logger'],
])('%s is refused at once, by name', (_, kafka, missing) => {
  expect(() => createTransport(kafka as Kafka)).toThrowError(
    expect.objectContaining({ name: 'IncompatibleKafkajsError', message: expect.stringContaining(missing) }),
  )
})

test.each([
  [
    'a connection without a socket factory',
    withConnections(each => {
      each.socketFactory = undefined
    }),
    'socketFactory',
  ],
  [
    'a connection without a time-out',
    withConnections(each => {
      each.connectionTimeout = undefined
    }),
    'connectionTimeout',
  ],
])('%s is refused when the first connection is made, by name', async (_, kafka, missing) => {
  const transport = createTransport(kafka)
  await expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'IncompatibleKafkajsError',
    retriable: false,
    message: expect.stringContaining(missing),
  })
  await transport.close()
})

test('a kafkajs with other connections inside will do: none of its network code is used', async () => {
  const broker = await startBroker()
  const kafka = withConnections(
    each => {
      for (const name of ['requestQueue', 'processData', 'authenticate', 'connect', 'send'])
        each[name] = undefined
    },
    [broker.address],
  )
  const transport = createTransport(kafka)
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
  await transport.close()
})

test('before kafkajs 2.1 a builder gives the connection itself', async () => {
  const broker = await startBroker()
  const kafka = doctored(
    CREATE_CLUSTER,
    (create: CreateCluster) => (options: object) => {
      const { connectionPoolBuilder, brokerPool } = create(options)
      const build = async (...destination: never[]) =>
        (await connectionPoolBuilder.build(...destination)).pool[0]
      return { connectionBuilder: { build }, brokerPool }
    },
    [broker.address],
  )
  const transport = createTransport(kafka)
  const asked = askMetadata(transport)
  await answerMetadata(broker)
  await asked
  await transport.close()
})

const settingsOf = async (kafka: Kafka) => configurationOf(kafka).settings()
const seedsOf = async (kafka: Kafka) => {
  const seeds = configurationOf(kafka).seeds()
  const all: string[] = []
  for (let step = await seeds.next(); step.done !== true; step = await seeds.next())
    all.push(addressKey(step.value))
  return all
}

const CONFIG: KafkaConfig = {
  brokers: ['one:1', 'two:2'],
  clientId: 'me',
  ssl: { servername: 'kafka' },
  sasl: { mechanism: 'plain', username: 'u', password: 'p' },
  connectionTimeout: 1,
  authenticationTimeout: 2,
  reauthenticationThreshold: 3,
  requestTimeout: 4,
  logLevel: logLevel.NOTHING,
}

test.each([
  ['a Kafka of kafkajs', () => new Kafka(CONFIG)],
  ['a ResilientKafka', () => new ResilientKafka(CONFIG)],
])('%s: what connections need of its configuration', async (_, make) => {
  const { socketFactory, ...settings } = await settingsOf(make())
  expect(socketFactory).toBeTypeOf('function')
  expect(settings).toEqual({
    clientId: 'me',
    ssl: CONFIG.ssl,
    sasl: CONFIG.sasl,
    connectionTimeoutMs: 1,
    authenticationTimeoutMs: 2,
    reauthenticationThresholdMs: 3,
    requestTimeoutMs: 4,
  })
  expect(await seedsOf(make())).toEqual(['one:1', 'two:2'])
})

test.each([
  ['a Kafka of kafkajs', (config: KafkaConfig) => new Kafka(config)],
  ['a ResilientKafka', (config: KafkaConfig) => new ResilientKafka(config)],
])('%s has the defaults of kafkajs', async (_, make) => {
  expect(await settingsOf(make({ brokers: ['b:1'] }))).toMatchObject({
    clientId: 'kafkajs',
    connectionTimeoutMs: 1_000,
    authenticationTimeoutMs: 10_000,
    reauthenticationThresholdMs: 10_000,
    requestTimeoutMs: 30_000,
  })
})

describe.each([
  [
    'a Kafka of kafkajs',
    (brokers: KafkaConfig['brokers']) => new Kafka({ brokers, logLevel: logLevel.NOTHING }),
  ],
  [
    'a ResilientKafka',
    (brokers: KafkaConfig['brokers']) => new ResilientKafka({ brokers, logLevel: logLevel.NOTHING }),
  ],
])('the seeds of %s', (_, make) => {
  test.each<[KafkaConfig['brokers'], string[]]>([
    [['h:1'], ['h:1']],
    [['[::1]:9093'], ['[::1]:9093']],
    [['::1:24030'], ['[::1]:24030']],
    [['::1:9093'], ['[::1]:9093']],
    [['::1'], ['[::1]:9092']],
    [
      ['[2001:db8::1]:9093', 'h:1'],
      ['[2001:db8::1]:9093', 'h:1'],
    ],
    [
      ['h:1', '2001:470::1:9093'],
      ['h:1', '[2001:470::1]:9093'],
    ],
    [['fe80::1%eth0:9093'], ['[fe80::1%eth0]:9093']],
    [['cafe:9093'], ['cafe:9093']],
    [['h'], ['h:9092']],
    [() => ['[::1]:9093', 'h:1'], ['[::1]:9093', 'h:1']],
    [async () => ['[::1]:9093'], ['[::1]:9093']],
  ])('%s', async (brokers, expected) => {
    const { isArray } = Array
    // The same address twice is one candidate of two.
    expect([...new Set(await seedsOf(make(brokers)))]).toEqual(expected)
    expect(Array.isArray).toBe(isArray)
  })

  test.each<[string, unknown]>([
    ['no list', undefined],
    ['an empty list', []],
    ['a seed that is no text', [7]],
    ['an empty seed', ['']],
    ['a port that is none', ['h:port']],
    ['a port beyond all', ['h:70000']],
  ])('%s is told at once', async (_name, brokers) => {
    await expect(seedsOf(make(brokers as never))).rejects.toMatchObject({ retriable: false })
  })

  test('a function that throws is told by its error', async () => {
    const brokers = () => {
      throw new Error('discovery is down')
    }
    await expect(seedsOf(make(brokers))).rejects.toMatchObject({
      name: 'KafkaJSConnectionError',
      retriable: true,
      message: expect.stringContaining('discovery is down'),
    })
  })
})

test('the configuration of a ResilientKafka is read at each connect', async () => {
  const config: KafkaConfig = { ...CONFIG, ssl: false }
  const { settings } = configurationOf(new ResilientKafka(config))
  config.ssl = { ca: ['new'] }
  config.sasl = { mechanism: 'plain', username: 'u', password: 'changed' }
  expect(await settings()).toMatchObject({ ssl: { ca: ['new'] }, sasl: { password: 'changed' } })
})

test('what is changed in the objects of a Kafka by kafkajs is taken with the next connection', async () => {
  const sasl = { mechanism: 'plain', username: 'u', password: 'p' } as const
  const ssl = { ca: ['old'] }
  const { settings } = configurationOf(new Kafka({ ...CONFIG, sasl, ssl }))
  await settings()
  Object.assign(sasl, { password: 'changed' })
  ssl.ca = ['new']
  expect(await settings()).toMatchObject({ ssl: { ca: ['new'] }, sasl: { password: 'changed' } })
})
