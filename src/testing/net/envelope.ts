import { type AnyApi, wireContext } from '../../protocol/api.js'
import { nullableString } from '../../protocol/wire/codec.js'
import type { Reader } from '../../protocol/wire/reader.js'
import { Writer } from '../../protocol/wire/writer.js'
import type { AnyServedApi } from '../apis/registry.js'

const API_VERSIONS_KEY = 18

export interface RequestHeader {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
}

/** What every request header begins with, whatever its version. */
export const readHeaderStart = (reader: Reader): RequestHeader => ({
  apiKey: reader.int16(),
  version: reader.int16(),
  correlationId: reader.int32(),
})

/** The rest of the header. The client id is never compact, even in flexible versions. */
export const readHeaderRest = (reader: Reader, flexible: boolean): string | null => {
  const clientId = nullableString.read(reader, { version: 1, flexible: false })
  if (flexible) {
    const count = reader.checkedCount(reader.uvarint())
    for (let i = 0; i < count; i++) {
      reader.uvarint()
      reader.skip(reader.uvarint())
    }
  }
  return clientId
}

/** A whole response frame: size, header, body. The header of ApiVersions is never flexible (KIP-511). */
export const encodeFrame = (
  { api }: AnyServedApi,
  version: number,
  correlationId: number,
  response: unknown,
): Buffer => {
  const context = wireContext(api as AnyApi, version)
  const writer = new Writer(512)
  writer.int32(0)
  writer.int32(correlationId)
  if (context.flexible && api.key !== API_VERSIONS_KEY) writer.uvarint(0)
  api.response.write(writer, response as never, context)
  const frame = writer.finish()
  frame.writeInt32BE(frame.length - 4, 0)
  return frame
}
