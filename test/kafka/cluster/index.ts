import { startLocalCluster } from './local.js'
import type { ClusterOptions, ClusterSource, KafkaCluster } from './types.js'

/** Starts a real Kafka cluster from what this machine has. The caller stops it. */
export async function startCluster(
  source: ClusterSource,
  options: ClusterOptions = {},
): Promise<KafkaCluster> {
  if (source.kind === 'local') return startLocalCluster(source.version, options)
  // Loaded on demand: the client of Docker takes a second to load, which a run on local processes need not wait for.
  const { startDockerCluster } = await import('./docker.js')
  return startDockerCluster(source.image, options)
}
