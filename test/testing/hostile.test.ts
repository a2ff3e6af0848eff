import fc from 'fast-check'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { MalformedMessageError } from '../../src/protocol/wire/malformed.js'
import { served } from '../../src/testing/apis/registry.js'
import { readRequest } from '../../src/testing/net/arrived.js'
import { FrameSplitter } from '../../src/testing/net/frames.js'
import { runs, seed } from '../protocol/support/runs.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka
let other: RawClient

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: false })
  cluster.createTopic('t')
  other = await RawClient.connect(cluster.bootstrap[0]!)
})

// Fails when a hostile request broke a handler: the cluster reports its own defects.
afterEach(async () => {
  await other.close()
  await cluster.close()
})

const run = { numRuns: runs(150), seed }

/** Whether a cluster that was written to still serves others. */
const survives = async (bytes: Uint8Array): Promise<void> => {
  const hostile = await RawClient.connect(cluster.bootstrap[0]!)
  hostile.write(bytes)
  expect((await other.call(apiVersionsApi, 3, {}))?.errorCode).toBe(0)
  await hostile.close()
}

const framed = (content: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + content.length)
  frame.writeInt32BE(content.length)
  frame.set(content, 4)
  return frame
}

const requestHeader = (key: number, version: number, body: Uint8Array): Buffer => {
  const header = Buffer.alloc(10)
  header.writeInt16BE(key, 0)
  header.writeInt16BE(version, 2)
  header.writeInt32BE(1, 4)
  header.writeInt16BE(-1, 8)
  return framed(Buffer.concat([header, body]))
}

test('any bytes at all', async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), survives), run)
})

test('any bytes as a frame', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), content => survives(framed(content))),
    run,
  )
})

test('any body under the header of any API and version', async () => {
  const apis = Object.values(served).map(({ api }) => api)
  const request = fc
    .constantFrom(...apis)
    .chain(api => fc.tuple(fc.constant(api.key), fc.integer({ min: api.minVersion, max: api.maxVersion })))
  await fc.assert(
    fc.asyncProperty(request, fc.uint8Array({ maxLength: 200 }), ([key, version], body) =>
      survives(requestHeader(key, version, body)),
    ),
    { ...run, numRuns: runs(400) },
  )
})

test('record batches with any bytes changed: an error for the partition, or what the checksum cannot see', async () => {
  const client = await RawClient.connect(cluster.bootstrap[0]!)
  const whole = batch({ values: ['a', 'bc', null], producerId: 3 })
  const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async changes => {
      const bytes = Buffer.from(whole)
      for (const [at, mask] of changes) bytes[at]! ^= mask
      const { errorCode } = await produce(client, bytes)
      // Base offset and leader epoch are the broker's to set; the checksum starts behind them.
      const unseen =
        bytes.subarray(8, 12).equals(whole.subarray(8, 12)) && bytes.subarray(16).equals(whole.subarray(16))
      expect(errorCode === 0).toBe(unseen)
    }),
    run,
  )
  await client.close()
})

test('a frame of a size no broker takes cuts the connection at once', async () => {
  for (const size of [-1, 104_857_601, 0x7fffffff]) {
    const client = await RawClient.connect(cluster.bootstrap[0]!)
    const frame = Buffer.alloc(4)
    frame.writeInt32BE(size)
    client.write(frame)
    await client.ended()
  }
})

test('a request in single bytes is served', async () => {
  const client = await RawClient.connect(cluster.bootstrap[0]!)
  for (const byte of requestHeader(18, 0, Buffer.alloc(0))) {
    client.write(Buffer.of(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  expect((await client.answer(apiVersionsApi, 0, 1))?.errorCode).toBe(0)
  await client.close()
})

test('a request with bytes behind it is served, as Kafka does: librdkafka 2.15 sends three behind a request for all topics', async () => {
  // Metadata version 12 for all topics, as it stands on the wire.
  const request = Buffer.from('0003000c00000003000772646b61666b610000000000', 'hex')
  const client = await RawClient.connect(cluster.bootstrap[0]!)
  for (const more of ['', '010000', 'ff'.repeat(200)]) {
    client.write(framed(Buffer.concat([request, Buffer.from(more, 'hex')])))
    const answer = await client.answer(metadataApi, 12, 3)
    expect(answer?.topics.map(({ name }) => name)).toEqual(['t'])
  }
  await client.close()
})

test('many requests in one write are answered in their order', async () => {
  const client = await RawClient.connect(cluster.bootstrap[0]!)
  const ids = Array.from({ length: 50 }, () => client.request(apiVersionsApi, 0, {}))
  for (const id of ids) expect((await client.answer(apiVersionsApi, 0, id))?.errorCode).toBe(0)
  await client.close()
})

test('any frame is a request that is offered, a refusal of its version, or the typed error', () => {
  const offered = Object.values(served).map(({ api: { key: apiKey, minVersion, maxVersion } }) => ({
    apiKey,
    minVersion,
    maxVersion,
  }))
  const byte = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(255) })
  const start = fc.tuple(fc.constantFrom(...offered.map(({ apiKey }) => apiKey), -1, 99), fc.nat(14))
  fc.assert(
    fc.property(start, fc.array(byte, { maxLength: 120 }), ([key, version], rest) => {
      const frame = Buffer.from([key >> 8, key, version >> 8, version, ...rest])
      try {
        const request = readRequest(frame, { offered, nameOf: () => '' })
        if (!('refusal' in request)) expect(request.version).toBe(version)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }),
    { ...run, numRuns: runs(3000) },
  )
})

test('frames come out of the stream whole, however it is cut, up to a size no broker takes', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })
  const contents = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 })
  const impossible = fc.option(fc.constantFrom(-1, 104_857_601, 0x7fffffff), { nil: undefined })
  fc.assert(
    fc.property(contents, cuts, impossible, (frames, pieces, size) => {
      const end = Buffer.alloc(size === undefined ? 0 : 4)
      if (size !== undefined) end.writeInt32BE(size)
      const stream = Buffer.concat([...frames.map(framed), end])
      const splitter = new FrameSplitter(104_857_600)
      const got: Buffer[] = []
      const follow = () => {
        for (let at = 0, i = 0; at < stream.length; i++) {
          const piece = stream.subarray(at, at + pieces[i % pieces.length]!)
          splitter.push(piece)
          at += piece.length
          for (let frame = splitter.next(); frame; frame = splitter.next()) got.push(frame)
        }
      }
      if (size === undefined) follow()
      else expect(follow).toThrow(MalformedMessageError)
      expect(got).toEqual(frames.map(each => Buffer.from(each)))
    }),
    { ...run, numRuns: runs(1000) },
  )
})
