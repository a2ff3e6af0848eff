import kafkajs from 'kafkajs'
import { UnsupportedApiError } from '../../errors/index.js'
import { decodeBody, encodeBody } from '../../protocol/api.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import { apiVersionsApi } from '../../protocol/messages/apiVersions.js'
import { Reader } from '../../protocol/wire/reader.js'
import { addressText } from '../address.js'
import type { BrokerConnection } from '../connection/brokerConnection.js'
import { exchange } from '../connection/exchange.js'
import { SOFTWARE } from './software.js'
import type { SpokenVersions } from './versions.js'

/** A broker knows some hundred APIs at the most. bytes */
const MAX_ANSWER_BYTES = 256 * 1024

const ask = async (connection: BrokerConnection, version: number, signal: AbortSignal): Promise<Buffer> =>
  exchange(
    connection,
    apiVersionsApi,
    version,
    encodeBody(apiVersionsApi, apiVersionsApi.request, version, SOFTWARE),
    { signal, maxResponseBytes: MAX_ANSWER_BYTES },
  )

/**
 * Asks which versions of which APIs the broker speaks, and tells our name (KIP-511). A broker that does not know that version
 * refuses in the form of version 0, and is asked again in that.
 *
 * @throws {UnsupportedApiError} KafkaJSProtocolError; {MalformedMessageError}; KafkaJSConnectionError
 */
export const negotiateVersions = async (
  connection: BrokerConnection,
  signal: AbortSignal,
): Promise<SpokenVersions> => {
  const { maxVersion } = apiVersionsApi
  const first = await ask(connection, maxVersion, signal)
  const isRefused = first.length >= 2 && first.readInt16BE(0) === ERROR.UNSUPPORTED_VERSION
  const [version, payload] = isRefused ? [0, await ask(connection, 0, signal)] : [maxVersion, first]
  // Its response header has no tags, whatever its version.
  const { errorCode: code, apiKeys } = decodeBody(
    apiVersionsApi,
    apiVersionsApi.response,
    version,
    new Reader(payload),
  )
  if (code !== ERROR.NONE) {
    const broker = addressText(connection.address)
    // To version 0, which every broker takes that has the API.
    if (code === ERROR.UNSUPPORTED_VERSION) {
      const { key: apiKey, name: apiName, minVersion } = apiVersionsApi
      const needed = { minVersion, maxVersion }
      throw new UnsupportedApiError({ apiKey, apiName, needed, offered: undefined, broker })
    }
    const { type, message, retriable } = errorCode(code)
    throw new kafkajs.KafkaJSProtocolError(
      Object.assign(new Error(`broker ${broker} answered ApiVersions with ${type}: ${message}`), {
        type,
        code,
        retriable,
      }),
    )
  }
  return new Map(
    apiKeys.map(({ apiKey, minVersion, maxVersion: max }) => [apiKey, { minVersion, maxVersion: max }]),
  )
}

/** Any answer proves that the connection lives; version 0 is what every broker answers. */
export const proveAlive = async (connection: BrokerConnection, signal: AbortSignal): Promise<void> => {
  await ask(connection, 0, signal)
}
