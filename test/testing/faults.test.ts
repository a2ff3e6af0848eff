import {
  changed,
  delayed,
  dropAfterApply,
  dropBeforeApply,
  EmbeddedKafka,
  ERROR,
  errorAfterApply,
  errorCode,
  type FaultFor,
  garbage,
  hang,
  hangAfterApply,
  hold,
  holdAnswer,
  partialAnswer,
  splitAnswer,
  throttle,
  wrongCorrelation,
} from 'kafkajs-resilient-producer/testing'
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

const askMetadata = (names: string[]) => ({
  topics: names.map(name => ({ name })),
  allowAutoTopicCreation: false,
})

describe('the verb', () => {
  test('errorCode refuses without applying', async () => {
    cluster.on('Produce', errorCode(ERROR.NOT_ENOUGH_REPLICAS))
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NOT_ENOUGH_REPLICAS)
    expect(stored()).toEqual([])
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NONE)
  })

  test('errorAfterApply refuses what it has applied, and serves the other topics', async () => {
    cluster.createTopic('u', { leaders: [0] })
    cluster.on('Produce', errorAfterApply(ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND), { topic: 't' })
    const both = await client.call(produceApi, 9, {
      ...request(),
      topicData: ['t', 'u'].map(name => ({ name, partitionData: [{ index: 0, records: batch() }] })),
    })
    const answers = both?.responses.map(
      ({ name, partitionResponses: [answer] }) => `${name} ${answer?.errorCode} ${answer?.baseOffset}`,
    )
    expect(answers?.sort()).toEqual(['t 20 -1', 'u 0 0'])
    expect(stored()).toEqual(['value'])
    expect(cluster.records('u')).toHaveLength(1)
  })

  test('errorCode on a request that wants no answer cuts the connection', async () => {
    cluster.on('Produce', errorCode(ERROR.NOT_LEADER_OR_FOLLOWER))
    client.request(produceApi, 9, { ...request(), acks: 0 })
    await client.ended()
    expect(client.unread).toHaveLength(0)
  })

  test.each([
    ['dropBeforeApply', dropBeforeApply, []],
    ['dropAfterApply', dropAfterApply, ['value']],
  ])('%s cuts the connection', async (_name, fault, logged) => {
    cluster.on('Produce', fault)
    client.request(produceApi, 9, request())
    await client.ended()
    expect(client.unread).toHaveLength(0)
    expect(stored()).toEqual(logged)
    expect(cluster.journal.of('Produce')[0]?.answered?.outcome).toBe('dropped')
  })

  test.each([
    ['hang', hang, []],
    ['hangAfterApply', hangAfterApply, ['value']],
  ])('%s answers nothing on that connection, others are served', async (_name, fault, logged) => {
    cluster.on('Produce', fault)
    client.request(produceApi, 9, request())
    client.request(metadataApi, 9, askMetadata(['t']))
    await cluster.journal.until(() => cluster.journal.of('Produce').length === 1)
    const other = await another()
    expect((await other.call(metadataApi, 9, askMetadata(['t'])))?.topics).toHaveLength(1)
    expect(client.unread).toHaveLength(0)
    expect(stored()).toEqual(logged)
    expect(cluster.journal.of('Metadata')).toHaveLength(1)
  })

  test('hold keeps a request back until its gate opens, and all behind it on that connection', async () => {
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate))
    const first = client.request(produceApi, 9, request('first'))
    const second = client.request(produceApi, 9, request('second'))
    await gate.arrived
    const other = await another()
    await other.call(produceApi, 9, request('overtakes'))
    expect(stored()).toEqual(['overtakes'])
    gate.open()
    await client.answer(produceApi, 9, first)
    await client.answer(produceApi, 9, second)
    expect(stored()).toEqual(['overtakes', 'first', 'second'])
  })

  test('hold applies a request though its client has gone', async () => {
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate))
    client.request(produceApi, 9, request('late'))
    await gate.arrived
    await client.close()
    gate.open()
    await cluster.journal.until(() => cluster.journal.of('Produce')[0]?.answered !== undefined)
    expect(stored()).toEqual(['late'])
  })

  test('hold applies nothing once the broker has stopped', async () => {
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate))
    client.request(produceApi, 9, request())
    await gate.arrived
    await cluster.stopBroker(0)
    gate.open()
    await cluster.journal.until(() => cluster.journal.of('Produce')[0]?.answered !== undefined)
    expect(stored()).toEqual([])
  })

  test('holdAnswer applies at once and answers when its gate opens', async () => {
    const gate = cluster.gate()
    cluster.on('Produce', holdAnswer(gate))
    const id = client.request(produceApi, 9, request())
    await gate.arrived
    expect(stored()).toEqual(['value'])
    expect(client.unread).toHaveLength(0)
    gate.open()
    expect((await client.answer(produceApi, 9, id))?.responses).toHaveLength(1)
  })

  test('delayed applies in the end', async () => {
    cluster.on('Produce', delayed(5))
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NONE)
  })

  test('throttle says so, then keeps the connection waiting', async () => {
    cluster.on('Produce', throttle(60_000))
    const first = client.request(produceApi, 9, request('first'))
    const second = client.request(produceApi, 9, request('second'))
    expect((await client.answer(produceApi, 9, first))?.throttleTimeMs).toBe(60_000)
    const other = await another()
    await other.call(metadataApi, 9, askMetadata(['t']))
    expect(second).toBe(2)
    expect(stored()).toEqual(['first'])
  })

  test.each([1, 4, 11])('partialAnswer sends %i bytes and cuts the connection', async bytes => {
    cluster.on('Produce', partialAnswer(bytes))
    client.request(produceApi, 9, request())
    await client.ended()
    expect(client.unread).toHaveLength(bytes)
    expect(stored()).toEqual(['value'])
  })

  test('splitAnswer sends the whole answer in pieces', async () => {
    cluster.on('Produce', splitAnswer(3))
    expect((await produce(client, batch())).baseOffset).toBe(0n)
  })

  test('garbage sends these bytes and applies nothing', async () => {
    cluster.on('Produce', garbage(Buffer.from('00000003cafe00', 'hex')))
    client.request(produceApi, 9, request())
    expect(await client.frame()).toEqual(Buffer.from('cafe00', 'hex'))
    expect(stored()).toEqual([])
  })

  test('wrongCorrelation answers under another id', async () => {
    cluster.on('Produce', wrongCorrelation(7))
    const id = client.request(produceApi, 9, request())
    await expect(client.answer(produceApi, 9, id)).rejects.toThrow(`the answer to ${id + 7}`)
  })

  test('changed rewrites the response', async () => {
    cluster.on(
      'Metadata',
      changed(response => ({ ...response, clusterId: 'another' })),
    )
    expect((await client.call(metadataApi, 9, askMetadata([])))?.clusterId).toBe('another')
  })
})

describe('a fault of one’s own', () => {
  test('sees the request, may serve it changed, and answers', async () => {
    const own: FaultFor<'Produce'> = async ({ body, node, clientId }, next) => {
      expect([node, clientId]).toEqual([0, 'raw'])
      const [topic] = body.topicData
      return next({
        ...body,
        topicData: [{ ...topic!, partitionData: [{ index: 0, records: batch({ values: ['swapped'] }) }] }],
      })
    }
    cluster.on('Produce', own)
    expect((await produce(client, batch())).errorCode).toBe(ERROR.NONE)
    expect(stored()).toEqual(['swapped'])
  })

  test('that throws cuts the connection and fails close()', async () => {
    const own = await EmbeddedKafka.start()
    own.on('*', () => {
      throw new Error('planted')
    })
    const reader = await RawClient.connect(own.bootstrap[0]!)
    reader.request(metadataApi, 9, askMetadata([]))
    await reader.ended()
    await expect(own.close()).rejects.toThrow('planted')
  })
})
