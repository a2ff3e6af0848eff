import { PartitionNotFoundError } from '../../errors/index.js'
import type { TopicView } from '../../metadata/view.js'
import type { TopicDirectory } from '../../topics/index.js'
import type { BatchCompletion } from '../outcome/batchCompletion.js'
import type { Partitioner } from '../partitions/partitioner.js'
import type { PartitionQueue, PartitionQueueHost } from '../partitions/partitionQueue.js'
import type { PartitionWaits } from '../partitions/partitionWaits.js'
import { TopicPartitions } from '../partitions/topicPartitions.js'
import type { SenderPool } from '../sending/senderPool.js'

/** How often a topic is asked for while records wait for a leader of one of its partitions. ms */
const LEADERLESS_POLL_MS = 500

export interface TopicRegistryParts {
  readonly directory: TopicDirectory
  readonly senders: SenderPool
  readonly completion: BatchCompletion
  readonly waits: PartitionWaits
  readonly queueHost: PartitionQueueHost
  readonly newPartitioner: () => Partitioner
  /** What waited for the topic can go on. */
  readonly onReady: (topic: TopicPartitions) => void
  /** The topic has fewer partitions than before: what waits for this one ends. */
  readonly onPartitionGone: (queue: PartitionQueue, error: Error) => void
  /** The topic cannot be had. */
  readonly onFailed: (topic: TopicPartitions, error: Error) => void
}

/** The topics that the producer writes to: which of them are there, and who leads their queues. */
export class TopicRegistry {
  private readonly parts: TopicRegistryParts
  private readonly topics = new Map<string, TopicPartitions>()
  private readonly unsubscribe: () => void

  constructor(parts: TopicRegistryParts) {
    this.parts = parts
    this.unsubscribe = parts.directory.subscribe(change => {
      if ('gone' in change) this.topicGone(change.gone)
      else if ('topic' in change && change.partition !== undefined)
        this.applyLeader(change.topic, change.partition)
      else if ('topic' in change) this.applyView(change.topic)
    })
  }

  get(name: string): TopicPartitions | undefined {
    return this.topics.get(name)
  }

  get all(): Iterable<TopicPartitions> {
    return this.topics.values()
  }

  /** The topic, known from here on. */
  partitionsOf(name: string): TopicPartitions {
    const known = this.topics.get(name)
    if (known !== undefined) return known
    const topic = new TopicPartitions(name, this.parts.newPartitioner())
    this.topics.set(name, topic)
    const view = this.parts.directory.topic(name)
    if (view !== undefined) this.attach(topic, view)
    return topic
  }

  /** Records wait for this topic. */
  need(topic: TopicPartitions): void {
    if (topic.resolving !== undefined || topic.view !== undefined) return
    // A wait that was given up still ends, a moment later, and must not end the records that came after it.
    const wait = Symbol(topic.name)
    topic.resolving = wait
    const ended = (then: () => void): void => {
      if (topic.resolving !== wait) return
      topic.resolving = undefined
      then()
    }
    this.parts.directory.resolve(topic.name, topic).then(
      view => ended(() => this.applyView(view)),
      (error: Error) =>
        ended(() => {
          if (topic.view === undefined) this.topicFailed(topic, error)
        }),
    )
  }

  /** Nothing waits for this topic any more. */
  unneeded(topic: TopicPartitions): void {
    if (topic.resolving === undefined || topic.hasRecords) return
    topic.resolving = undefined
    this.parts.directory.release(topic.name)
  }

  private topicFailed(topic: TopicPartitions, error: Error): void {
    for (const queue of topic.queues) if (queue !== undefined) this.parts.completion.rejectAll(queue, error)
    this.parts.onFailed(topic, error)
  }

  private applyView(view: TopicView): void {
    const topic = this.topics.get(view.name)
    if (topic !== undefined && view.available.length > 0) this.attach(topic, view)
    else if (topic?.view !== undefined) this.attach(topic, view)
  }

  /** The leader of one partition changed; the others are as they were. */
  private applyLeader(view: TopicView, partition: number): void {
    const topic = this.topics.get(view.name)
    const queue = topic?.queues[partition]
    if (topic === undefined || queue === undefined || topic.view !== view) return this.applyView(view)
    const { leader, leaderEpoch } = view.partitions[partition]!
    this.parts.senders.lead(queue, leader, leaderEpoch)
  }

  /** Leads every queue to its partition's leader. */
  private attach(topic: TopicPartitions, view: TopicView): void {
    const wasMissing = topic.view === undefined
    const isAnother = topic.identify(view.topicId)
    topic.view = view
    // Its partition may have lost its leader.
    topic.leaveCurrent()
    for (const { index, leader, leaderEpoch } of view.partitions) {
      const queue = topic.queueOf(index, this.parts.queueHost)
      if (isAnother) queue.isRecreated = true
      queue.gone = undefined
      this.parts.senders.lead(queue, leader, leaderEpoch)
      if (queue.wait !== undefined && leader >= 0) this.parts.waits.led(queue)
    }
    for (const queue of topic.queues.slice(view.partitions.length)) {
      queue.gone = new PartitionNotFoundError(topic.name, queue.partition, view.partitions.length)
      this.parts.senders.lead(queue, -1)
      this.parts.completion.rejectAll(queue, queue.gone)
      this.parts.onPartitionGone(queue, queue.gone)
    }
    if (wasMissing) this.parts.onReady(topic)
    this.watchLeaderless(topic)
  }

  private topicGone(name: string): void {
    const topic = this.topics.get(name)
    if (topic?.view === undefined) return
    topic.view = undefined
    for (const queue of topic.queues) this.parts.senders.lead(queue, -1)
    if (topic.hasRecords || topic.waiting !== undefined) this.need(topic)
  }

  refreshLeaders(name: string, avoidNode: number | undefined): void {
    const topic = this.topics.get(name)
    // It is gone, and what was in flight then has come back: it waits for the topic as new records do.
    if (topic !== undefined && topic.view === undefined) return this.need(topic)
    this.parts.directory.refreshLeaders(name, avoidNode === undefined ? {} : { avoidNode })
  }

  /** A partition without a leader gets one some time: the topic is asked for until then, as long as records wait. */
  watchLeaderless(topic: TopicPartitions): void {
    if (topic.view === undefined) return
    let isWaiting = false
    for (const queue of topic.queues) {
      if (queue.sender !== undefined || queue.batches.length === 0) continue
      isWaiting = true
      if (queue.wait?.kind !== 'leader') this.parts.waits.leaderless(queue)
    }
    if (!isWaiting || topic.leaderTimer !== undefined) return
    topic.leaderTimer = setTimeout(() => {
      topic.leaderTimer = undefined
      if (topic.view === undefined) return
      this.refreshLeaders(topic.name, undefined)
      this.watchLeaderless(topic)
    }, LEADERLESS_POLL_MS)
  }

  close(): void {
    this.unsubscribe()
    for (const topic of this.topics.values()) clearTimeout(topic.leaderTimer)
  }
}
