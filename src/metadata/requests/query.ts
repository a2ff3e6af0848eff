import { UnsupportedApiError } from '../../errors/index.js'
import { metadataApi } from '../../protocol/messages/metadata.js'
import type { Encodable } from '../../protocol/wire/codec.js'

/**
 * What a metadata request may ask. There is no "all topics" case on purpose: brokers ignore the creation flag on such
 * a request, its cost grows with the cluster, and one bad topic spoils it for all.
 */
export type MetadataQuery =
  | { readonly names: readonly [string, ...string[]]; readonly create: boolean }
  | 'brokers-only'

/** The newest version spoken: version 13 only adds a top-level error code. */
export const METADATA_MAX_VERSION = 12

/** Below version 4 the creation flag does not exist (every request creates), and in version 0 an empty list means all topics. */
const METADATA_MIN_VERSION = 4

/**
 * The request body. "Brokers only" is an empty array, never null: null means all topics.
 *
 * @throws {UnsupportedApiError} when the broker speaks no version with the creation flag (Kafka before 0.11)
 */
export const encodeQuery = (
  query: MetadataQuery,
  version: number,
): Encodable<typeof metadataApi.request> & {
  readonly topics: readonly { readonly name: string | null }[]
} => {
  if (version < METADATA_MIN_VERSION)
    throw new UnsupportedApiError({
      apiKey: metadataApi.key,
      apiName: metadataApi.name,
      needed: { minVersion: METADATA_MIN_VERSION, maxVersion: METADATA_MAX_VERSION },
      offered: { minVersion: 0, maxVersion: version },
    })
  return query === 'brokers-only'
    ? { topics: [], allowAutoTopicCreation: false }
    : { topics: query.names.map(name => ({ name })), allowAutoTopicCreation: query.create }
}
