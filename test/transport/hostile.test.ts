import fc from 'fast-check'
import { expect, test } from 'vitest'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { responseBound } from '../../src/transport/connection/exchange.js'
import { MAX_RESPONSE_BYTES, ResponseFrames } from '../../src/transport/connection/responseFrames.js'
import { runs, seed } from '../protocol/support/runs.js'
import { answerMetadata, askMetadata, at, openTransport, recordExchange, startBroker } from './harness.js'

const int32 = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

test.each([
  ['announces more than is ever gathered', int32(MAX_RESPONSE_BYTES + 1)],
  ['announces more than so small a request can ask for', int32(responseBound(100))],
  ['announces a negative size', int32(-5)],
  ['has no room for a correlation id', Buffer.concat([int32(3), Buffer.alloc(3)])],
  ['is empty', int32(0)],
  ['answers a request that was not made', Buffer.concat([int32(4), int32(77)])],
  ['is shorter than its message', Buffer.concat([int32(6), int32(1), Buffer.alloc(2)])],
])('a response that %s drops the connection with a typed error', async (_, bytes) => {
  const broker = await startBroker()
  const { transport, lines } = openTransport([broker.address])
  const asked = askMetadata(transport)
  const rejected = expect(asked).rejects.toMatchObject({
    name: 'MalformedMessageError',
    message: expect.any(String),
  })
  const request = await broker.next(metadataApi)
  request.connection.socket.write(bytes)
  await rejected
  await request.connection.closed
  expect(lines.filter(({ level }) => level < 5)).toEqual([])
  const again = askMetadata(transport)
  expect((await answerMetadata(broker)).connection.id).toBe(2)
  await again
})

test('a message that cannot be read drops the connection', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const asked = askMetadata(transport)
  const rejected = expect(asked).rejects.toMatchObject({
    name: 'MalformedMessageError',
    message: expect.stringContaining('Metadata version 12'),
  })
  const request = await broker.next(metadataApi)
  request.respond(Buffer.alloc(400))
  await rejected
  await request.connection.closed
})

test('answers out of order end nothing as acknowledged', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  const log: string[] = []
  const exchanges = ['one', 'two'].map(name => recordExchange(log, name))
  for (const { exchange } of exchanges) link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  await broker.next(produceApi)
  ;(await broker.next(produceApi)).respond(Buffer.from('for the second'))
  await Promise.all(exchanges.map(({ ended }) => ended))
  expect(log.filter(each => !each.endsWith('released'))).toEqual(['one failure', 'two failure'])
  expect(exchanges[0]?.result.error).toMatchObject({ name: 'MalformedMessageError' })
})

test('what came whole before an impossible size still counts', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  const log: string[] = []
  const exchanges = ['one', 'two'].map(name => recordExchange(log, name))
  for (const { exchange } of exchanges) link.produce(link.produceVersion, [Buffer.from('x')], -1, exchange)
  const first = await broker.next(produceApi)
  await broker.next(produceApi)
  first.connection.socket.write(Buffer.concat([first.frame(Buffer.from('good')), int32(-1)]))
  await Promise.all(exchanges.map(({ ended }) => ended))
  expect(log.filter(each => !each.endsWith('released'))).toEqual(['one response', 'two failure'])
})

test('bytes nobody asked for drop an idle link', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  const closed = new Promise<Error>(resolve => {
    link.onClosed = resolve
  })
  const connection = await broker.connected(1)
  connection.socket.write(Buffer.concat([int32(8), int32(9), Buffer.alloc(4)]))
  expect(await closed).toMatchObject({ name: 'MalformedMessageError' })
})

test('whatever bytes answer ApiVersions, opening ends with a typed error', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, framed) => {
      const opening = transport.openProduceLink(0)
      const outcome = opening.then(
        link => link.destroy(new Error('next')),
        (error: unknown) => error,
      )
      const request = await broker.next({ key: 18 })
      const body = Buffer.from(bytes)
      request.connection.socket.end(framed ? request.frame(body) : body)
      // A lucky guess is refused as an older version of ApiVersions would be, and asked again in one.
      const retry = broker.next({ key: 18 }).then(again => again.connection.socket.destroy())
      const error = await outcome
      broker.forgetWaiting()
      void retry
      expect(error).toBeInstanceOf(Error)
      expect([
        'MalformedMessageError',
        'KafkaJSConnectionError',
        'KafkaJSConnectionClosedError',
        'KafkaJSProtocolError',
        'UnsupportedApiError',
      ]).toContain((error as Error).name)
    }),
    { numRuns: runs(100), seed },
  )
})

