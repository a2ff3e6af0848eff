import type { BrokerConfig } from '../topics/configs.js'
import { Group } from './group.js'

export interface CommittedOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** A partition as a key. */
const place = (topic: string, partition: number): string => `${partition}:${topic}`

/** The groups and their committed offsets; coordinators move between brokers without losing them. */
export class Groups {
  private readonly groups = new Map<string, Group>()
  private readonly offsets = new Map<string, Map<string, CommittedOffset>>()
  private readonly newId: () => string
  private readonly config: BrokerConfig

  constructor(newId: () => string, config: BrokerConfig) {
    this.newId = newId
    this.config = config
  }

  find(id: string): Group | undefined {
    return this.groups.get(id)
  }

  findOrCreate(id: string): Group {
    let group = this.groups.get(id)
    if (!group) {
      group = new Group(id, this.newId, this.config.number('group.initial.rebalance.delay.ms'))
      this.groups.set(id, group)
    }
    return group
  }

  /** Groups with members, and those that have offsets alone. */
  list(): Group[] {
    for (const id of this.offsets.keys()) this.findOrCreate(id)
    return [...this.groups.values()]
  }

  delete(id: string): void {
    this.groups.get(id)?.close()
    this.groups.delete(id)
    this.offsets.delete(id)
  }

  exists(id: string): boolean {
    return this.groups.has(id) || this.offsets.has(id)
  }

  commit(id: string, topic: string, partition: number, committed: CommittedOffset): void {
    const own = this.offsets.get(id) ?? new Map<string, CommittedOffset>()
    this.offsets.set(id, own.set(place(topic, partition), committed))
  }

  committed(id: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.offsets.get(id)?.get(place(topic, partition))
  }

  /** The partitions a group has offsets of, by topic. */
  committedTopics(id: string): Map<string, number[]> {
    const topics = new Map<string, number[]>()
    for (const key of this.offsets.get(id)?.keys() ?? []) {
      const split = key.indexOf(':')
      const topic = key.slice(split + 1)
      topics.set(topic, [...(topics.get(topic) ?? []), Number(key.slice(0, split))])
    }
    return topics
  }

  close(): void {
    for (const group of this.groups.values()) group.close()
  }
}
