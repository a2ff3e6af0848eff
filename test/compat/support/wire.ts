import { type AnyApi, encodeBody, wireContext } from '../../../src/protocol/api.js'
import type { Codec } from '../../../src/protocol/wire/codec.js'
import { Reader } from '../../../src/protocol/wire/reader.js'
import { allApis } from '../../protocol/support/apis.js'

type KnownApi = AnyApi & Record<'request' | 'response', Codec<unknown, never>>

const apis: ReadonlyMap<number, KnownApi> = new Map((await allApis()).map(api => [api.key, api]))

const SIZE_BYTES = 4
const API_VERSIONS = 18

/** A request as it left the client. */
export interface WireRequest {
  /** `host:port` it was sent to. */
  readonly broker: string
  readonly api: string
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  /** Decoded; undefined for an API that is not described here. */
  readonly body: unknown
}

/** Cuts what arrives in pieces into whole frames, their size included. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0)

  take(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    for (;;) {
      if (this.#rest.length < SIZE_BYTES) return frames
      const end = SIZE_BYTES + this.#rest.readInt32BE(0)
      if (this.#rest.length < end) return frames
      frames.push(this.#rest.subarray(0, end))
      this.#rest = this.#rest.subarray(end)
    }
  }
}

const skipTags = (reader: Reader): void => {
  for (let left = reader.uvarint(); left > 0; left--) {
    reader.uvarint()
    reader.skip(reader.uvarint())
  }
}

export const readRequest = (broker: string, frame: Buffer): WireRequest => {
  const reader = new Reader(frame, SIZE_BYTES)
  const apiKey = reader.int16()
  const version = reader.int16()
  const correlationId = reader.int32()
  const clientIdBytes = reader.int16()
  if (clientIdBytes > 0) reader.skip(clientIdBytes)
  const api = apis.get(apiKey)
  if (api === undefined)
    return { broker, api: String(apiKey), apiKey, version, correlationId, body: undefined }
  const context = wireContext(api, version)
  if (context.flexible) skipTags(reader)
  return { broker, api: api.name, apiKey, version, correlationId, body: api.request.read(reader, context) }
}

export const correlationIdOf = (response: Buffer): number => response.readInt32BE(SIZE_BYTES)

/** The frame that answers the request with this body. */
export const writeResponse = (request: WireRequest, body: object): Buffer => {
  const api = apis.get(request.apiKey)
  if (api === undefined) throw new Error(`${request.api} is not described`)
  const { flexible } = wireContext(api, request.version)
  const noTags = flexible && api.key !== API_VERSIONS ? [0] : []
  const content = encodeBody(api, api.response, request.version, body as never)
  const head = Buffer.alloc(2 * SIZE_BYTES)
  head.writeInt32BE(SIZE_BYTES + noTags.length + content.length, 0)
  head.writeInt32BE(request.correlationId, SIZE_BYTES)
  return Buffer.concat([head, Buffer.from(noTags), content])
}

/** What the frame says in answer to the request. */
export const readResponse = (request: WireRequest, frame: Buffer): unknown => {
  const api = apis.get(request.apiKey)
  if (api === undefined) throw new Error(`${request.api} is not described`)
  const reader = new Reader(frame, 2 * SIZE_BYTES)
  const context = wireContext(api, request.version)
  if (context.flexible && api.key !== API_VERSIONS) skipTags(reader)
  return api.response.read(reader, context)
}
