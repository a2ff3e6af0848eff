import { once } from 'node:events'
import net from 'node:net'
import type { AnyApi, Api } from '../../src/protocol/api.js'
import { encodeBody } from '../../src/protocol/api.js'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { Writer } from '../../src/protocol/wire/writer.js'

export type VersionRanges = Record<number, readonly [min: number, max: number]>

const SASL_HANDSHAKE = 17
const SASL_AUTHENTICATE = 36

const DEFAULT_VERSIONS: VersionRanges = {
  [produceApi.key]: [0, 13],
  [metadataApi.key]: [0, 12],
  [apiVersionsApi.key]: [0, 2],
  [createTopicsApi.key]: [2, 7],
  [SASL_HANDSHAKE]: [0, 1],
  [SASL_AUTHENTICATE]: [0, 1],
}

export interface FakeBrokerOptions {
  readonly versions?: VersionRanges
  /** What SaslAuthenticate grants; 0 is unlimited. ms */
  readonly sessionLifetimeMs?: () => number
  /** Keys of APIs that wait for the test although they are answered by themselves otherwise. */
  readonly manual?: readonly number[]
  readonly port?: number
  /** Before SaslAuthenticate, the mechanism's bytes followed the handshake with only a size before them. */
  readonly unframedSasl?: boolean
}

/** One end of a raw connection, in the order of acceptance. */
export class FakeConnection {
  readonly closed: Promise<unknown>
  /** Every request seen, the automatic ones included. */
  readonly seen: ReceivedRequest[] = []
  received = 0
  expectsUnframedSasl = false

  constructor(
    readonly id: number,
    readonly socket: net.Socket,
  ) {
    this.closed = once(socket, 'close')
  }
}

export class ReceivedRequest {
  constructor(
    readonly connection: FakeConnection,
    readonly apiKey: number,
    readonly version: number,
    readonly correlationId: number,
    readonly clientId: string | null,
    /** What follows the client id: the tag section of a flexible request included. */
    readonly rest: Buffer,
  ) {}

  /** `body` follows the correlation id. */
  frame(body: Buffer, correlationId = this.correlationId): Buffer {
    const header = Buffer.alloc(8)
    header.writeInt32BE(body.length + 4, 0)
    header.writeInt32BE(correlationId, 4)
    return Buffer.concat([header, body])
  }

  respond(body: Buffer): void {
    this.connection.socket.write(this.frame(body))
  }

  answer<In>(api: Api<unknown, never, unknown, In>, value: In): void {
    this.respond(responseBody(api, this.version, value))
  }
}

const responseBody = <In>(
  api: AnyApi & Pick<Api<unknown, never, unknown, In>, 'response'>,
  version: number,
  value: In,
): Buffer => {
  const body = encodeBody(api, api.response, version, value)
  return version >= api.flexibleFrom && api.key !== apiVersionsApi.key
    ? Buffer.concat([Buffer.of(0), body])
    : body
}

