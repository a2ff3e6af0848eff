import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { ListenerOptions } from '../model/options.js'
import { type BrokerContext, Connection } from './connection.js'

/**
 * Free ports are looked for below the range the system takes ports of outgoing connections from (32768 on Linux):
 * a client that reconnects to a stopped broker can otherwise get the very port as its own and connect to itself,
 * which keeps the broker from coming back.
 */
const LOWEST_PORT = 10_240
const HIGHEST_PORT = 32_767
const PORT_ATTEMPTS = 100

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })

const isAddressInUse = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EADDRINUSE'

/** One broker's socket: accepts connections until it is stopped, and may be started again on its port. */
export class Listener {
  private readonly context: BrokerContext
  private readonly node: number
  private readonly tls: ListenerOptions['tls']
  private readonly sockets = new Set<Socket>()
  private server: Server | undefined
  private stopping = new AbortController()

  constructor(context: BrokerContext, node: number, tls: ListenerOptions['tls']) {
    this.context = context
    this.node = node
    this.tls = tls
  }

  get openSockets(): number {
    return this.sockets.size
  }

  /** Resolves once no client is connected, or when the signal is aborted. */
  async idle(signal: AbortSignal): Promise<void> {
    while (this.sockets.size > 0 && !signal.aborted) {
      await Promise.all([...this.sockets].map(socket => once(socket, 'close', { signal }).catch(() => {})))
    }
  }

  /** @param port 0: a free one */
  async start(host: string, port: number): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      // Not from the cluster's seed: tests in other processes run with the same one.
      const candidate = port || LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT))
      const server = this.createServer()
      try {
        await listen(server, host, candidate)
        this.server = server
        this.stopping = new AbortController()
        return candidate
      } catch (error) {
        if (port !== 0 || !isAddressInUse(error) || attempt === PORT_ATTEMPTS) throw error
      }
    }
  }

  async stop(): Promise<void> {
    const { server } = this
    if (!server) return
    this.server = undefined
    this.stopping.abort()
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    this.cut()
    await closed
  }

  /** Cuts all connections; the listener stays. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  private createServer(): Server {
    if (!this.tls) return createServer(socket => this.accept(socket))
    const server = createTlsServer(this.tls, socket => this.accept(socket))
    // The raw sockets are followed too, so that one that never ends its handshake is closed with the rest.
    server.on('connection', socket => this.follow(socket))
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    return server
  }

  private accept(socket: Socket): void {
    this.follow(socket)
    new Connection(this.context, this.node, socket, this.stopping.signal)
  }

  private follow(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.sockets.delete(socket))
  }
}
