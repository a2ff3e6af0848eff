import type { Codec, WireContext } from './wire/codec.js'
import { MalformedMessageError } from './wire/malformed.js'
import { Reader } from './wire/reader.js'
import { Writer } from './wire/writer.js'

/**
 * One API of the Kafka protocol: its key, the versions this definition describes, and both message bodies.
 * The same definition serves the client and the embedded cluster.
 */
export interface Api<ReqOut, ReqIn, ResOut, ResIn> {
  readonly name: string
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
  /** The first version with compact lengths and tagged fields (KIP-482). */
  readonly flexibleFrom: number
  readonly request: Codec<ReqOut, ReqIn>
  readonly response: Codec<ResOut, ResIn>
}

export const defineApi = <ReqOut, ReqIn, ResOut, ResIn>(
  api: Api<ReqOut, ReqIn, ResOut, ResIn>,
): Api<ReqOut, ReqIn, ResOut, ResIn> => api

/** Any API, where only its envelope matters. */
export type AnyApi = Pick<
  Api<unknown, never, unknown, never>,
  'name' | 'key' | 'minVersion' | 'maxVersion' | 'flexibleFrom'
>

export const wireContext = (api: AnyApi, version: number): WireContext => ({
  version,
  flexible: version >= api.flexibleFrom,
})

/** The body alone, without the request header. */
export const encodeBody = <In>(
  api: AnyApi,
  codec: Codec<unknown, In>,
  version: number,
  value: In,
): Buffer => {
  const writer = new Writer()
  codec.write(writer, value, wireContext(api, version))
  return writer.finish()
}

/**
 * Reads one message body. What follows it stays unread in `reader`: Kafka, its clients and librdkafka do not look at it, and some
 * peers write more than the message (librdkafka 2.15 behind an all-topics Metadata request, its mock cluster behind Metadata responses).
 *
 * @throws {MalformedMessageError} naming the API and version
 */
export const decodeBody = <Out>(
  api: AnyApi,
  codec: Codec<Out, never>,
  version: number,
  reader: Reader,
): Out => {
  try {
    return codec.read(reader, wireContext(api, version))
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    throw new MalformedMessageError(`${api.name} version ${version}: ${error.message}`, { cause: error })
  }
}

/** A response, and how many bytes stood behind it. */
export interface ReadResponse<Out> {
  readonly response: Out
  readonly trailingBytes: number
}

/** A response after its correlation id: flexible ones begin with the header's tag section. */
export const readResponse = <Out>(
  api: Api<unknown, never, Out, never>,
  version: number,
  payload: Buffer,
): ReadResponse<Out> => {
  const reader = new Reader(payload)
  if (version >= api.flexibleFrom) skipTags(reader)
  const response = decodeBody(api, api.response, version, reader)
  return { response, trailingBytes: reader.remaining }
}

/** The response alone: see {@link readResponse}. */
export const decodeResponse = <Out>(
  api: Api<unknown, never, Out, never>,
  version: number,
  payload: Buffer,
): Out => readResponse(api, version, payload).response

const skipTags = (reader: Reader): void => {
  const count = reader.checkedCount(reader.uvarint())
  for (let i = 0; i < count; i++) {
    reader.uvarint()
    reader.skip(reader.uvarint())
  }
}
