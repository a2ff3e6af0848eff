import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaNode } from '../kafka/cluster/types.js'
import { until } from '../kafka/cluster/wait.js'
import type { LeaderLoss } from './check/failover.js'
import type { ChaosCluster } from './cluster/chaosCluster.js'
import { controllerOf, type Partition, partitionsOf } from './cluster/control.js'
import type { LoadCommand, Snapshot } from './load/load.js'
import type { Random } from './random.js'
import type { Worker } from './worker/worker.js'

/** Something that was done to the cluster. */
export interface Fault {
  readonly name: string
  /** ms since 1970 */
  readonly startedAt: number
  readonly endedAt: number
  /** Sends without an outcome when it began, and just before it ended. */
  readonly inFlightBefore: number
  readonly inFlightAfter: number
  /** records/s while it lasted */
  readonly offeredPerSecond: number
}

export interface StageParts {
  readonly cluster: ChaosCluster
  readonly worker: Worker
  readonly topics: readonly string[]
  readonly partitions: number
  readonly ratePerSecond: number
  readonly random: Random
  /** ms from now */
  readonly durationMs: number
  readonly say: (line: string) => void
}

const HEALTH_MS = 120_000

/** What a scenario does its faults on: the cluster under load, with a diary. */
export class Stage {
  readonly faults: Fault[] = []
  readonly losses: LeaderLoss[] = []
  readonly topics: string[]
  /** Topics that were deleted, and until when their acknowledgements may have gone with them. ms since 1970 */
  readonly deletedBefore: Record<string, number> = {}
  readonly partitions: number
  readonly ratePerSecond: number
  readonly random: Random
  readonly startedAt = Date.now()
  readonly endsAt: number
  private readonly parts: StageParts

  constructor(parts: StageParts) {
    this.parts = parts
    this.topics = [...parts.topics]
    this.partitions = parts.partitions
    this.ratePerSecond = parts.ratePerSecond
    this.random = parts.random
    this.endsAt = this.startedAt + parts.durationMs
  }

  get isOver(): boolean {
    return Date.now() >= this.endsAt
  }

  get nodes(): readonly KafkaNode[] {
    return this.parts.cluster.cluster.nodes
  }

  get proxies(): ChaosCluster['proxies'] {
    return this.parts.cluster.proxies
  }

  /** Of the brokers' own listener, in the order of their ids. */
  get addresses(): readonly string[] {
    return this.parts.cluster.cluster.bootstrap
  }

  say(line: string): void {
    this.parts.say(`${((Date.now() - this.startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)
  }

  wait(ms: number): Promise<void> {
    return sleep(ms)
  }

  /** Notes a fault, from the start of `act` to its end. */
  async fault(name: string, act: () => Promise<unknown>): Promise<void> {
    const before = await this.snapshot()
    const startedAt = Date.now()
    this.say(
      `${name}: ${before.inFlight} in flight, ${before.acknowledged} acknowledged, ${before.failed} failed`,
    )
    await act()
    const after = await this.snapshot()
    const endedAt = Date.now()
    this.faults.push({
      name,
      startedAt,
      endedAt,
      inFlightBefore: before.inFlight,
      inFlightAfter: after.inFlight,
      offeredPerSecond: ((after.offered - before.offered) * 1000) / Math.max(1, endedAt - startedAt),
    })
  }

  /** A client whose process says nothing for a while shows it in the end: the scenario goes on. */
  private async snapshot(): Promise<Snapshot> {
    return this.parts.worker.snapshot().catch(() => ({
      offered: Number.NaN,
      acknowledged: Number.NaN,
      failed: Number.NaN,
      inFlight: Number.NaN,
    }))
  }

  /** kill -9 */
  async kill(node: KafkaNode): Promise<void> {
    await this.noteLoss(node, 'killed')
    await node.kill()
  }

  /** SIGSTOP */
  async freeze(node: KafkaNode): Promise<void> {
    await this.noteLoss(node, 'paused')
    await node.pause()
  }

  private async noteLoss(node: KafkaNode, how: LeaderLoss['how']): Promise<void> {
    const others = this.addresses.filter((_, i) => this.nodes[i] !== node)
    const known = await this.describe(others).catch(() => [])
    const partitions = known.filter(({ leader }) => leader === node.id)
    this.losses.push({ at: Date.now(), node: node.id, how, partitions })
  }

  describe(addresses = this.addresses): Promise<Partition[]> {
    return partitionsOf(addresses, this.topics)
  }

  /** Resolves when every partition has a leader and all of its replicas are in sync. */
  async healthy(): Promise<void> {
    await until(
      'all replicas of all partitions',
      async () => {
        const partitions = await this.describe().catch(() => [])
        const isComplete = ({ leader, isr, replicas }: Partition): boolean =>
          leader >= 0 && isr.length === replicas.length
        return (partitions.length > 0 && partitions.every(isComplete)) || undefined
      },
      { timeoutMs: HEALTH_MS, everyMs: 200 },
    )
  }

  /** The node that leads the most partitions. */
  async busiest(): Promise<KafkaNode> {
    const partitions = await this.describe()
    const led = (node: KafkaNode): number => partitions.filter(({ leader }) => leader === node.id).length
    return [...this.nodes].sort((a, b) => led(b) - led(a))[0]!
  }

  async controller(): Promise<KafkaNode> {
    const id = await until('a controller', () => controllerOf(this.addresses).catch(() => undefined), {
      timeoutMs: HEALTH_MS,
    })
    return this.nodes.find(node => node.id === id)!
  }

  /** From here on the load goes to these too, the first records of each at once. */
  addTopics(names: readonly string[], each = 1): void {
    this.topics.push(...names)
    this.load({ change: 'more topics', names, each })
  }

  load(command: LoadCommand): void {
    this.parts.worker.tell(command)
  }
}
