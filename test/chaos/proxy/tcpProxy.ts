import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { Connection } from './connection.js'

const HOST = '127.0.0.1'

/** Stands between clients and one broker. */
export class TcpProxy {
  readonly port: number
  private readonly server: Server
  private readonly open = new Set<Connection>()
  /** New connections are reset at once. */
  isRefusing = false
  /** The first answer on a new connection comes this late. ms */
  handshakeMs = 0
  private answerDelayMs = 0

  private constructor(server: Server, targetPort: number) {
    this.server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', client => {
      if (this.isRefusing) {
        client.on('error', () => undefined)
        client.resetAndDestroy()
        return
      }
      const broker = connect({ host: HOST, port: targetPort, allowHalfOpen: true })
      const connection = new Connection(client, broker, closed => this.open.delete(closed))
      this.open.add(connection)
      if (this.handshakeMs > 0) connection.holdAnswers(this.handshakeMs)
      if (this.answerDelayMs > 0) connection.delayAnswers(this.answerDelayMs)
    })
  }

  /** @param port 0: any */
  static async listen(port: number, targetPort: number): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(port, HOST)
    await once(server, 'listening')
    return new TcpProxy(server, targetPort)
  }

  get address(): string {
    return `${HOST}:${this.port}`
  }

  /** Those on which no other trick was played for good. */
  get connections(): readonly Connection[] {
    return [...this.open].filter(connection => connection.isWhole)
  }

  /** From here on the broker's answers come this much later, on all connections. ms */
  delayAnswers(ms: number): void {
    this.answerDelayMs = ms
    for (const connection of this.open) connection.delayAnswers(ms)
  }

  async close(): Promise<void> {
    for (const connection of this.open) connection.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}
