import { removeLocalLeftovers } from './leftovers.js'
import { startLocalCluster } from './local.js'
import type { ClusterOptions, ClusterSource, KafkaCluster } from './types.js'

/** Starts a real Kafka cluster from what this machine has. The caller stops it. */
export async function startCluster(
  source: ClusterSource,
  options: ClusterOptions = {},
): Promise<KafkaCluster> {
  try {
    return await startOnce(source, options)
  } catch {
    // A port that was free may be taken before its broker binds it: once more, with others.
    return startOnce(source, options)
  }
}

const startOnce = async (source: ClusterSource, options: ClusterOptions): Promise<KafkaCluster> => {
  if (source.kind === 'local') return startLocalCluster(source.version, options)
  // Loaded on demand: the client of Docker takes a second to load, which a run on local processes need not wait for.
  const { startDockerCluster } = await import('./docker.js')
  return startDockerCluster(source.image, options)
}

/**
 * Ends and removes the clusters of runs for which `isOver` holds; in Docker too where `kind` says that there is one.
 *
 * @returns how many brokers in Docker, or clusters of processes, were removed
 */
export async function removeLeftovers(
  kind: ClusterSource['kind'] | undefined,
  isOver: (owner: number) => boolean,
): Promise<number> {
  const removed = await removeLocalLeftovers(isOver)
  if (kind !== 'docker') return removed
  const { dockerEngine, removeDockerLeftovers } = await import('./docker.js')
  return removed + (await removeDockerLeftovers(await dockerEngine(10_000), isOver))
}
