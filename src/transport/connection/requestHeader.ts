/** What of a request's header does not change on a connection. */
export interface RequestHeaderFields {
  readonly apiKey: number
  readonly apiVersion: number
  /** Request header version 2 (KIP-482): an empty tag section follows the client id, which itself stays an int16 string. */
  readonly flexible: boolean
}

/**
 * Size (int32), api key (int16), version (int16), correlation id (int32), client id (int16 length and bytes), tags.
 *
 * @param room how many bytes are left free behind it
 */
export const requestHeader = (
  { apiKey, apiVersion, flexible }: RequestHeaderFields,
  correlationId: number,
  clientId: Buffer | null,
  bodyBytes: number,
  room: number,
): Buffer => {
  const clientIdBytes = clientId?.length ?? 0
  const length = 14 + clientIdBytes + (flexible ? 1 : 0)
  const header = Buffer.allocUnsafe(length + room)
  header.writeInt32BE(length - 4 + bodyBytes, 0)
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(apiVersion, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(clientId === null ? -1 : clientIdBytes, 12)
  clientId?.copy(header, 14)
  if (flexible) header[length - 1] = 0
  return header
}
