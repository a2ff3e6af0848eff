import dns from 'node:dns'
import { once } from 'node:events'
import net from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import tls from 'node:tls'
import type { ISocketFactory } from 'kafkajs'
import { changed } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { cert, key } from '../../testing/support/certificate.js'
import { finally_, makeProducer, send, startCluster } from './support.js'

afterEach(() => {
  vi.restoreAllMocks()
})

const QUICK = { metadataRetry: { retries: 1, minTimeoutMs: 1, maxTimeoutMs: 1 } }

type Args = Parameters<ISocketFactory>[0]

/** A broker's port seen through a server that does with the bytes what a test says. */
const startServer = async (serve: (client: net.Socket) => void): Promise<string> => {
  const server = net.createServer(client => {
    client.on('error', () => {})
    serve(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  finally_(() => server.close())
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

/** Passes on what the client sends; `answer` does what it likes with what the broker sends. */
const startProxy = (
  upstream: string,
  answer: (data: Buffer, client: net.Socket, connection: number) => void,
): Promise<string> => {
  let connections = 0
  return startServer(client => {
    const connection = ++connections
    const [host, port] = upstream.split(':')
    const socket = net.connect(Number(port), host)
    socket.on('error', () => {})
    client.on('data', data => socket.write(data))
    socket.on('data', data => answer(data, client, connection))
    client.on('close', () => socket.destroy())
    socket.on('close', () => client.destroy())
  })
}

/** A cluster that is reached through a proxy alone. */
const behindProxy = async (answer: Parameters<typeof startProxy>[1]) => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const address = await startProxy(cluster.bootstrap[0]!, answer)
  const port = Number(address.split(':')[1])
  cluster.on(
    'Metadata',
    changed(each => ({ ...each, brokers: each.brokers.map(broker => ({ ...broker, port })) })),
    { times: Infinity },
  )
  return { cluster, address }
}

describe('a host name with several addresses', () => {
  test.each([false, true])('is reached at the one that lives, after a dead one (TLS: %s)', async ssl => {
    const cluster = await startCluster(ssl ? { listeners: { tls: { key, cert } } } : {})
    cluster.createTopic('t')
    const port = Number(cluster.bootstrap[0]!.split(':')[1])
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _name: string,
      options: unknown,
      done: (...args: unknown[]) => void,
    ) => {
      const all = ['127.0.0.9', '127.0.0.8', '127.0.0.1'].map(address => ({ address, family: 4 }))
      const isAll = (options as { all?: boolean }).all === true
      process.nextTick(() => (isAll ? done(null, all) : done(null, all[0]!.address, 4)))
    }) as unknown as typeof dns.lookup)
    const producer = makeProducer([`localhost:${port}`], {}, ssl ? { ssl: { ca: cert } } : {})
    await producer.connect()
    await send(producer, 't', 'a')
  })
})

describe('a function `brokers`', () => {
  test('that hangs the second time keeps nobody from a broker that is known', async () => {
    const cluster = await startCluster()
    cluster.createTopic('t')
    let calls = 0
    const producer = makeProducer(() => (++calls > 1 ? new Promise(() => {}) : cluster.bootstrap))
    await producer.connect()
    cluster.cutConnections()
    await send(producer, 't', 'a')
    cluster.createTopic('u')
    await send(producer, 'u', 'b')
  })

  test.each<[string, (call: number, live: string) => readonly string[]]>([
    ['with duplicates', (_, live) => ['127.0.0.1:1', '127.0.0.1:1', '127.0.0.1:1', live, live]],
    ['that changes', (call, live) => (call < 3 ? [`127.0.0.1:${call}`] : [live])],
    [
      'that throws at first',
      (call, live) => {
        if (call < 3) throw new Error('discovery is down')
        return [live]
      },
    ],
  ])('%s reaches the broker', async (_, give) => {
    const cluster = await startCluster()
    cluster.createTopic('t')
    let calls = 0
    const producer = makeProducer(() => [...give(++calls, cluster.bootstrap[0]!)])
    await producer.connect()
    await send(producer, 't', 'a')
  })

  test('that gives one address a hundred times is tried once for each request', async () => {
    let connects = 0
    const socketFactory = (({ host, port, onConnect }: Args) => {
      connects++
      return net.connect({ host, port }, onConnect)
    }) as ISocketFactory
    const producer = makeProducer(() => Array(100).fill('127.0.0.1:1'), QUICK, { socketFactory })
    await expect(producer.connect()).rejects.toMatchObject({ name: 'BrokersUnreachableError' })
    expect(connects).toBe(2)
  })
})

