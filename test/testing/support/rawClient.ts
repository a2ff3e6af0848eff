import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Api, encodeBody, wireContext } from '../../../src/protocol/api.js'
import { nullableString } from '../../../src/protocol/wire/codec.js'
import { Reader } from '../../../src/protocol/wire/reader.js'
import { Writer } from '../../../src/protocol/wire/writer.js'

const API_VERSIONS_KEY = 18

/** A client that sends exactly what a test says, one frame after the other. */
export class RawClient {
  private readonly socket: Socket
  private buffered = Buffer.alloc(0)
  private nextCorrelationId = 1

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', chunk => {
      this.buffered = Buffer.concat([this.buffered, chunk])
      socket.emit('moved')
    })
    socket.on('close', () => socket.emit('moved'))
  }

  static async connect(address: string): Promise<RawClient> {
    const [host, port] = address.split(':')
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Writes a request and returns its correlation id. */
  request<In>(api: Api<unknown, In, unknown, never>, version: number, body: In): number {
    const correlationId = this.nextCorrelationId++
    const { flexible } = wireContext(api, version)
    const writer = new Writer()
    writer.int32(0)
    writer.int16(api.key)
    writer.int16(version)
    writer.int32(correlationId)
    nullableString.write(writer, 'raw', { version: 1, flexible: false })
    if (flexible) writer.uvarint(0)
    writer.bytes(encodeBody(api, api.request, version, body))
    const frame = writer.finish()
    frame.writeInt32BE(frame.length - 4, 0)
    this.write(frame)
    return correlationId
  }

  /** The next frame without its size; undefined when the connection ended before it was whole. */
  async frame(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.buffered.length >= 4) {
        const size = this.buffered.readInt32BE(0)
        if (this.buffered.length >= 4 + size) {
          const frame = this.buffered.subarray(4, 4 + size)
          this.buffered = this.buffered.subarray(4 + size)
          return frame
        }
      }
      if (this.socket.destroyed) return undefined
      await once(this.socket, 'moved')
    }
  }

  /** Sends a request and reads its answer; undefined when the connection ended instead. */
  async call<In, Out>(
    api: Api<unknown, In, Out, never>,
    version: number,
    body: In,
  ): Promise<Out | undefined> {
    const correlationId = this.request(api, version, body)
    return this.answer(api, version, correlationId)
  }

  async answer<Out>(
    api: Api<unknown, never, Out, never>,
    version: number,
    correlationId: number,
  ): Promise<Out | undefined> {
    const frame = await this.frame()
    if (!frame) return undefined
    const reader = new Reader(frame)
    const got = reader.int32()
    if (got !== correlationId) throw new Error(`the answer to ${got} came, not to ${correlationId}`)
    const context = wireContext(api, version)
    if (context.flexible && api.key !== API_VERSIONS_KEY) reader.uvarint()
    const response = api.response.read(reader, context)
    if (reader.remaining > 0)
      throw new Error(`${reader.remaining} bytes left over in the answer of ${api.name}`)
    return response
  }

  /** Everything that came and was not read. */
  get unread(): Buffer {
    return this.buffered
  }

  /** Resolves when the broker has cut the connection. */
  async ended(): Promise<void> {
    while (!this.socket.destroyed) await once(this.socket, 'moved')
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.ended()
  }
}
