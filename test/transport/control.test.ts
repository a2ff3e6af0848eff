import { expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { metadataAnswer } from './fakeBroker.js'
import { askMetadata, at, openTransport, startBroker } from './harness.js'

test('a control request carries header, body and the highest common version, and gives the decoded answer', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const asked = transport.control(
    metadataApi,
    version => ({ topics: [{ name: `v${version}` }], allowAutoTopicCreation: true }),
    { target: { anyBut: undefined }, timeoutMs: 20_000 },
  )
  const request = await broker.next(metadataApi)
  expect(request.version).toBe(12)
  expect(request.clientId).toBe('the-client')
  expect(request.rest[0]).toBe(0)
  expect(request.rest.toString('latin1')).toContain('v12')
  request.answer(metadataApi, metadataAnswer([{ nodeId: 7, port: broker.port }]))
  const answer = await asked
  expect(answer.version).toBe(12)
  expect(answer.nodeId).toBe(-1)
  expect(answer.response.brokers).toEqual([{ nodeId: 7, host: '127.0.0.1', port: broker.port, rack: null }])
})

test('once metadata is set the seed connection is that broker and has its id', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const first = askMetadata(transport)
  ;(await broker.next(metadataApi)).answer(metadataApi, metadataAnswer())
  await first
  transport.setBrokers([at(7, broker)])
  const second = askMetadata(transport, { node: 7 })
  ;(await broker.next(metadataApi)).answer(metadataApi, metadataAnswer())
  expect((await second).nodeId).toBe(7)
  expect(broker.connections).toHaveLength(1)
})