test('a broker that advertises another name at each answer is followed, and no connection is left behind', async () => {
  const cluster = await startCluster()
  const hosts = ['127.0.0.1', 'localhost']
  let answers = 0
  cluster.on(
    'Metadata',
    changed(each => ({
      ...each,
      brokers: each.brokers.map(broker => ({ ...broker, host: hosts[answers++ % 2]! })),
    })),
    { times: Infinity },
  )
  const open = new Set<Duplex>()
  const socketFactory = (({ host, port, onConnect }: Args) => {
    const socket = net.connect({ host, port }, onConnect)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    return socket
  }) as ISocketFactory
  const producer = makeProducer(cluster.bootstrap, {}, { socketFactory })
  await producer.connect()
  for (let i = 0; i < 20; i++) {
    cluster.createTopic(`t${i}`)
    await send(producer, `t${i}`, 'a')
  }
  // Two control connections for each of two names, and one for records.
  await vi.waitFor(() => expect(open.size).toBeLessThanOrEqual(5))
  await producer.disconnect()
  await vi.waitFor(() => expect(open.size).toBe(0))
})

describe('a socket', () => {
  test('that is reset in the middle of a frame loses nothing', async () => {
    let isCut = false
    const { cluster, address } = await behindProxy((data, client) => {
      if (!isCut || data.length < 5) return void client.write(data)
      isCut = false
      client.write(data.subarray(0, 5), () => client.resetAndDestroy())
    })
    const producer = makeProducer([address])
    await producer.connect()
    await send(producer, 't', 'a')
    for (const value of ['b', 'c']) {
      isCut = true
      await send(producer, 't', value)
    }
    expect(cluster.records('t', 0).map(each => String(each.value))).toEqual(['a', 'b', 'c'])
  })

  test('that is half closed by the broker is left', async () => {
    let end: (() => void) | undefined
    const { cluster, address } = await behindProxy((data, client) => {
      client.write(data)
      end = () => client.end()
    })
    const producer = makeProducer([address])
    await producer.connect()
    await send(producer, 't', 'a')
    end?.()
    await send(producer, 't', 'b')
    expect(cluster.records('t', 0).map(each => String(each.value))).toEqual(['a', 'b'])
  })

  test('that gives its bytes one by one, or all at once, is understood', async () => {
    const held = new Map<net.Socket, Buffer[]>()
    const { cluster, address } = await behindProxy((data, client) => {
      if (data.length % 2 === 0) {
        for (const byte of data) client.write(Buffer.of(byte))
        return
      }
      const waiting = held.get(client) ?? []
      if (waiting.length === 0)
        setTimeout(() => {
          client.write(Buffer.concat(waiting.splice(0)))
        }, 5)
      waiting.push(data)
      held.set(client, waiting)
    })
    const producer = makeProducer([address])
    await producer.connect()
    await Promise.all(Array.from({ length: 200 }, (_, i) => send(producer, 't', `${i}`)))
    expect(cluster.records('t', 0)).toHaveLength(200)
  })

  test.each([
    ['an HTTP proxy', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
    ['a TLS listener', '\x15\x03\x03\x00\x02\x02\x16'],
    ['an SSH server', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a frame of 0 bytes', '\0\0\0\0'],
  ])('at whose other end is %s is an error that names the address', async (_, greeting) => {
    const address = await startServer(client => {
      client.once('data', () => client.end(Buffer.from(greeting, 'latin1')))
    })
    const producer = makeProducer([address], QUICK)
    const error = await producer.connect().catch((failure: unknown) => failure)
    expect(error).toMatchObject({ message: expect.stringContaining(address) })
  })
})

test('a TLS session that the broker ends (close_notify), idle or in a request, is made anew', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const upstream = Number(cluster.bootstrap[0]!.split(':')[1])
  const clients = new Set<tls.TLSSocket>()
  let isCutting = false
  const server = tls.createServer({ key, cert }, client => {
    clients.add(client)
    client.on('error', () => {})
    const socket = net.connect(upstream, '127.0.0.1')
    socket.on('error', () => {})
    client.on('data', data => {
      if (isCutting) {
        isCutting = false
        return void client.end()
      }
      socket.write(data)
    })
    socket.on('data', data => client.write(data))
    client.on('close', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  finally_(() => server.close())
  const { port } = server.address() as net.AddressInfo
  cluster.on(
    'Metadata',
    changed(each => ({ ...each, brokers: each.brokers.map(broker => ({ ...broker, port })) })),
    { times: Infinity },
  )
  const producer = makeProducer([`127.0.0.1:${port}`], {}, { ssl: { ca: cert } })
  await producer.connect()
  await send(producer, 't', 'a')
  for (const client of clients) client.end()
  await send(producer, 't', 'b')
  isCutting = true
  await send(producer, 't', 'c')
  expect(cluster.records('t', 0).map(each => String(each.value))).toEqual(['a', 'b', 'c'])
})

describe('a socketFactory', () => {
  const connecting = ({ host, port, onConnect }: Args) => net.connect({ host, port }, onConnect)
  const over = (args: Args, change: (duplex: Duplex, socket: net.Socket) => void): Duplex => {
    const socket = net.connect({ host: args.host, port: args.port }, args.onConnect)
    const duplex = Duplex.from({ readable: socket.pipe(new PassThrough()), writable: socket })
    duplex.on('error', () => {})
    change(duplex, socket)
    return duplex
  }

  test.each<[string, (args: Args) => Duplex]>([
    ['a composed Duplex', args => over(args, () => {})],
    [
      'whose stream emits errors after its end',
      args => over(args, duplex => duplex.once('close', () => duplex.emit('error', new Error('late')))),
    ],
    [
      'that calls onConnect twice',
      args => {
        const socket = connecting(args)
        socket.once('connect', args.onConnect)
        return socket
      },
    ],
    [
      'that calls onConnect at once',
      ({ host, port, onConnect }) => {
        const socket = net.connect({ host, port })
        onConnect()
        return socket
      },
    ],
    ['with a small buffer', args => new Duplex({ ...bridge(connecting(args)), highWaterMark: 16 })],
  ])('%s delivers, and leaves nothing', async (_, make) => {
    const cluster = await startCluster()
    cluster.createTopic('t')
    const producer = makeProducer(cluster.bootstrap, {}, { socketFactory: make as unknown as ISocketFactory })
    await producer.connect()
    await send(producer, 't', 'x'.repeat(200_000))
    cluster.cutConnections()
    await send(producer, 't', 'b')
    await producer.disconnect()
  })

  test.each<[string, (args: Args) => unknown]>([
    ['gives a promise', async () => new PassThrough()],
    ['gives a destroyed stream', () => new PassThrough().destroy()],
    [
      'gives a stream that fails',
      () => {
        const stream = new PassThrough()
        setImmediate(() => stream.destroy(new Error('the tunnel is closed')))
        return stream
      },
    ],
    [
      'gives a stream that fails twice',
      () => {
        const stream = new PassThrough({ autoDestroy: false })
        setImmediate(() => {
          stream.emit('error', new Error('the tunnel is closed'))
          stream.emit('error', new Error('again'))
        })
        return stream
      },
    ],
  ])('that %s is an error of connecting', async (_, make) => {
    const producer = makeProducer(['127.0.0.1:1'], QUICK, { socketFactory: make as ISocketFactory })
    await expect(producer.connect()).rejects.toMatchObject({
      name: 'BrokersUnreachableError',
      cause: { name: 'KafkaJSConnectionError' },
    })
  })
})

/** The inside of a Duplex over a socket. */
const bridge = (socket: net.Socket) => ({
  construct(this: Duplex, done: () => void) {
    socket.on('data', data => this.push(data) || socket.pause())
    socket.on('end', () => this.push(null))
    socket.on('error', error => this.destroy(error))
    done()
  },
  read: () => void socket.resume(),
  write: (chunk: Buffer, _encoding: string, done: () => void) => void socket.write(chunk, done),
  final: (done: () => void) => void socket.end(done),
  destroy: (error: Error | null, done: (error: Error | null) => void) => {
    socket.destroy()
    done(error)
  },
})

test('clocks that jump, to and fro, hold nothing back', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t')
  const producer = makeProducer(cluster.bootstrap)
  await producer.connect()
  const now = Date.now.bind(Date)
  cluster.on(
    'Produce',
    changed(each => ({ ...each, throttleTimeMs: 20 })),
    { times: Infinity },
  )
  for (const offset of [0, -86_400_000, 86_400_000, -3_600_000, 0]) {
    vi.spyOn(Date, 'now').mockImplementation(() => now() + offset)
    await send(producer, 't', String(offset))
  }
  expect(cluster.records('t', 0)).toHaveLength(5)
})