/** Bytes on loopback TCP, and nothing that a test did not ask for. It answers ApiVersions and SASL PLAIN by itself. */
export class FakeBroker {
  readonly connections: FakeConnection[] = []
  readonly #server: net.Server
  readonly #arrived: ReceivedRequest[] = []
  #waiting: {
    matches: (request: ReceivedRequest) => boolean
    resolve: (request: ReceivedRequest) => void
  }[] = []
  #awaitedConnections: { count: number; resolve: () => void }[] = []

  private constructor(private readonly options: FakeBrokerOptions) {
    this.#server = net.createServer(socket => this.#accept(socket))
  }

  static async start(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
    const broker = new FakeBroker(options)
    broker.#server.listen(options.port ?? 0, '127.0.0.1')
    await once(broker.#server, 'listening')
    return broker
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** The next request of that API that nobody took yet. */
  next(api: Pick<AnyApi, 'key'>): Promise<ReceivedRequest> {
    const matches = (request: ReceivedRequest) => request.apiKey === api.key
    const at = this.#arrived.findIndex(matches)
    const [found] = at < 0 ? [] : this.#arrived.splice(at, 1)
    if (found) return Promise.resolve(found)
    return new Promise(resolve => this.#waiting.push({ matches, resolve }))
  }

  /** Whoever waits for a request of this broker does so no longer. */
  forgetWaiting(): void {
    this.#waiting = []
  }

  /** Requests that arrived and were not taken. */
  get untaken(): readonly ReceivedRequest[] {
    return this.#arrived
  }

  async connected(count: number): Promise<FakeConnection> {
    if (this.connections.length < count)
      await new Promise<void>(resolve => this.#awaitedConnections.push({ count, resolve }))
    return this.connections[count - 1]!
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #accept(socket: net.Socket): void {
    const connection = new FakeConnection(this.connections.length + 1, socket)
    this.connections.push(connection)
    socket.on('error', () => {})
    let pieces: Buffer[] = []
    let gathered = 0
    let needed = 4
    socket.on('data', data => {
      connection.received += data.length
      pieces.push(data)
      gathered += data.length
      if (gathered < needed) return
      let buffered = Buffer.concat(pieces)
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const end = 4 + buffered.readInt32BE(0)
        this.#receive(connection, buffered.subarray(4, end))
        buffered = buffered.subarray(end)
      }
      pieces = [buffered]
      gathered = buffered.length
      needed = gathered < 4 ? 4 : 4 + buffered.readInt32BE(0)
    })
    this.#awaitedConnections = this.#awaitedConnections.filter(({ count, resolve }) => {
      if (this.connections.length < count) return true
      resolve()
      return false
    })
  }

  #receive(connection: FakeConnection, frame: Buffer): void {
    if (connection.expectsUnframedSasl) {
      connection.expectsUnframedSasl = false
      connection.socket.write(Buffer.alloc(4))
      return
    }
    const clientIdLength = frame.readInt16BE(8)
    const restAt = 10 + Math.max(0, clientIdLength)
    const request = new ReceivedRequest(
      connection,
      frame.readInt16BE(0),
      frame.readInt16BE(2),
      frame.readInt32BE(4),
      clientIdLength < 0 ? null : frame.toString('utf8', 10, restAt),
      frame.subarray(restAt),
    )
    connection.seen.push(request)
    if (!this.options.manual?.includes(request.apiKey) && this.#answerByItself(request)) return
    const at = this.#waiting.findIndex(each => each.matches(request))
    const [waiter] = at < 0 ? [] : this.#waiting.splice(at, 1)
    if (waiter) waiter.resolve(request)
    else this.#arrived.push(request)
  }

  #answerByItself(request: ReceivedRequest): boolean {
    if (request.apiKey === apiVersionsApi.key) this.answerApiVersions(request)
    else if (request.apiKey === SASL_HANDSHAKE) {
      const writer = new Writer()
      writer.int16(0)
      writer.int32(1)
      writer.int16(5)
      writer.utf8('PLAIN')
      request.connection.expectsUnframedSasl = this.options.unframedSasl ?? false
      request.respond(writer.finish())
    } else if (request.apiKey === SASL_AUTHENTICATE) this.answerSaslAuthenticate(request)
    else return false
    return true
  }

  answerSaslAuthenticate(request: ReceivedRequest): void {
    const writer = new Writer()
    writer.int16(0)
    writer.int16(-1)
    writer.int32(0)
    if (request.version >= 1) writer.int64(BigInt(this.options.sessionLifetimeMs?.() ?? 0))
    request.respond(writer.finish())
  }

  answerApiVersions(request: ReceivedRequest, versions = this.options.versions ?? DEFAULT_VERSIONS): void {
    request.answer(apiVersionsApi, {
      errorCode: 0,
      apiKeys: Object.entries(versions).map(([key, [minVersion, maxVersion]]) => ({
        apiKey: Number(key),
        minVersion,
        maxVersion,
      })),
    })
  }
}

/** A Metadata answer without topics. */
export const metadataAnswer = (brokers: readonly { nodeId: number; port: number }[] = []) => ({
  brokers: brokers.map(({ nodeId, port }) => ({ nodeId, host: '127.0.0.1', port })),
  topics: [],
})
