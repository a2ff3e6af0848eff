import net from 'node:net'
import type { KafkaConfig } from 'kafkajs'
import { expect, test } from 'vitest'
import { produceApi } from '../../../src/protocol/messages/produce.js'
import type { FakeBroker } from '../fakeBroker.js'
import { at, openTransport, recordExchange, startBroker } from '../harness.js'

const NOT_ENOUGH_FOR = 24 * 1024 * 1024 // more than the socket buffers of both ends take from a writer whose reader stands still

const openLink = async (broker: FakeBroker, config: Partial<KafkaConfig> = {}) => {
  const opened = openTransport([broker.address], config)
  opened.transport.setBrokers([at(3, broker)])
  const link = await opened.transport.openProduceLink(3)
  const log: string[] = []
  const closed = new Promise<Error>(resolve => {
    link.onClosed = error => {
      log.push('closed')
      resolve(error)
    }
  })
  const connection = await broker.connected(1)
  const produce = (name: string, acks = -1, body = Buffer.from(name)) => {
    const recorded = recordExchange(log, name)
    link.produce(link.produceVersion, [body], acks, recorded.exchange)
    return recorded
  }
  return { ...opened, link, log, closed, connection, produce }
}

test('a produce request leaves with its chunks in order and gets the bytes behind its correlation id', async () => {
  const broker = await startBroker()
  const { link, log } = await openLink(broker)
  expect(link.produceVersion).toBe(13)
  const { exchange, result, ended, released } = recordExchange(log)
  // A request may need an older version than both sides speak.
  link.produce(12, [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cd')], -1, exchange)
  const request = await broker.next(produceApi)
  expect(request.version).toBe(12)
  expect(request.clientId).toBe('the-client')
  expect(request.rest.toString('latin1')).toBe('\0abcd')
  request.respond(Buffer.from('answer'))
  await Promise.all([ended, released])
  expect(result.payload?.toString()).toBe('answer')
  expect(log.toSorted()).toEqual(['released', 'response'])
})

test('before flexible versions no tag section follows the client id', async () => {
  const broker = await startBroker({ versions: { 0: [0, 8], 18: [0, 2] } })
  const { link, produce } = await openLink(broker)
  expect(link.produceVersion).toBe(8)
  const { ended } = produce('body')
  const request = await broker.next(produceApi)
  expect(request.rest.toString()).toBe('body')
  request.respond(Buffer.alloc(0))
  await ended
})

test('a broker without a Produce version of ours is a typed error, and its connection is closed', async () => {
  const broker = await startBroker({ versions: { 0: [0, 2], 18: [0, 2] } })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  await expect(transport.openProduceLink(0)).rejects.toMatchObject({
    name: 'UnsupportedApiError',
    apiName: 'Produce',
  })
  await (await broker.connected(1)).closed
})

test('all who ask while a link is being opened get the same one, and so do those who ask later', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const opening = [transport.openProduceLink(0), transport.openProduceLink(0), transport.openProduceLink(0)]
  broker.answerApiVersions(await broker.next({ key: 18 }))
  const [first, second, third] = await Promise.all(opening)
  expect(second).toBe(first)
  expect(third).toBe(first)
  expect(await transport.openProduceLink(0)).toBe(first)
  expect(broker.connections).toHaveLength(1)
})

test('separate links are others, shared by all who ask the same source, and end with the transport', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const separate = transport.separateLinks()
  const [link, own] = [await transport.openProduceLink(0), await separate.openProduceLink(0)]
  expect(own).not.toBe(link)
  expect(await separate.openProduceLink(0)).toBe(own)
  expect(await transport.openProduceLink(0)).toBe(link)
  own.destroy(new Error('enough'))
  expect(link.isOpen).toBe(true)
  const again = await separate.openProduceLink(0)
  expect(again).not.toBe(own)
  await transport.close()
  expect([link.isOpen, again.isOpen]).toEqual([false, false])
  await expect(separate.openProduceLink(0)).rejects.toMatchObject({ name: 'ProducerClosedError' })
})

test('responses end the requests they belong to, in order', async () => {
  const broker = await startBroker()
  const { produce } = await openLink(broker)
  const exchanges = ['a', 'b', 'c'].map(name => produce(name))
  const requests = []
  for (const _ of exchanges) requests.push(await broker.next(produceApi))
  // One packet, and one that ends within a header.
  const frames = Buffer.concat(requests.map(each => each.frame(Buffer.from(`to ${each.rest.subarray(1)}`))))
  const { socket } = requests[0]!.connection
  socket.write(frames.subarray(0, 15))
  await exchanges[0]!.ended
  socket.write(frames.subarray(15))
  await Promise.all(exchanges.map(({ ended }) => ended))
  expect(exchanges.map(({ result }) => result.payload?.toString())).toEqual(['to a', 'to b', 'to c'])
})

