import { UnsupportedApiError } from '../../errors/index.js'
import type { AnyApi } from '../../protocol/api.js'

/** What a broker says of each API that it knows, by the API's key. */
export type SpokenVersions = ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>

/**
 * The highest version that both sides speak.
 *
 * @throws {UnsupportedApiError}
 */
export const negotiate = (
  api: AnyApi,
  broker: SpokenVersions,
  where: string,
  maxVersion = api.maxVersion,
): number => {
  const spoken = broker.get(api.key)
  const version = Math.min(api.maxVersion, maxVersion, spoken?.maxVersion ?? -1)
  if (spoken === undefined || version < Math.max(api.minVersion, spoken.minVersion)) {
    const { key: apiKey, name: apiName, minVersion } = api
    const needed = { minVersion, maxVersion: Math.min(api.maxVersion, maxVersion) }
    throw new UnsupportedApiError({ apiKey, apiName, needed, offered: spoken, broker: where })
  }
  return version
}
