import { CONFIG_RESOURCE } from '../../../protocol/messages/describeConfigs.js'
import type { ControlTarget } from '../../../transport/port.js'
import type { ClusterClient } from '../../cluster/client.js'
import { Verdict } from '../../cluster/verdict.js'
import type { DeclaredTopic } from './declaration.js'
import type { FoundTopic } from './difference.js'

const UNKNOWN_TOPIC = 3

/**
 * The declared topics that the cluster has.
 *
 * @param target whom to ask. Default: any broker
 * @throws {Verdict} where the cluster does not show one
 */
export async function findTopics(
  client: ClusterClient,
  declared: readonly DeclaredTopic[],
  target?: ControlTarget,
): Promise<ReadonlyMap<string, FoundTopic>> {
  const described = await client.topics(
    declared.map(each => each.name),
    target,
  )
  const existing = declared.filter(({ name }) => {
    const code = described.get(name)?.errorCode ?? UNKNOWN_TOPIC
    if (code !== 0 && code !== UNKNOWN_TOPIC)
      throw new Verdict(`the topic ${name} cannot be looked at`, code, null)
    return code === 0
  })
  const configured = existing.filter(({ config }) => Object.keys(config).length > 0)
  const settings = await client.settings(
    CONFIG_RESOURCE.topic,
    configured.map(({ name, config }) => ({ name, keys: Object.keys(config) })),
    target,
  )
  return new Map(
    existing.map(({ name }) => {
      const { partitions } = described.get(name)!
      return [
        name,
        {
          partitions: partitions.length,
          replicationFactors: partitions.map(each => each.replicaNodes.length),
          settings: settings.get(name) ?? new Map(),
        },
      ]
    }),
  )
}
