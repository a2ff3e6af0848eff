import { expect, test } from 'vitest'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { at, openTransport, recordExchange, startBroker } from './harness.js'

test('a produce request leaves with its chunks in order and gets the bytes behind its correlation id', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(3, broker)])
  const link = await transport.openProduceLink(3)
  expect(link.produceVersion).toBe(12)
  const log: string[] = []
  const { exchange, result, ended, released } = recordExchange(log)
  link.produce([Buffer.from('ab'), Buffer.from('cd')], -1, exchange)
  const request = await broker.next(produceApi)
  expect(request.version).toBe(12)
  expect(request.rest.toString('latin1')).toBe('\0abcd')
  request.respond(Buffer.from('answer'))
  await Promise.all([ended, released])
  expect(result.payload?.toString()).toBe('answer')
  expect(log.toSorted()).toEqual(['released', 'response'])
})
