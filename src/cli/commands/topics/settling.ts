import { NotYet } from '../../../metadata/retry/schedule.js'
import type { ClusterClient } from '../../cluster/client.js'
import type { DeclaredTopic } from './declaration.js'
import { differences } from './difference.js'
import { findTopics } from './found.js'

/** The longest wait for a broker that lags behind, or is away. ms */
const PATIENCE_MS = 10_000

/**
 * Waits until each broker knows of the changes: the one that is asked next, by a plan or by a producer, may be any. A broker that does
 * not come to know of them in time is left to itself.
 */
export async function settle(client: ClusterClient, changed: readonly DeclaredTopic[]): Promise<void> {
  if (changed.length === 0) return
  const knows = async (node: number): Promise<void> => {
    const left = differences(changed, await findTopics(client, changed, { node }))
    if (left.some(each => each.kind !== 'unmendable'))
      throw new NotYet(new Error(`broker ${node} lags behind`))
  }
  await Promise.allSettled(
    client.brokers.map(({ nodeId }) => client.retrying(() => knows(nodeId), PATIENCE_MS)),
  )
}
