import { NonRetriableError } from '../../errors/bases.js'
import type { createTopicsApi } from '../../protocol/messages/createTopics.js'
import type { Encodable } from '../../protocol/wire/codec.js'
import type { TopicSettings } from '../policy/policy.js'

export interface NewTopic extends Pick<TopicSettings, 'partitions' | 'replicationFactor' | 'configEntries'> {
  readonly name: string
}

/** A default of the broker is asked for that it does not know. */
export class NoBrokerDefaultsError extends NonRetriableError {
  static override readonly name: string = 'NoBrokerDefaultsError'
}

/** From this version on, -1 partitions or replicas ask for the broker's default (KIP-464). */
const BROKER_DEFAULTS_VERSION = 4

/**
 * @param timeoutMs how long the controller waits for the topics to be created
 * @throws {NoBrokerDefaultsError} when a default of the broker is asked for that it does not know (Kafka before 2.4)
 */
export const encodeCreation = (
  topics: readonly NewTopic[],
  timeoutMs: number,
  version: number,
): Encodable<typeof createTopicsApi.request> => {
  if (
    version < BROKER_DEFAULTS_VERSION &&
    topics.some(each => each.partitions < 0 || each.replicationFactor < 0)
  )
    throw new NoBrokerDefaultsError(
      `the broker speaks CreateTopics only up to version ${version}, which has no default for partitions and replicationFactor (Kafka before 2.4). Give both in the option topics.`,
    )
  return { topics: topics.map(each => encodeTopic(each)), timeoutMs, validateOnly: false }
}

/**
 * Asks why topics with the broker's defaults cannot be created, without creating them. Brokers without those defaults
 * are asked with one partition and one replica: they still judge the name.
 *
 * @throws {NonRetriableError} when the broker has no validateOnly (version 0): it would create the topics
 */
export const encodeValidation = (
  names: readonly string[],
  timeoutMs: number,
  version: number,
): Encodable<typeof createTopicsApi.request> => {
  if (version < 1) throw new NonRetriableError('The broker speaks no CreateTopics with validateOnly.')
  const count = version < BROKER_DEFAULTS_VERSION ? 1 : -1
  const topics = names.map(name =>
    encodeTopic({ name, partitions: count, replicationFactor: count, configEntries: [] }),
  )
  return { topics, timeoutMs, validateOnly: true }
}

const encodeTopic = ({ name, partitions, replicationFactor, configEntries }: NewTopic) => ({
  name,
  numPartitions: partitions,
  replicationFactor,
  assignments: [],
  configs: configEntries.map(each => ({ name: each.name, value: each.value })),
})
