import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { createKafkajsTransport, retryOf } from '../../src/transport/kafkajs/index.js'
import { askMetadata } from './harness.js'

const emit = () => {}
const newKafka = () =>
  new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING, retry: { retries: 3 } })

/** A Kafka whose private member of that name is replaced. */
const doctored = (name: string, replace: (real: never) => unknown): Kafka => {
  const kafka = newKafka() as unknown as Record<symbol, unknown>
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
const withConnections = (change: (connection: Record<string, unknown>) => void): Kafka =>
  doctored(CREATE_CLUSTER, (create: CreateCluster) => (options: object) => {
    const cluster = create(options)
    const { build } = cluster.connectionPoolBuilder
    cluster.connectionPoolBuilder.build = async (...destination) => {
      const pool = await build(...destination)
      pool.pool.forEach(change)
      return pool
    }
    return cluster
  })

test("a real Kafka gives its cluster's retry options", () => {
  expect(retryOf(newKafka())).toEqual({ retries: 3 })
})

test('symbols are found by what they say, so another copy of kafkajs will do', () => {
  const kafka = newKafka()
  const copy = Object.fromEntries([]) as Record<symbol, unknown>
  for (const symbol of Object.getOwnPropertySymbols(kafka)) {
    copy[Symbol(symbol.description)] = (kafka as unknown as Record<symbol, unknown>)[symbol]
  }
  expect(() => createKafkajsTransport(copy as unknown as Kafka, { emit })).not.toThrow()
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
  expect(() => createKafkajsTransport(kafka as Kafka, { emit })).toThrowError(
    expect.objectContaining({ name: 'IncompatibleKafkajsError', message: expect.stringContaining(missing) }),
  )
})

test.each([
  [
    'a connection without a queue',
    withConnections(each => {
      each.requestQueue = undefined
    }),
    'requestQueue',
  ],
  [
    'a connection that does not parse',
    withConnections(each => {
      each.processData = undefined
    }),
    'processData',
  ],
  [
    'a queue that cannot be pushed to',
    withConnections(each => {
      each.requestQueue = Object.assign(Object.create(null), { pending: [], inflight: new Map() })
    }),
    'RequestQueue',
  ],
])('%s is refused when the first connection is made, by name', async (_, kafka, missing) => {
  const transport = createKafkajsTransport(kafka, { emit })
  await expect(askMetadata(transport)).rejects.toMatchObject({
    name: 'IncompatibleKafkajsError',
    retriable: false,
    message: expect.stringContaining(missing),
  })
})
