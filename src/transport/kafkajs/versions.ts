import kafkajs from 'kafkajs'
import type { AnyApi } from '../../protocol/api.js'
import type { KafkajsVersions } from './inside.js'

/**
 * The highest version that both sides speak.
 *
 * @throws KafkaJSServerDoesNotSupportApiKey
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
    const theirs =
      spoken === undefined ? 'does not know it' : `speaks ${spoken.minVersion} to ${spoken.maxVersion}`
    throw new kafkajs.KafkaJSServerDoesNotSupportApiKey(
      `${api.name} is needed in a version from ${api.minVersion} to ${Math.min(api.maxVersion, maxVersion)}, the broker ${where} ${theirs}`,
      { apiKey: api.key, apiName: api.name },
    )
  }
  return version
}
