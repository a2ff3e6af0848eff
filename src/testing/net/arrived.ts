import { decodeBody, wireContext } from '../../protocol/api.js'
import { ERROR } from '../../protocol/errorCodes.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { Reader } from '../../protocol/wire/reader.js'
import { type AnyServedApi, apiNameOf, servedApi } from '../apis/registry.js'
import type { ApiName } from '../model/apiNames.js'
import type { ClusterState } from '../state/cluster.js'
import { encodeFrame, type RequestHeader, readHeaderRest, readHeaderStart } from './envelope.js'
import type { JournalEntry } from './journal.js'

/** A request that was read. */
export interface Arrived extends RequestHeader {
  readonly name: ApiName
  readonly served: AnyServedApi
  readonly clientId: string | null
  readonly body: unknown
}

/** The answer to a version of ApiVersions that is not offered, ready to be sent. */
export interface VersionRefusal {
  readonly refusal: Buffer
}

/**
 * Reads a frame.
 *
 * @throws {MalformedMessageError} when it is no request that is offered: a broker then closes the connection
 */
export const readRequest = (
  frame: Buffer,
  cluster: Pick<ClusterState, 'offered' | 'nameOf'>,
): Arrived | VersionRefusal => {
  const reader = new Reader(frame)
  const header = readHeaderStart(reader)
  const name = apiNameOf(header.apiKey)
  const range = cluster.offered.find(({ apiKey }) => apiKey === header.apiKey)
  if (!name || !range) throw new MalformedMessageError(`API key ${header.apiKey} is not offered`)
  const served = servedApi(name)
  const lowest = Math.max(range.minVersion, served.api.minVersion)
  if (header.version < lowest || header.version > range.maxVersion) {
    if (name !== 'ApiVersions') {
      throw new MalformedMessageError(`${name} version ${header.version} is not offered`)
    }
    const response = { errorCode: ERROR.UNSUPPORTED_VERSION, apiKeys: [range] }
    return { refusal: encodeFrame(served, 0, header.correlationId, response) }
  }
  const { flexible } = wireContext(served.api, header.version)
  const clientId = readHeaderRest(reader, flexible)
  const decoded = decodeBody(served.api, served.api.request, header.version, reader)
  const body = served.withNames?.(decoded, cluster) ?? decoded
  return { ...header, name, served, clientId, body }
}

/** What the journal says of a request that has just come. */
export const journalEntry = (request: Arrived, node: number, connectionId: number): JournalEntry => {
  const { name, version, correlationId, clientId, body, served } = request
  const topics = served.topics?.names(body, version)
  return {
    at: performance.now(),
    node,
    clientId,
    api: name,
    version,
    correlationId,
    connectionId,
    ...(topics === undefined ? {} : { topics }),
    ...(name === 'Metadata'
      ? { allowAutoTopicCreation: (body as { allowAutoTopicCreation: boolean }).allowAutoTopicCreation }
      : {}),
    body,
  }
}