test.each([
  ['SaslHandshake', 17],
  ['SaslAuthenticate', 36],
] as const)('whatever bytes answer %s, opening ends with a typed error', async (_, key) => {
  const broker = await startBroker({ manual: [key] })
  const { transport, lines } = openTransport([broker.address], {
    sasl: { mechanism: 'plain', username: 'user', password: 'the-password' },
  })
  transport.setBrokers([at(0, broker)])
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, framed) => {
      const outcome = transport.openProduceLink(0).then(
        // Bytes that happen to be a success: what follows is as if the broker had said so.
        link => link.destroy(new Error('next')),
        (error: unknown) => error,
      )
      const request = await broker.next({ key })
      const body = Buffer.from(bytes)
      request.connection.socket.end(framed ? request.frame(body) : body)
      const error = await outcome
      if (error === undefined) return
      expect([
        'MalformedMessageError',
        'KafkaJSConnectionError',
        'KafkaJSConnectionClosedError',
        'KafkaJSSASLAuthenticationError',
      ]).toContain((error as Error).name)
      expect((error as Error).message).not.toContain('the-password')
    }),
    { numRuns: runs(100), seed },
  )
  expect(JSON.stringify(lines)).not.toContain('the-password')
})

test('whatever bytes answer Metadata, it ends with a typed error or an answer, and the connection after garbage', async () => {
  const broker = await startBroker()
  const { transport } = openTransport([broker.address])
  const byte = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(255) })
  await fc.assert(
    fc.asyncProperty(fc.array(byte, { maxLength: 80 }), async bytes => {
      const outcome = askMetadata(transport).then(
        () => undefined,
        (error: unknown) => error,
      )
      const request = await broker.next(metadataApi)
      request.respond(Buffer.from(bytes))
      const error = await outcome
      if (error === undefined) return
      expect((error as Error).name).toBe('MalformedMessageError')
      await request.connection.closed
    }),
    { numRuns: runs(100), seed },
  )
})

test('ApiVersions refused in the form of version 0 is asked again in version 0 (KIP-511)', async () => {
  const broker = await startBroker({ manual: [18] })
  const { transport } = openTransport([broker.address])
  transport.setBrokers([at(0, broker)])
  const opening = transport.openProduceLink(0)
  const refused = await broker.next({ key: 18 })
  expect(refused.version).toBe(3)
  expect(refused.rest.toString('latin1')).toContain('kafkajs-resilient-producer')
  // error_code, and the versions of ApiVersions itself.
  refused.respond(Buffer.from([0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 2]))
  const again = await broker.next({ key: 18 })
  expect([again.version, again.connection]).toEqual([0, refused.connection])
  broker.answerApiVersions(again)
  expect((await opening).isOpen).toBe(true)
})

test('frames are found however the bytes are cut, up to an impossible size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 4, max: 40 }), { maxLength: 6 }),
      fc.option(fc.integer({ max: 3 }), { nil: undefined }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (sizes, impossible, cuts) => {
        const bodies = sizes.map((size, at) => Buffer.alloc(size, at + 1))
        const good = Buffer.concat(bodies.flatMap(body => [int32(body.length), body]))
        const all = impossible === undefined ? good : Buffer.concat([good, int32(impossible), good])
        const found: Buffer[] = []
        const refused: number[] = []
        const frames = new ResponseFrames({
          frameBounds: () => ({ min: 4, max: 40 }),
          onFrame: frame => found.push(frame),
          onImpossibleSize: size => refused.push(size),
          get closedWith() {
            return refused.length > 0 ? new Error('closed') : undefined
          },
        })
        for (let at = 0, i = 0; at < all.length; i++) {
          const piece = all.subarray(at, at + (cuts[i % cuts.length] ?? all.length))
          frames.push(piece)
          at += piece.length
        }
        expect(refused).toEqual(impossible === undefined ? [] : [impossible])
        expect(found).toEqual(bodies)
      },
    ),
    { seed, numRuns: runs(100) },
  )
})

test('a frame that comes whole is not copied, one that comes in pieces is put together once', () => {
  const found: Buffer[] = []
  const frames = new ResponseFrames({
    frameBounds: () => ({ min: 4, max: MAX_RESPONSE_BYTES }),
    onFrame: frame => found.push(frame),
    onImpossibleSize: () => {},
    closedWith: undefined,
  })
  const whole = Buffer.concat([int32(8), Buffer.from('12345678')])
  frames.push(whole)
  expect(found[0]?.buffer).toBe(whole.buffer)
  const large = Buffer.alloc(5_000_000, 'x')
  const bytes = Buffer.concat([int32(large.length), large])
  for (let at = 0; at < bytes.length; at += 65_536) frames.push(bytes.subarray(at, at + 65_536))
  expect(found[1]?.equals(large)).toBe(true)
})

test('what is announced is not held: memory grows with the bytes that come', () => {
  const frames = new ResponseFrames({
    frameBounds: () => ({ min: 4, max: MAX_RESPONSE_BYTES }),
    onFrame: () => {},
    onImpossibleSize: () => {},
    closedWith: undefined,
  })
  const before = process.memoryUsage().arrayBuffers
  frames.push(Buffer.concat([int32(MAX_RESPONSE_BYTES), Buffer.alloc(1)]))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
})
