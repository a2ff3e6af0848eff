import { EmbeddedKafka, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka
let client: RawClient
const extra: RawClient[] = []

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: false })
  cluster.createTopic('t', { leaders: [0] })
  client = await RawClient.connect(cluster.bootstrap[0]!)
  extra.length = 0
})

afterEach(async () => {
  await Promise.all([client, ...extra].map(each => each.close()))
  await cluster.close()
})

const another = async (node = 0): Promise<RawClient> => {
  const made = await RawClient.connect(cluster.bootstrap[node]!)
  extra.push(made)
  return made
}

const stored = () => cluster.records('t').map(({ value }) => `${value}`)

const request = (value = 'value') => ({
  transactionalId: null,
  acks: -1,
  timeoutMs: 100,
  topicData: [{ name: 't', partitionData: [{ index: 0, records: batch({ values: [value] }) }] }],
})

describe('which request a fault meets', () => {
  test('one, unless told otherwise; those with a count in their order, those that stay last', async () => {
    const remove = cluster.on('Produce', errorCode(19), { times: Infinity })
    cluster.on('Produce', errorCode(6), { times: 2 })
    cluster.on('Produce', errorCode(3))
    const codes: number[] = []
    for (let i = 0; i < 5; i++) codes.push((await produce(client, batch())).errorCode)
    remove()
    codes.push((await produce(client, batch())).errorCode)
    expect(codes).toEqual([6, 6, 3, 19, 19, 0])
  })

  test('those to one node', async () => {
    cluster.createTopic('u', { leaders: [1] })
    cluster.on('Produce', errorCode(19), { node: 1 })
    const other = await another(1)
    expect((await produce(client, batch())).errorCode).toBe(0)
    expect((await produce(other, batch(), { topic: 'u' })).errorCode).toBe(19)
  })

  test('those that name a topic: the other topics of a request are served', async () => {
    cluster.createTopic('u', { leaders: [0] })
    cluster.on('Produce', errorCode(19), { topic: 'u' })
    const both = await client.call(produceApi, 9, {
      ...request(),
      topicData: ['t', 'u'].map(name => ({ name, partitionData: [{ index: 0, records: batch() }] })),
    })
    const codes = both?.responses.map(({ name, partitionResponses }) => [
      name,
      partitionResponses[0]?.errorCode,
    ])
    expect(new Map(codes as [string, number][])).toEqual(
      new Map([
        ['t', 0],
        ['u', 19],
      ]),
    )
    expect(cluster.records('u')).toEqual([])
    expect(stored()).toEqual(['value'])
  })

  test.each([0, 9])('one topic of a metadata request for all, version %i', async version => {
    cluster.createTopic('u')
    cluster.on('Metadata', errorCode(ERROR.LEADER_NOT_AVAILABLE), { topic: 'u' })
    const all = await client.call(metadataApi, version, {
      topics: version === 0 ? [] : null,
      allowAutoTopicCreation: true,
    })
    const codes = all?.topics.map(({ name, errorCode: code }) => `${name} ${code}`)
    expect(codes?.sort()).toEqual(['t 0', 'u 5'])
  })
})