test('acks 0 ends when the bytes are written, and no response is expected', async () => {
  const broker = await startBroker()
  const { produce, log } = await openLink(broker)
  const silent = produce('silent', 0)
  await Promise.all([silent.ended, silent.released])
  expect(silent.result.payload).toBeNull()
  expect((await broker.next(produceApi)).rest.toString('latin1')).toBe('\0silent')
  const loud = produce('loud')
  ;(await broker.next(produceApi)).respond(Buffer.from('x'))
  await loud.ended
  expect(log).toContain('loud response')
})

test('acks 0 that never left the process is a failure when the connection ends', async () => {
  const broker = await startBroker()
  const { link, produce, connection, log } = await openLink(broker)
  connection.socket.pause()
  const stuck = produce('stuck', 0, Buffer.alloc(NOT_ENOUGH_FOR))
  link.destroy(new Error('given up'))
  await stuck.released
  expect(stuck.result).toMatchObject({ sent: true, error: { message: 'given up' } })
  expect(log).toEqual(['stuck failure', 'closed', 'stuck released'])
})

test('acks 0 is no success when the socket is destroyed under the write, by whoever', async () => {
  const broker = await startBroker()
  const sockets: net.Socket[] = []
  const { produce, connection, log, closed } = await openLink(broker, {
    socketFactory: ({ host, port, onConnect }) => {
      const socket = net.connect({ host, port }, onConnect)
      sockets.push(socket)
      return socket
    },
  })
  connection.socket.pause()
  const stuck = produce('stuck', 0, Buffer.alloc(NOT_ENOUGH_FOR))
  sockets[0]?.destroy()
  await Promise.all([closed, stuck.released])
  expect(stuck.result.sent).toBe(true)
  expect(log.filter(each => !each.endsWith('released'))).toEqual(['stuck failure', 'closed'])
})

test('destroy ends every exchange once, then the link, and closes the socket', async () => {
  const broker = await startBroker()
  const { link, produce, log, connection } = await openLink(broker)
  const [one, two] = [produce('one'), produce('two')]
  await broker.next(produceApi)
  await broker.next(produceApi)
  const error = new Error('leader moved')
  link.destroy(error)
  link.destroy(new Error('again'))
  expect(link.isOpen).toBe(false)
  expect(log.filter(each => !each.endsWith('released'))).toEqual(['one failure', 'two failure', 'closed'])
  expect([one.result, two.result]).toMatchObject([
    { error, sent: true },
    { error, sent: true },
  ])
  await Promise.all([connection.closed, one.released, two.released])
  expect(log.filter(each => each === 'closed')).toHaveLength(1)
})

test('a request written in the same tick as the destruction counts as sent, since it was', async () => {
  const broker = await startBroker()
  const { link, produce } = await openLink(broker)
  const [one, two] = [produce('one'), produce('two')]
  link.destroy(new Error('at once'))
  expect([one.result.sent, two.result.sent]).toEqual([true, true])
  await broker.next(produceApi)
  expect((await broker.next(produceApi)).rest.toString('latin1')).toBe('\0two')
})

test('a request behind a write that the system has not taken was not sent; its buffers are free only at the close', async () => {
  const broker = await startBroker()
  const { link, produce, connection, log } = await openLink(broker)
  connection.socket.pause()
  const large = produce('large', -1, Buffer.alloc(NOT_ENOUGH_FOR))
  const behind = produce('behind')
  const third = produce('third', 0)
  link.destroy(new Error('no progress'))
  expect([large.result.sent, behind.result.sent, third.result.sent]).toEqual([true, false, false])
  expect(log).toEqual(['large failure', 'behind failure', 'third failure', 'closed'])
  await Promise.all([large.released, behind.released, third.released])
  connection.socket.resume()
  await connection.closed
  expect(connection.received).toBeLessThan(NOT_ENOUGH_FOR)
})

test('a request behind a slow write counts as sent once that write is through', async () => {
  const broker = await startBroker()
  const { link, produce, connection } = await openLink(broker)
  connection.socket.pause()
  const large = produce('large', -1, Buffer.alloc(NOT_ENOUGH_FOR))
  const behind = produce('behind')
  connection.socket.resume()
  await large.released
  link.destroy(new Error('too late'))
  expect([large.result.sent, behind.result.sent]).toEqual([true, true])
})

