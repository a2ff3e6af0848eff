import { crc32c } from '../../protocol/records/crc32c.js'
import type { BrokerModel } from '../model/brokerModel.js'
import type { EmbeddedKafkaOptions, TopicSpec } from '../model/options.js'
import { Random } from '../random.js'
import { SaslServer } from '../sasl/server.js'
import { AccessList } from './acl.js'
import { Groups } from './groups/groups.js'
import { AutoCreation } from './topics/autoCreate.js'
import { BrokerConfig, TopicConfig } from './topics/configs.js'
import { NO_LEADER, Partition, type Topic } from './topics/topic.js'
import { Transactions } from './transactions.js'

export interface BrokerState {
  readonly id: number
  readonly host: string
  port: number
  alive: boolean
  readonly config: BrokerConfig
}

const HOST = '127.0.0.1'

/** What all brokers know: the controller's state, without any I/O. */
export class ClusterState {
  readonly random: Random
  readonly clusterId: string
  readonly brokers: readonly BrokerState[]
  readonly topics = new Map<string, Topic>()
  /** Of all topics that ever were, by their ids: a late request calls a deleted one. */
  private readonly namesById = new Map<string, string>()
  readonly acl = new AccessList()
  readonly autoCreation: AutoCreation
  /** Names by what they share with the names they collide with. */
  private readonly collisionKeys = new Map<string, Set<string>>()
  private readonly hidden = new Set<string>()
  /** What the brokers play. */
  readonly model: BrokerModel
  readonly groups: Groups
  readonly transactions: Transactions
  readonly sasl: SaslServer | undefined
  private nextProducerId = 1000

  constructor(options: EmbeddedKafkaOptions, model: BrokerModel) {
    this.model = model
    this.random = new Random(options.seed ?? 1)
    this.clusterId = Buffer.from(this.random.uuid(), 'hex').toString('base64url')
    this.sasl = options.listeners?.sasl && new SaslServer(options.listeners.sasl, this.random)
    const auto = options.autoCreate ?? (model.autoCreate ? {} : false)
    const creation = auto === false ? {} : auto
    this.brokers = Array.from({ length: options.brokers ?? model.brokers }, (_, id) => ({
      id,
      host: HOST,
      port: 0,
      alive: false,
      config: new BrokerConfig({
        'auto.create.topics.enable': String(auto !== false),
        'num.partitions': '1',
        'default.replication.factor': '1',
        ...model.config,
        ...(creation.partitions === undefined ? {} : { 'num.partitions': String(creation.partitions) }),
        ...(creation.replicationFactor === undefined
          ? {}
          : { 'default.replication.factor': String(creation.replicationFactor) }),
        ...options.config,
        ...options.brokerConfig?.[id],
      }),
    }))
    this.groups = new Groups(() => this.random.uuid(), this.broker(0).config)
    this.transactions = new Transactions(this)
    this.autoCreation = new AutoCreation(this, creation, model.style)
  }

  /** The APIs and versions that every broker lists. */
  get offered(): BrokerModel['offered'] {
    return this.model.offered
  }

  broker(node: number): BrokerState {
    const broker = this.brokers[node]
    if (!broker) throw new Error(`there is no broker ${node}`)
    return broker
  }

  get aliveBrokers(): BrokerState[] {
    return this.brokers.filter(broker => broker.alive)
  }

  /** The living broker with the lowest id; -1 when none lives. */
  get controllerId(): number {
    return this.aliveBrokers[0]?.id ?? -1
  }

  /** The living broker that coordinates a group or a transactional id; -1 when none lives. */
  coordinatorOf(key: string): number {
    const alive = this.aliveBrokers
    return alive[crc32c(Buffer.from(key)) % Math.max(1, alive.length)]?.id ?? -1
  }

  newProducerId(): number {
    return this.nextProducerId++
  }

  /** A topic as one broker sees it. */
  visibleTopic(name: string, node: number): Topic | undefined {
    return this.hidden.has(`${node}:${name}`) ? undefined : this.topics.get(name)
  }

  /** The name of the topic that has this id, or had it; empty when there never was one. */
  nameOf(topicId: string): string {
    return this.namesById.get(topicId) ?? ''
  }

  hide(name: string, node: number): void {
    this.hidden.add(`${node}:${name}`)
  }

  show(name: string, node: number): void {
    this.hidden.delete(`${node}:${name}`)
  }

  /** The existing topic that a new one of this name would collide with. */
  collidingTopic(name: string): string | undefined {
    for (const each of this.collisionKeys.get(collisionKey(name)) ?? []) if (each !== name) return each
    return undefined
  }

