import net from 'node:net'
import { Duplex } from 'node:stream'
import type { ISocketFactory } from 'kafkajs'
import { expect, test } from 'vitest'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { at, openTransport, recordExchange, startBroker } from './harness.js'

/** How many buffers the system is given in each write, once `isCounting`. */
const counted = () => {
  const writes: number[] = []
  const socketFactory = (({ host, port, onConnect }: Parameters<ISocketFactory>[0]) => {
    const socket = net.connect({ host, port }, onConnect)
    return new Duplex({
      construct(done) {
        socket.on('data', data => this.push(data))
        socket.on('close', () => this.destroy())
        socket.on('error', error => this.destroy(error))
        done()
      },
      read() {},
      write(chunk, _encoding, done) {
        writes.push(1)
        socket.write(chunk, done)
      },
      writev(chunks, done) {
        writes.push(chunks.length)
        socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
      },
      destroy(error, done) {
        socket.destroy()
        done(error)
      },
    })
  }) as unknown as ISocketFactory
  return { writes, socketFactory }
}

test.each([
  ['small ones', [100, 200, 300], [1]],
  ['none', [], [1]],
  ['what is as large as a copy may be', [2048], [1]],
  ['larger ones', [2000, 49], [3]],
])('a request of chunks (%s) is given to the system at once: %j bytes', async (_, sizes, expected) => {
  const broker = await startBroker()
  const { writes, socketFactory } = counted()
  const { transport } = openTransport([broker.address], { socketFactory })
  transport.setBrokers([at(0, broker)])
  const link = await transport.openProduceLink(0)
  writes.length = 0
  const { exchange, released } = recordExchange([])
  const chunks = sizes.map((size, i) => Buffer.alloc(size, i + 1))
  link.produce(link.produceVersion, chunks, -1, exchange)
  const request = await broker.next(produceApi)
  await released
  expect(writes).toEqual(expected)
  // Behind the header's tag section.
  expect(request.rest.subarray(1)).toEqual(Buffer.concat(chunks))
})
