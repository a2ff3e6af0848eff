import type { BrokerAddress } from '../../transport/port.js'
import { StoredTopic } from './storedTopic.js'
import {
  isSameTopic,
  type MetadataResponse,
  type PartitionImages,
  partitionImages,
  type TopicMetadata,
  type TopicView,
} from './view.js'

/**
 * What became of a topic:
 * - `topic`: it was described for the first time, or changed (leaders, partitions, id).
 * - `topic` and `partition`: only the leader of that partition changed.
 * - `gone`: it exists no more.
 * - `idle`: it was not used for `metadataMaxIdleMs` and is forgotten here. It still exists, as far as is known.
 */
export type TopicChange =
  | { readonly topic: TopicView; readonly partition?: number }
  | { readonly gone: string }
  | { readonly idle: string }
/** The name of the topic that a change concerns. */
export const changedTopic = (change: TopicChange): string => {
  if ('topic' in change) return change.topic.name
  return 'gone' in change ? change.gone : change.idle
}

export type TopicListener = (change: TopicChange) => void

/** How long a contradiction by one broker waits to be confirmed by another one. ms */
const DOUBT_MS = 10_000

type ClusterMetadata = Pick<MetadataResponse, 'brokers' | 'controllerId'> &
  Partial<Pick<MetadataResponse, 'clusterId'>>

export interface MetadataCacheEvents {
  /** The brokers of the newest answer, where they differ from those before. */
  onBrokers(brokers: readonly BrokerAddress[]): void
  /** A listener threw: a bug, which must not be taken for a failed metadata request. */
  onListenerError(error: unknown): void
}

/** What the producer knows of the cluster: brokers, and the topics it uses. No I/O. */
export class MetadataCache {
  readonly #topics = new Map<string, StoredTopic>()
  readonly #listeners = new Set<TopicListener>()
  readonly #events: MetadataCacheEvents
  #brokers: readonly BrokerAddress[] = []
  #brokersById: ReadonlyMap<number, BrokerAddress> = new Map()
  #controllerId = -1
  #clusterId: string | undefined

  constructor(events: MetadataCacheEvents) {
    this.#events = events
  }

  get brokers(): readonly BrokerAddress[] {
    return this.#brokers
  }

  /** -1: unknown, or none of the brokers that can be reached (a KRaft controller of its own). */
  get controllerId(): number {
    return this.#brokersById.has(this.#controllerId) ? this.#controllerId : -1
  }

  /** Undefined: unknown. */
  get clusterId(): string | undefined {
    return this.#clusterId
  }