test('a connection that the broker closes ends its exchanges before the link, which is no longer open by then', async () => {
  const broker = await startBroker()
  const { link, log, closed, connection } = await openLink(broker)
  const { exchange, ended } = recordExchange(log, 'asked')
  const second = recordExchange(log, 'late')
  link.produce(link.produceVersion, [Buffer.from('x')], -1, {
    ...exchange,
    onFailure(error, sent) {
      exchange.onFailure(error, sent)
      expect(link.isOpen).toBe(false)
      link.produce(link.produceVersion, [Buffer.from('y')], -1, second.exchange)
    },
  })
  await broker.next(produceApi)
  connection.socket.end()
  await Promise.all([ended, second.ended])
  expect(await closed).toMatchObject({ name: 'KafkaJSConnectionError', retriable: true })
  expect(second.result.sent).toBe(false)
  expect(log.filter(each => !each.endsWith('released'))).toEqual(['asked failure', 'closed', 'late failure'])
})

test('a reset connection ends its exchanges and the link', async () => {
  const broker = await startBroker()
  const { closed, connection, produce } = await openLink(broker)
  const asked = produce('asked')
  await broker.next(produceApi)
  connection.socket.resetAndDestroy()
  expect(await closed).toMatchObject({ name: 'KafkaJSConnectionError', code: 'ECONNRESET' })
  expect(asked.result).toMatchObject({ sent: true, error: { name: 'KafkaJSConnectionError' } })
  await asked.released
})

test('after a close the transport gives a new link on a new connection, which half a response does not spoil', async () => {
  const broker = await startBroker()
  const { transport, link, produce, closed } = await openLink(broker)
  produce('first')
  const request = await broker.next(produceApi)
  request.connection.socket.end(request.frame(Buffer.alloc(64)).subarray(0, 30))
  await closed
  const next = await transport.openProduceLink(3)
  expect(next).not.toBe(link)
  const log: string[] = []
  const { exchange, result, ended } = recordExchange(log)
  next.produce(next.produceVersion, [Buffer.from('second')], -1, exchange)
  const second = await broker.next(produceApi)
  expect(second.connection.id).toBe(2)
  second.respond(Buffer.from('ok'))
  await ended
  expect(result.payload?.toString()).toBe('ok')
})

test('an idle link that the broker closes tells so, without a line above debug', async () => {
  const broker = await startBroker()
  const { link, closed, connection, lines } = await openLink(broker)
  connection.socket.end()
  await closed
  expect(link.isOpen).toBe(false)
  expect(lines.filter(({ level }) => level < 5)).toEqual([])
})

test('a listener that comes after the close is told all the same', async () => {
  const broker = await startBroker()
  const { link } = await openLink(broker)
  const error = new Error('gone')
  link.destroy(error)
  expect(
    await new Promise(resolve => {
      link.onClosed = resolve
    }),
  ).toBe(error)
})

test('produce on a closed link ends with the reason of the close, unsent, after produce has returned', async () => {
  const broker = await startBroker()
  const { link, produce, log } = await openLink(broker)
  const error = new Error('closed before')
  link.destroy(error)
  const late = produce('late')
  expect(log).toEqual(['closed'])
  await Promise.all([late.ended, late.released])
  expect(late.result).toMatchObject({ error, sent: false })
})

test('a quota holds requests back: unsent until it passes, and unsent when the link ends before', async () => {
  const broker = await startBroker()
  const { link, produce, log, events } = await openLink(broker)
  link.throttle(3_600_000)
  expect(link.throttledForMs).toBeGreaterThan(3_000_000)
  const [held, silent] = [produce('held'), produce('silent', 0)]
  expect(events.at(-1)).toMatchObject({ name: 'network.request_queue_size', payload: { queueSize: 2 } })
  link.destroy(new Error('enough'))
  await Promise.all([held.released, silent.released])
  expect([held.result.sent, silent.result.sent]).toEqual([false, false])
  expect(log.filter(each => !each.endsWith('released'))).toEqual(['held failure', 'silent failure', 'closed'])
  expect(broker.untaken).toEqual([])
})

test('what a quota held back is sent in order when it passes', async () => {
  const broker = await startBroker()
  const { link, produce } = await openLink(broker)
  link.throttle(30)
  const exchanges = [produce('one'), produce('two')]
  for (const name of ['one', 'two']) {
    const request = await broker.next(produceApi)
    expect(request.rest.toString('latin1')).toBe(`\0${name}`)
    request.respond(Buffer.alloc(0))
  }
  await Promise.all(exchanges.map(({ ended }) => ended))
  expect(link.throttledForMs).toBe(0)
})

test('a request time-out as the reason is told once, as kafkajs tells it', async () => {
  const broker = await startBroker()
  const { link, produce, events } = await openLink(broker)
  const [oldest, other] = [produce('oldest'), produce('other')]
  const error = Object.assign(new Error('no answer'), { name: 'KafkaJSRequestTimeoutError' })
  link.destroy(error)
  expect([oldest.result.error, other.result.error]).toEqual([error, error])
  expect(events.filter(({ name }) => name === 'network.request_timeout')).toMatchObject([
    { payload: { apiName: 'Produce', apiVersion: 13, correlationId: 1, broker: broker.address } },
  ])
})
