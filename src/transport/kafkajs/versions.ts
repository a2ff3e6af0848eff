import { UnsupportedApiError } from '../../errors/index.js'
import type { AnyApi } from '../../protocol/api.js'
import type { KafkajsVersions } from './inside.js'

/**
 * The highest version that both sides speak.
 *
 * @throws {UnsupportedApiError}
 */
export const negotiate = (
  api: AnyApi,
  broker: KafkajsVersions,
  where: string,
  maxVersion = api.maxVersion,
): number => {
  const spoken = broker[api.key]
  const version = Math.min(api.maxVersion, maxVersion, spoken?.maxVersion ?? -1)
  if (spoken === undefined || version < Math.max(api.minVersion, spoken.minVersion)) {
    const { key: apiKey, name: apiName, minVersion } = api
    const needed = { minVersion, maxVersion: Math.min(api.maxVersion, maxVersion) }
    throw new UnsupportedApiError({ apiKey, apiName, needed, offered: spoken, broker: where })
  }
  return version
}