  /** @param assignments the replicas of each partition, when the client chose them */
  createTopic(name: string, spec: TopicSpec = {}, assignments?: readonly (readonly number[])[]): Topic {
    const { config } = this.broker(Math.max(0, this.controllerId))
    const replicationFactor =
      assignments?.[0]?.length ?? spec.replicationFactor ?? config.number('default.replication.factor')
    const count = assignments?.length ?? spec.partitions ?? config.number('num.partitions')
    const topic: Topic = {
      name,
      id: this.random.uuid(),
      partitions: [],
      replicationFactor,
      config: new TopicConfig(spec.configs ?? {}, config),
    }
    const shift = this.random.below(Math.max(1, this.aliveBrokers.length))
    for (let index = 0; index < count; index++) {
      const leader = spec.leaders?.[index]
      const replicas = [
        ...(assignments?.[index] ?? this.placeReplicas(shift + index, replicationFactor, leader)),
      ]
      topic.partitions.push(new Partition(name, index, replicas, leader ?? replicas[0] ?? NO_LEADER))
    }
    this.topics.set(name, topic)
    this.namesById.set(topic.id, name)
    const key = collisionKey(name)
    const sharing = this.collisionKeys.get(key) ?? new Set()
    this.collisionKeys.set(key, sharing.add(name))
    return topic
  }

  addPartitions(topic: Topic, count: number): void {
    const shift = this.random.below(Math.max(1, this.aliveBrokers.length))
    for (let index = topic.partitions.length; index < count; index++) {
      const replicas = this.placeReplicas(shift + index, topic.replicationFactor, undefined)
      topic.partitions.push(new Partition(topic.name, index, replicas, replicas[0] ?? NO_LEADER))
    }
  }

  deleteTopic(name: string): boolean {
    const topic = this.topics.get(name)
    if (!topic) return false
    this.topics.delete(name)
    this.collisionKeys.get(collisionKey(name))?.delete(name)
    this.autoCreation.forget(name)
    for (const partition of topic.partitions) partition.changed()
    return true
  }

  moveLeader(name: string, index: number, node: number): void {
    const partition = this.partition(name, index)
    if (node !== NO_LEADER) {
      this.broker(node)
      if (!partition.replicas.includes(node)) {
        partition.replicas = partition.replicas.map(each => (each === partition.leader ? node : each))
      }
      if (!partition.isr.includes(node)) partition.isr = [node, ...partition.isr]
      partition.isr = partition.isr.filter(each => partition.replicas.includes(each))
    }
    partition.setLeader(node)
  }

  partition(name: string, index: number): Partition {
    const partition = this.topics.get(name)?.partitions[index]
    if (!partition) throw new Error(`there is no partition ${name} [${index}]`)
    return partition
  }

  /** A broker is gone: its partitions get another leader where a replica in sync lives. */
  brokerStopped(node: number): void {
    this.broker(node).alive = false
    for (const partition of this.allPartitions()) {
      if (!partition.replicas.includes(node)) continue
      // The last replica in sync stays in the list, though it is dead: only it may lead again.
      const others = partition.isr.filter(each => each !== node)
      if (others.length > 0) partition.isr = others
      if (partition.leader === node) partition.setLeader(others[0] ?? NO_LEADER)
    }
  }

  brokerStarted(node: number): void {
    this.broker(node).alive = true
    for (const partition of this.allPartitions()) {
      if (!partition.replicas.includes(node)) continue
      const leaderless = partition.leader === NO_LEADER
      // A new topic that waits for its first election has no leader for another reason.
      if (leaderless && partition.isr.includes(node) && !this.autoCreation.isLeaderless(partition.topic)) {
        partition.setLeader(node)
      }
      if (partition.leader === NO_LEADER) continue
      partition.isr = partition.replicas.filter(each => this.broker(each).alive || each === partition.leader)
    }
  }

  /** Ends what waits for time or gates. */
  close(): void {
    this.autoCreation.close()
    this.groups.close()
    this.transactions.close()
  }

  private *allPartitions(): Iterable<Partition> {
    for (const topic of this.topics.values()) yield* topic.partitions
  }

  private placeReplicas(start: number, count: number, leader: number | undefined): number[] {
    const alive = this.aliveBrokers.map(broker => broker.id)
    const order = alive.map((_, i) => alive[(start + i) % alive.length]!)
    if (leader === undefined || leader === NO_LEADER) return order.slice(0, count)
    return [leader, ...order.filter(id => id !== leader)].slice(0, Math.max(1, count))
  }
}

const collisionKey = (name: string): string => name.replaceAll('.', '_')
