import {
  dropBeforeApply,
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  hang,
} from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, test } from 'vitest'
import { decodeResponse, encodeBody } from '../../src/protocol/api.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import type { BrokerAddress, ProduceLink, Transport } from '../../src/transport/port.js'
import { batch } from '../testing/support/batches.js'
import { cert, key } from '../testing/support/certificate.js'
import { openTransport, recordExchange } from './harness.js'

let cluster: EmbeddedKafka | undefined

afterEach(async () => {
  expect(cluster?.journal.allTopicsRequests()).toEqual([])
  await cluster?.close({ clients: 'may-stay' })
  cluster = undefined
})

const start = async (options: EmbeddedKafkaOptions = {}, config: object = {}) => {
  cluster = await EmbeddedKafka.start({ brokers: 3, autoCreate: false, ...options })
  cluster.createTopic('t', { partitions: 3, replicationFactor: cluster.bootstrap.length })
  return { cluster, ...openTransport(cluster.bootstrap, config) }
}

const learnBrokers = async (transport: Transport): Promise<readonly BrokerAddress[]> => {
  const { response } = await transport.control(
    metadataApi,
    () => ({ topics: [{ name: 't' }], allowAutoTopicCreation: false }),
    { target: { anyBut: undefined }, timeoutMs: 20_000 },
  )
  transport.setBrokers(response.brokers)
  return response.brokers
}

/** From the next one on topics go by their ids. */
const LAST_BY_NAME = 12

const produceTo = async (link: ProduceLink, value: string, partition: number) => {
  const records = batch({ values: [value] })
  const version = Math.min(link.produceVersion, LAST_BY_NAME)
  const body = encodeBody(produceApi, produceApi.request, version, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: 't', partitionData: [{ index: partition, records }] }],
  })
  const recorded = recordExchange([])
  // Cut into pieces, as record batches stand between the parts of a request.
  const pieces = [body.subarray(0, 7), body.subarray(7, 40), body.subarray(40)]
  link.produce(version, pieces, -1, recorded.exchange)
  await recorded.ended
  const { payload, error } = recorded.result
  if (error) throw error
  const [topic] = decodeResponse(produceApi, version, payload ?? Buffer.alloc(0)).responses
  return topic?.partitionResponses[0]
}

test.each([
  ['the newest versions', {}, {}],
  ['versions before flexible ones', { maxVersions: { Metadata: 8, Produce: 8 } }, {}],
  [
    'TLS and SASL',
    { listeners: { tls: { key, cert }, sasl: { users: { alice: 'secret' } } } },
    { ssl: { ca: [cert] }, sasl: { mechanism: 'plain', username: 'alice', password: 'secret' } },
  ],
])('a cluster is learned and written to: %s', async (_, options, config) => {
  const { cluster, transport } = await start(options, config)
  const brokers = await learnBrokers(transport)
  expect(brokers.map(({ nodeId }) => nodeId)).toEqual([0, 1, 2])
  for (const partition of [0, 1, 2]) {
    const link = await transport.openProduceLink(cluster.leaderOf('t', partition))
    expect(await produceTo(link, `to ${partition}`, partition)).toMatchObject({
      errorCode: 0,
      baseOffset: 0n,
    })
  }
  expect(cluster.records('t').map(({ value }) => value?.toString())).toEqual(['to 0', 'to 1', 'to 2'])
})

test('a broker that stops closes its link and is passed over; back on its port it gets a new one', async () => {
  const { cluster, transport } = await start()
  await learnBrokers(transport)
  const leader = cluster.leaderOf('t', 0)
  const link = await transport.openProduceLink(leader)
  const closed = new Promise<Error>(resolve => {
    link.onClosed = resolve
  })
  await cluster.stopBroker(leader)
  expect(await closed).toMatchObject({ retriable: true })
  await expect(transport.openProduceLink(leader)).rejects.toMatchObject({ name: 'KafkaJSConnectionError' })
  const others = await Promise.all(
    [0, 1, 2].map(() =>
      transport.control(metadataApi, () => ({ topics: [] }), {
        target: { anyBut: undefined },
        timeoutMs: 20_000,
      }),
    ),
  )
  expect(others.map(({ nodeId }) => nodeId)).not.toContain(leader)
  await cluster.startBroker(leader)
  const again = await transport.openProduceLink(leader)
  expect(again).not.toBe(link)
  expect(again.isOpen).toBe(true)
})

test('a broker that hangs over a request loses that connection only', async () => {
  const { cluster, transport } = await start()
  await learnBrokers(transport)
  const link = await transport.openProduceLink(1)
  cluster.on('Metadata', hang, { node: 1, times: 1 })
  const hung = transport.control(metadataApi, () => ({ topics: [] }), { target: { node: 1 }, timeoutMs: 50 })
  await expect(hung).rejects.toMatchObject({ name: 'KafkaJSRequestTimeoutError' })
  expect(link.isOpen).toBe(true)
  const after = await transport.control(metadataApi, () => ({ topics: [] }), {
    target: { node: 1 },
    timeoutMs: 20_000,
  })
  expect(after.nodeId).toBe(1)
})

test('a broker that drops the connection instead of answering is a retriable error', async () => {
  const { cluster, transport } = await start()
  await learnBrokers(transport)
  cluster.on('Produce', dropBeforeApply, { times: 1 })
  const link = await transport.openProduceLink(cluster.leaderOf('t', 0))
  await expect(produceTo(link, 'lost', 0)).rejects.toMatchObject({ retriable: true })
  const next = await transport.openProduceLink(cluster.leaderOf('t', 0))
  expect(await produceTo(next, 'kept', 0)).toMatchObject({ errorCode: 0 })
  expect(cluster.records('t').map(({ value }) => value?.toString())).toEqual(['kept'])
})