  /** Of the topics in use. */
  get partitionsWithoutLeader(): number {
    let sum = 0
    for (const { partitions, available } of this.#topics.values()) sum += partitions.length - available.length
    return sum
  }

  get size(): number {
    return this.#topics.size
  }

  /** The hot path: a map lookup that also marks the topic as used. */
  topic(name: string): TopicView | undefined {
    const topic = this.#topics.get(name)
    if (topic) topic.touched = true
    return topic
  }

  has(name: string): boolean {
    return this.#topics.has(name)
  }

  /** The same as `topic`, without counting as a use. */
  peek(name: string): TopicView | undefined {
    return this.#topics.get(name)
  }

  /** Called synchronously after each applied change of a topic. Returns what ends it. */
  subscribe(listener: TopicListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  applyBrokers({ brokers, controllerId, clusterId }: ClusterMetadata): void {
    this.#controllerId = controllerId
    if (clusterId) this.#clusterId = clusterId
    this.#setBrokers(brokers)
  }

  /**
   * Takes over an answer without a topic-level error. A topic that is new here and has no leader at all is still
   * being created: it is not stored.
   *
   * @param nodeId the broker that answered
   * @returns the topic as it is known now, undefined when it is not stored
   * @throws {MalformedMessageError}
   */
  applyTopic(name: string, metadata: TopicMetadata, now: number, nodeId: number): TopicView | undefined {
    const images = partitionImages(metadata)
    const known = this.#topics.get(name)
    // A broker that lags behind still describes the topic that this one has replaced.
    if (known && metadata.topicId === known.formerId) return known
    const topic =
      known && !this.#noteDoubt(known, metadata.topicId, images, now, nodeId)
        ? known
        : new StoredTopic(name, metadata.topicId, now, known?.topicId)
    const changed = topic.merge(metadata.topicId, images)
    if (!known && topic.available.length === 0) return undefined
    if (known && known !== topic) {
      topic.usedAt = known.usedAt
      topic.touched = known.touched
    }
    topic.fetchedAt = now
    this.#topics.set(name, topic)
    if (changed || topic !== known) this.#tell({ topic })
    return topic
  }

  /**
   * Takes over an answer that came after another broker's to the same question. It may be older: it can add to what is
   * known of a topic, and never replaces it by another topic.
   *
   * @throws {MalformedMessageError}
   */
  applyLateTopic(name: string, metadata: TopicMetadata, now: number): void {
    const images = partitionImages(metadata)
    const known = this.#topics.get(name)
    const topic = known ?? new StoredTopic(name, metadata.topicId, now)
    if (!isSameTopic(topic.topicId, metadata.topicId) || !topic.merge(metadata.topicId, images)) return
    if (!known && topic.available.length === 0) return
    this.#topics.set(name, topic)
    this.#tell({ topic })
  }

  /** The broker whose newest answer contradicts what is known of the topic; another one has to confirm it. */
  doubterOf(name: string): number | undefined {
    return this.#topics.get(name)?.doubt?.nodeId
  }

  /**
   * Notes whether an answer contradicts what is known.
   *
   * @returns whether it is about a topic that was deleted and created again. Where ids do not tell, it counts as one when two
   * brokers contradict what is known: a single one may lag behind.
   */
  #noteDoubt(
    known: StoredTopic,
    topicId: string,
    images: PartitionImages,
    now: number,
    nodeId: number,
  ): boolean {
    if (!isSameTopic(known.topicId, topicId)) return true
    const { doubt } = known
    known.doubt = known.isContradictedBy(topicId, images) ? { nodeId, since: now } : undefined
    if (!known.doubt || !doubt || now - doubt.since > DOUBT_MS) return false
    return doubt.nodeId !== nodeId || this.#brokers.length === 1
  }

  /**
   * A leader hint of a produce answer (KIP-951, Produce 10+). Ignored unless its epoch is newer than what is known
   * and its broker's address is known or given.
   *
   * @returns whether anything changed
   */
  learnLeader(
    topic: string,
    partition: number,
    leader: number,
    leaderEpoch: number,
    endpoint?: BrokerAddress,
  ): boolean {
    const stored = this.#topics.get(topic)
    if (!stored || leader < 0) return false
    if (endpoint && !isSameAddress(this.#brokersById.get(leader), endpoint))
      this.#setBrokers([...this.#brokers.filter(each => each.nodeId !== leader), endpoint])
    if (!this.#brokersById.has(leader)) return false
    if (!stored.hint(partition, leader, leaderEpoch)) return false
    this.#tell({ topic: stored, partition })
    return true
  }

  /** Drops a topic without telling anybody: it is not used any more. */
  forget(name: string): void {
    this.#topics.delete(name)
  }

  /** The topic exists no more. Told even where it is not cached: records may still wait for it. */
  markGone(name: string): void {
    this.#topics.delete(name)
    this.#tell({ gone: name })
  }

  /**
   * Notes which topics were used since the last sweep, and forgets those that were not for `maxIdleMs`.
   *
   * @returns the topics that are kept
   */
  sweep(now: number, maxIdleMs: number): readonly TopicView[] {
    const idle: string[] = []
    for (const [name, topic] of this.#topics) {
      if (topic.touched) topic.usedAt = now
      topic.touched = false
      if (now - topic.usedAt >= maxIdleMs) idle.push(name)
    }
    for (const name of idle) this.#topics.delete(name)
    for (const name of idle) this.#tell({ idle: name })
    return [...this.#topics.values()]
  }

  #setBrokers(brokers: readonly BrokerAddress[]): void {
    const known = this.#brokersById
    if (known.size === brokers.length && brokers.every(each => isSameAddress(known.get(each.nodeId), each)))
      return
    this.#brokers = brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }))
    this.#brokersById = new Map(this.#brokers.map(each => [each.nodeId, each]))
    this.#events.onBrokers(this.#brokers)
  }

  #tell(change: TopicChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        this.#events.onListenerError(error)
      }
    }
  }
}

const isSameAddress = (known: BrokerAddress | undefined, seen: BrokerAddress): boolean =>
  known?.host === seen.host && known.port === seen.port && known.rack === seen.rack
