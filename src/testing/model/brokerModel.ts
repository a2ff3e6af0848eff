import { ERROR } from '../../protocol/errorCodes.js'
import { type ApiName, apiNames } from './apiNames.js'
import type { EmbeddedKafkaOptions } from './options.js'
import { type ApiLimits, type Profile, profiles } from './profiles.js'
import { isSince, type KafkaVersion, kafkaVersion, listedBy, newestKafka } from './versions.js'

export interface OfferedApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** The versions of one API that are implemented here. */
export interface ImplementedApi {
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** What the brokers play: which APIs they list, and where they behave otherwise than the newest Kafka. */
export interface BrokerModel {
  readonly version: KafkaVersion
  readonly offered: readonly OfferedApi[]
  readonly brokers: number
  readonly autoCreate: boolean
  /** Where brokers keep what they know together, by default: in ZooKeeper before 3.3. */
  readonly style: 'kraft' | 'zk'
  readonly config: Readonly<Record<string, string>>
  readonly describesBrokers: boolean
  readonly codecs: readonly number[] | undefined
  readonly replicationFactor: number | undefined
  /** Whether CreateTopics takes -1 for the broker's defaults (KIP-464). */
  readonly hasTopicDefaults: boolean
  /** What newer controllers add to their words on too few brokers (KIP-1066). */
  readonly cordonedWords: string
  /** Whether more replicas than a partition has are asked of no producer (KAFKA-15583). */
  readonly capsMinInsyncReplicas: boolean
  /** What a producer that a partition does not know is answered to a first sequence above 0; undefined: it is taken (since KIP-360). */
  readonly unknownProducer: number | undefined
}

/** Listed from version 0 on, though lower versions are not served: librdkafka infers from Produce which codecs there are, and SASL from SaslHandshake 0. */
const LISTED_FROM_ZERO: ReadonlySet<ApiName> = new Set(['Produce', 'SaslHandshake'])

const offeredApi = (
  name: ApiName,
  implemented: ImplementedApi,
  version: KafkaVersion | undefined,
  limits: ApiLimits,
): OfferedApi | undefined => {
  const limit = limits[name]
  const listed = version === undefined ? undefined : listedBy(version, name)
  const isAbsent = version !== undefined && listed === undefined && limit === undefined
  if (limit === 'none' || isAbsent) return undefined
  const minVersion = LISTED_FROM_ZERO.has(name) ? 0 : implemented.minVersion
  return {
    apiKey: implemented.key,
    minVersion: Math.max(minVersion, listed?.minVersion ?? 0),
    maxVersion: Math.min(implemented.maxVersion, limit ?? listed?.maxVersion ?? Infinity),
  }
}

const CORDONED_WORDS = ' or some brokers have all their log directories cordoned'

const unknownProducer = (version: KafkaVersion): number | undefined => {
  if (isSince(version, '2.5')) return undefined
  return isSince(version, '1.0') ? ERROR.UNKNOWN_PRODUCER_ID : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER
}

/**
 * Joins version, profile and single limits; what is given more narrowly has the word.
 *
 * @param implemented the versions that there are handlers for
 * @throws {Error} on a version or a profile that is not known
 */
export const brokerModel = (
  {
    version,
    profile: name,
    maxVersions = {},
  }: Pick<EmbeddedKafkaOptions, 'version' | 'profile' | 'maxVersions'>,
  implemented: (api: ApiName) => ImplementedApi,
): BrokerModel => {
  if (name !== undefined && !Object.hasOwn(profiles, name)) {
    throw new Error(
      `profile: the embedded cluster plays ${Object.keys(profiles).join(', ')}, not ${JSON.stringify(name)}`,
    )
  }
  const profile: Profile | undefined = name && profiles[name]
  const asked = version === undefined ? profile?.version : kafkaVersion(version)
  const played = asked ?? newestKafka
  const limits = { ...profile?.apis, ...maxVersions }
  return {
    version: played,
    offered: apiNames.flatMap(api => offeredApi(api, implemented(api), asked, limits) ?? []),
    brokers: profile?.brokers ?? 1,
    autoCreate: profile?.autoCreate ?? true,
    style: profile === undefined && !isSince(played, '3.3') ? 'zk' : 'kraft',
    config: profile?.config ?? {},
    describesBrokers: profile?.describesBrokers ?? true,
    codecs: profile?.codecs,
    replicationFactor: profile?.replicationFactor,
    hasTopicDefaults: profile !== undefined || isSince(played, '2.4'),
    cordonedWords: isSince(played, '4.3') ? CORDONED_WORDS : '',
    capsMinInsyncReplicas: isSince(played, '3.7'),
    unknownProducer: unknownProducer(played),
  }
}
