import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seeded } from '../random.js'
import type { Connection } from './connection.js'
import { playTrick } from './mischief.js'
import { TcpProxy } from './tcpProxy.js'

/** A broker that keeps what it is sent, and a client, with the proxy between them. */
let server: Server
let proxy: TcpProxy
let client: Socket
let broker: Socket
let connection: Connection
let atBroker: string
let atClient: string

beforeEach(async () => {
  atBroker = ''
  atClient = ''
  server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await TcpProxy.listen(0, (server.address() as AddressInfo).port)
  const accepted = once(server, 'connection')
  client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('data', chunk => (atClient += chunk)).on('error', () => undefined)
  ;[broker] = (await accepted) as [Socket]
  broker.on('data', chunk => (atBroker += chunk)).on('error', () => undefined)
  await exchange('hello')
  connection = proxy.connections[0]!
})

afterEach(async () => {
  client.destroy()
  broker.destroy()
  await proxy.close()
  server.close()
})

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

/** Something each way, and back only once it has arrived. */
const exchange = async (text: string): Promise<void> => {
  const [before, after] = [atBroker.length, atClient.length]
  client.write(text)
  await until(() => atBroker.length === before + text.length)
  broker.write(text)
  await until(() => atClient.length === after + text.length)
}

test('passes bytes both ways, and each end', async () => {
  client.end('last words')
  await once(broker, 'end')
  expect(atBroker).toBe('hellolast words')
  broker.end('answer')
  await once(client, 'close')
  expect(atClient).toBe('helloanswer')
})

test('cut: both sides learn of it', async () => {
  // A reset is an error before it is a close.
  const reset = [client, broker].map(socket => new Promise(resolve => socket.once('error', resolve)))
  connection.cut()
  expect(await Promise.all(reset)).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
  await until(() => client.destroyed && broker.destroyed)
  expect(proxy.connections).toEqual([])
})

test('cut in the middle of an answer: half of it arrives', async () => {
  connection.cutInAnAnswer()
  broker.write('abcdef')
  await Promise.all([once(client, 'end'), once(broker, 'end')])
  expect(atClient).toBe('helloabc')
})

test('cut in the middle of a request: half of it arrives', async () => {
  connection.cutInARequest()
  client.write('abcdef')
  await Promise.all([once(client, 'end'), once(broker, 'end')])
  expect(atBroker).toBe('helloabc')
})

test('stalled: nothing passes until it is over, and then all of it in order', async () => {
  let isOver = false
  const timer = setTimeout(() => (isOver = true), 30)
  connection.stall(40)
  client.write('1')
  client.write('2')
  await until(() => atBroker.length > 5)
  clearTimeout(timer)
  expect(isOver).toBe(true)
  await until(() => atBroker.length === 7)
  expect(atBroker).toBe('hello12')
})

test('a slow handshake: the first answer of a new connection waits, its requests do not', async () => {
  proxy.handshakeMs = 40
  const accepted = once(server, 'connection')
  const late = connect({ port: proxy.port, host: '127.0.0.1' })
  const [other] = (await accepted) as [Socket]
  let heard = ''
  late.on('data', chunk => (heard += chunk))
  late.write('?')
  await once(other, 'data')
  other.write('answer')
  await exchange('meanwhile')
  expect(heard).toBe('')
  await until(() => heard === 'answer')
  late.destroy()
  other.destroy()
})

test('slowed: bytes come in small pieces, all of them', async () => {
  connection.slow(50_000, 10_000)
  const pieces: number[] = []
  broker.on('data', chunk => pieces.push(chunk.length))
  client.write('x'.repeat(5_000))
  await until(() => atBroker.length === 5_005)
  // 20 ms at a time
  expect(Math.max(...pieces)).toBeLessThanOrEqual(2_000)
  expect(pieces.length).toBeGreaterThan(2)
})

test('half-closed by the broker: the client hears the end, its requests still arrive, answers do not', async () => {
  const ended = once(client, 'end')
  connection.endAnswers()
  await ended
  client.write('still')
  await until(() => atBroker === 'hellostill')
  broker.write('lost')
  client.end()
  await once(broker, 'end')
  expect(atClient).toBe('hello')
})

test('half-closed by the client: the broker hears the end, its answers still arrive, requests do not', async () => {
  const ended = once(broker, 'end')
  connection.endRequests()
  await ended
  client.write('lost')
  broker.write('still')
  await until(() => atClient === 'hellostill')
  broker.end()
  await once(client, 'end')
  expect(atBroker).toBe('hello')
})

test('muted: both sides may write, and neither hears a thing', async () => {
  connection.mute()
  await new Promise<void>(resolve => client.write('lost', () => resolve()))
  await new Promise<void>(resolve => broker.write('lost', () => resolve()))
  // Another connection through the same proxy still works, so that this one had its time.
  const accepted = once(server, 'connection')
  const other = connect(proxy.port, '127.0.0.1')
  const [served] = (await accepted) as [Socket]
  served.write('!')
  await once(other, 'data')
  other.destroy()
  expect([atBroker, atClient]).toEqual(['hello', 'hello'])
  expect(proxy.connections.length).toBeLessThan(2)
})

test('refusing: a new connection is reset', async () => {
  proxy.isRefusing = true
  const other = connect(proxy.port, '127.0.0.1')
  const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
})

test('the seed decides the tricks', () => {
  const names = (seed: number): (string | undefined)[] => {
    const random = seeded(seed)
    const dumb = { connections: [quietConnection] } as unknown as TcpProxy
    return Array.from({ length: 20 }, () => playTrick([dumb], random))
  }
  expect(names(4)).toEqual(names(4))
  expect(names(4)).not.toEqual(names(5))
  expect(new Set(names(4)).size).toBeGreaterThan(4)
})

const nothing = (): void => undefined
const quietConnection = {
  cut: nothing,
  cutInAnAnswer: nothing,
  cutInARequest: nothing,
  stall: nothing,
  slow: nothing,
  endAnswers: nothing,
  endRequests: nothing,
  mute: nothing,
} as unknown as Connection
