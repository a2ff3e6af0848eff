import { PartitionLog } from '../log.js'
import type { TopicConfig } from './configs.js'

/** The node id of a leader that is not there. */
export const NO_LEADER = -1

/** One partition: its log is shared by its replicas, as if replication took no time. */
export class Partition {
  readonly topic: string
  readonly index: number
  readonly log = new PartitionLog()
  replicas: number[]
  isr: number[]
  leader: number
  leaderEpoch = 0
  private readonly watchers = new Set<() => void>()

  constructor(topic: string, index: number, replicas: number[], leader: number) {
    this.topic = topic
    this.index = index
    this.replicas = replicas
    this.isr = [...replicas]
    this.leader = leader
  }

  setLeader(node: number): void {
    this.leader = node
    this.leaderEpoch++
    this.changed()
  }

  /** Calls back on every append, leader move and deletion, until the returned function is called. */
  watch(callback: () => void): () => void {
    this.watchers.add(callback)
    return () => this.watchers.delete(callback)
  }

  changed(): void {
    for (const callback of [...this.watchers]) callback()
  }
}

/** A topic as the controller knows it. */
export interface Topic {
  readonly name: string
  /** 32 hexadecimal digits; another one after the topic was deleted and created again. */
  readonly id: string
  readonly partitions: Partition[]
  readonly replicationFactor: number
  readonly config: TopicConfig
}
