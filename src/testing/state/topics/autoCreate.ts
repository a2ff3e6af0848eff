import { ERROR } from '../../../protocol/errorCodes.js'
import type { AutoCreateOptions } from '../../model/options.js'
import type { AccessList } from '../acl.js'
import type { BrokerConfig } from './configs.js'
import { NO_LEADER, type Topic } from './topic.js'
import { invalidNameReason } from './topicRules.js'

interface Pending {
  answers: number
}

/** What the model needs of the cluster. */
export interface CreationHost {
  readonly acl: AccessList
  readonly topics: ReadonlyMap<string, Topic>
  readonly aliveBrokers: readonly unknown[]
  broker(node: number): { readonly config: BrokerConfig }
  visibleTopic(name: string, node: number): Topic | undefined
  collidingTopic(name: string): string | undefined
  createTopic(name: string): Topic
}

/**
 * The brokers' auto-creation of topics, by count of answers: the count makes tests exact where time would make them
 * flaky.
 */
export class AutoCreation {
  private readonly cluster: CreationHost
  readonly style: 'kraft' | 'zk'
  private readonly options: AutoCreateOptions
  private readonly pending = new Map<string, Pending>()
  /** Auto-created topics without leaders so far, and how many answers have shown that. */
  private readonly leaderless = new Map<string, { answers: number; leaders: number[] }>()
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly ended = new AbortController()

  constructor(cluster: CreationHost, options: AutoCreateOptions, style: 'kraft' | 'zk') {
    this.cluster = cluster
    this.options = options
    this.style = options.style ?? style
  }

  isLeaderless(topic: string): boolean {
    return this.leaderless.has(topic)
  }

  /**
   * What a broker answers for a topic it does not see, and what that sets off.
   *
   * @param mayCreate the flag of the request (always true before version 4, never for all topics)
   * @returns an error code, or NONE when the topic exists and is visible from now on
   */
  answerUnknown(name: string, node: number, mayCreate: boolean): number {
    if (invalidNameReason(name)) return ERROR.INVALID_TOPIC_EXCEPTION
    const { config } = this.cluster.broker(node)
    if (!mayCreate || config.get('auto.create.topics.enable') !== 'true')
      return ERROR.UNKNOWN_TOPIC_OR_PARTITION
    if (this.cluster.acl.isDenied(name, 'create') || this.options.denied?.(name)) {
      return ERROR.TOPIC_AUTHORIZATION_FAILED
    }
    const creating = this.style === 'zk' ? ERROR.LEADER_NOT_AVAILABLE : ERROR.UNKNOWN_TOPIC_OR_PARTITION
    // The controller says 'already exists', the broker that does not see it yet goes on waiting.
    if (this.cluster.topics.has(name) || this.options.never?.(name)) return creating
    const refusal = this.refusal(name, node)
    if (refusal !== undefined) return this.style === 'zk' ? refusal : ERROR.UNKNOWN_TOPIC_OR_PARTITION
    if (!this.isDue(name)) return creating
    this.create(name)
    return this.cluster.visibleTopic(name, node) ? ERROR.NONE : creating
  }

  /** Counts an answer that shows the topic; elects its leaders when it is time. To be called before its partitions are read. */
  answerKnown(topic: Topic): void {
    const state = this.leaderless.get(topic.name)
    if (!state) return
    const { leaderAfter = 0 } = this.options
    if (typeof leaderAfter === 'number' && state.answers++ >= leaderAfter) this.elect(topic.name)
  }

  forget(name: string): void {
    this.pending.delete(name)
    this.leaderless.delete(name)
  }

  close(): void {
    this.ended.abort()
    for (const timer of this.timers) clearTimeout(timer)
  }

  /** Why the controller would refuse to create the topic: KRaft brokers hide it, brokers on ZooKeeper tell. */
  private refusal(name: string, node: number): number | undefined {
    if (this.cluster.collidingTopic(name) !== undefined) return ERROR.INVALID_TOPIC_EXCEPTION
    const factor = this.cluster.broker(node).config.number('default.replication.factor')
    if (factor > this.cluster.aliveBrokers.length) return ERROR.INVALID_REPLICATION_FACTOR
    return undefined
  }

  private isDue(name: string): boolean {
    const { createdAfter = 1, createdAfterMs } = this.options
    let pending = this.pending.get(name)
    if (!pending) {
      pending = { answers: 0 }
      this.pending.set(name, pending)
      this.schedule(name, pending)
    }
    if (createdAfterMs !== undefined || typeof createdAfter !== 'number') return false
    return pending.answers++ >= createdAfter
  }

  /** Timers and gates create the topic themselves, as a controller does, without waiting to be asked again. */
  private schedule(name: string, pending: Pending): void {
    const { createdAfter, createdAfterMs } = this.options
    const due = () => {
      if (this.pending.get(name) !== pending || this.cluster.topics.has(name)) return
      this.create(name)
    }
    if (createdAfterMs !== undefined) {
      const timer = setTimeout(() => {
        this.timers.delete(timer)
        due()
      }, createdAfterMs)
      this.timers.add(timer)
    } else if (typeof createdAfter === 'object') {
      void createdAfter.wait(this.ended.signal).then(outcome => outcome === 'opened' && due())
    }
  }

  private create(name: string): void {
    this.pending.delete(name)
    const topic = this.cluster.createTopic(name)
    const { leaderAfter = 0 } = this.options
    if (leaderAfter === 0) return
    const leaders = topic.partitions.map(partition => partition.leader)
    this.leaderless.set(name, { answers: 0, leaders })
    for (const partition of topic.partitions) partition.leader = NO_LEADER
    if (typeof leaderAfter === 'object') {
      void leaderAfter.wait(this.ended.signal).then(outcome => outcome === 'opened' && this.elect(name))
    }
  }

  private elect(name: string): void {
    const state = this.leaderless.get(name)
    this.leaderless.delete(name)
    const topic = this.cluster.topics.get(name)
    if (!state || !topic) return
    for (const partition of topic.partitions) {
      partition.leader = state.leaders[partition.index] ?? NO_LEADER
      partition.changed()
    }
  }
}
