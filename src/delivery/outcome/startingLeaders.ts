import type { Batch } from '../batch/batch.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'

/** So many batches ask whether the leader takes its partitions on by now. */
const PROBES = 8
/** So many held batches follow for each that was taken: thousands of partitions are written within a few round trips. */
const RELEASED_PER_PROBE = 4
/** After this long without a success, others probe: the leader may never take on those that did. ms */
const NEXT_PROBES_MS = 250

interface HeldBatch {
  readonly queue: PartitionQueue
  readonly batch: Batch
}

/** A broker that the cluster calls the leader of partitions, and that has not heard of it yet. */
interface StartingLeader {
  readonly probing: Set<Batch>
  /** In the order in which they were refused. */
  readonly held: Set<HeldBatch>
  timer: NodeJS.Timeout | undefined
}

/**
 * Paces the batches for brokers that are only starting to lead, as after hundreds of topics were created: a few probe, the
 * others are held until those are taken. If all were retried, 1,000 new topics would send their batches ten times a second,
 * which keeps the broker from starting and is most of what such a topic costs this process.
 */
export class StartingLeaders {
  readonly #byNode = new Map<number, StartingLeader>()

  /** Whether the refused batch is to be retried soon. If not, it has to be held. */
  mayProbe(nodeId: number, batch: Batch): boolean {
    const leader = this.#leaderOf(nodeId)
    if (leader.probing.has(batch)) return true
    if (leader.probing.size >= PROBES) return false
    leader.probing.add(batch)
    this.#arm(nodeId, leader)
    return true
  }

  /** Keeps the batch back, at the longest until its `retryAt`, where something else wakes its queue. */
  hold(nodeId: number, queue: PartitionQueue, batch: Batch): void {
    const leader = this.#leaderOf(nodeId)
    leader.held.add({ queue, batch })
    this.#arm(nodeId, leader)
  }

  /** The broker took the batch. */
  accepted(nodeId: number, batch: Batch): void {
    const leader = this.#byNode.get(nodeId)
    if (leader?.probing.delete(batch)) this.#release(nodeId, leader, RELEASED_PER_PROBE)
  }

  close(): void {
    for (const { timer } of this.#byNode.values()) clearTimeout(timer)
    this.#byNode.clear()
  }

  #leaderOf(nodeId: number): StartingLeader {
    const known = this.#byNode.get(nodeId)
    if (known) return known
    const leader: StartingLeader = { probing: new Set(), held: new Set(), timer: undefined }
    this.#byNode.set(nodeId, leader)
    return leader
  }

  #arm(nodeId: number, leader: StartingLeader): void {
    leader.timer ??= setTimeout(() => {
      leader.timer = undefined
      // Those that probe are retried by themselves; where they have ended or moved meanwhile, nobody tells.
      leader.probing.clear()
      this.#release(nodeId, leader, PROBES)
    }, NEXT_PROBES_MS)
  }

  #release(nodeId: number, leader: StartingLeader, count: number): void {
    let released = 0
    for (const each of leader.held) {
      if (released >= count) break
      leader.held.delete(each)
      const { queue, batch } = each
      // It has ended, or the partition has another leader: then it was retried there.
      if (batch.state === 'ended' || queue.sender?.nodeId !== nodeId) continue
      leader.probing.add(batch)
      batch.retryAt = 0
      queue.sender.wake(queue)
      released++
    }
    if (leader.held.size > 0) this.#arm(nodeId, leader)
    else if (leader.probing.size === 0) {
      clearTimeout(leader.timer)
      this.#byNode.delete(nodeId)
    }
  }
}
