import { PartitionNotFoundError } from '../../errors/index.js'
import type { TopicView } from '../../metadata/cache/view.js'
import type { TopicDirectory } from '../../topics/index.js'
import { unref } from '../../util/realms.js'
import { LONGEST_TIMER_MS } from '../../util/timers.js'
import type { BatchCompletion } from '../outcome/batchCompletion.js'
import type { Partitioner } from '../partitioning/partitioner.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionQueueHost, PartitionSender } from '../partitions/partitionQueueHost.js'
import type { PartitionWaits } from '../partitions/partitionWaits.js'
import type { SenderPool } from '../sending/senderPool.js'
import { TopicPartitions, type TopicPartitionsHost } from '../waiting/topicPartitions.js'

/** How often a topic is asked for while records wait for a leader of one of its partitions. ms */
const LEADERLESS_POLL_MS = 500
/** So many topics are looked at in one turn of the event loop. */
const TOPICS_PER_TURN = 1000
export interface TopicRegistryParts {
  readonly directory: TopicDirectory
  readonly senders: SenderPool
  readonly completion: BatchCompletion
  readonly waits: PartitionWaits
  readonly queueHost: PartitionQueueHost
  /** Queues and topics that were not used for so long are given back, at the latest after twice that. ms */
  readonly maxIdleMs: number
  /** Whether the queue's sequences allow that it is given back. */
  readonly mayGiveBack: (queue: PartitionQueue) => boolean
  readonly onGivenBack: (queue: PartitionQueue) => void
  /** Idle queues and topics were given back. */
  readonly onSwept: () => void
  readonly newPartitioner: () => Partitioner
  /** What waited for the topic can go on. */
  readonly onReady: (topic: TopicPartitions) => void
  /** The topic has fewer partitions than before: what waits for this one ends. */
  readonly onPartitionGone: (queue: PartitionQueue, error: Error) => void
  /** The topic cannot be had. */
  readonly onFailed: (topic: TopicPartitions, error: Error) => void
}

/** The topics that the producer writes to: which of them are there, and who leads their queues. */
export class TopicRegistry implements TopicPartitionsHost {
  private readonly parts: TopicRegistryParts
  private readonly topics = new Map<string, TopicPartitions>()
  private readonly unsubscribe: () => void
  readonly queueHost: PartitionQueueHost
  private sweepTimer: NodeJS.Timeout | undefined
  private closed = false

  constructor(parts: TopicRegistryParts) {
    this.parts = parts
    this.queueHost = parts.queueHost
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

  /** The topic, known from here on. */
  partitionsOf(name: string): TopicPartitions {
    const known = this.topics.get(name)
    if (known !== undefined) return known
    const topic = new TopicPartitions(name, this.parts.newPartitioner(), this)
    this.topics.set(name, topic)
    this.armSweep()
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
    this.parts.directory.release(topic.name, topic)
  }

  private topicFailed(topic: TopicPartitions, error: Error): void {
    // What waits for space ends first: the space of a rejected batch would let it into a batch that nobody rejects any more.
    this.parts.onFailed(topic, error)
    for (const queue of topic.queues) this.parts.completion.rejectAll(queue, error)
  }

  private applyView(view: TopicView): void {
    const topic = this.topics.get(view.name)
    if (topic !== undefined && view.available.length > 0) this.attach(topic, view)
    else if (topic?.view !== undefined) this.attach(topic, view)
  }

  /** The leader of one partition changed; the others are as they were. */
  private applyLeader(view: TopicView, partition: number): void {
    const topic = this.topics.get(view.name)
    if (topic === undefined || topic.view !== view) return this.applyView(view)
    const queue = topic.peek(partition)
    if (queue === undefined) return
    const { leader, leaderEpoch } = view.partitions[partition]!
    this.lead(queue, leader, leaderEpoch)
    if (queue.wait !== undefined && queue.sender !== undefined) this.parts.waits.led(queue)
  }

  /** Leads every queue to its partition's leader. */
  private attach(topic: TopicPartitions, view: TopicView): void {
    const wasMissing = topic.view === undefined
    const isAnother = topic.identify(view.topicId)
    topic.view = view
    // It came before the end of the wait for it was told; were it gone again by then, it would have to be waited for anew.
    topic.resolving = undefined
    // Its partition may have lost its leader.
    topic.leaveCurrent()
    for (const queue of topic.queues) {
      const described = view.partitions[queue.partition]
      if (isAnother) queue.topicRecreated()
      queue.gone =
        described === undefined
          ? new PartitionNotFoundError(topic.name, queue.partition, view.partitions.length)
          : undefined
      this.lead(queue, described?.leader ?? -1, described?.leaderEpoch ?? -1)
      if (queue.wait !== undefined && queue.sender !== undefined) this.parts.waits.led(queue)
      if (queue.gone === undefined) continue
      this.parts.onPartitionGone(queue, queue.gone)
      this.parts.completion.rejectAll(queue, queue.gone)
    }
    if (wasMissing) this.parts.onReady(topic)
    this.watchLeaders(topic)
  }

  private topicGone(name: string): void {
    const topic = this.topics.get(name)
    if (topic?.view === undefined) return
    topic.view = undefined
    for (const queue of topic.queues) this.lead(queue, -1, -1)
    if (topic.hasRecords || topic.waiting !== undefined) this.need(topic)
    else this.giveBack(topic, queue => queue.isSettled)
  }

  lead(queue: PartitionQueue, nodeId: number, leaderEpoch: number): void {
    this.parts.senders.lead(queue, nodeId, leaderEpoch)
  }

  senderTo(nodeId: number): PartitionSender | undefined {
    return this.parts.senders.senderTo(nodeId)
  }

  private armSweep(): void {
    if (this.sweepTimer !== undefined || this.closed || this.topics.size === 0) return
    this.sweepTimer = setTimeout(
      () => this.sweep(this.topics.values()),
      Math.min(this.parts.maxIdleMs, LONGEST_TIMER_MS),
    )
    unref(this.sweepTimer)
  }

  /** Gives back what was not used since the last time, some topics per turn of the event loop. */
  private sweep(rest: Iterator<TopicPartitions>): void {
    if (this.closed) return
    for (let count = 0; count < TOPICS_PER_TURN; count++) {
      const next = rest.next()
      if (next.done === true) {
        this.sweepTimer = undefined
        this.parts.onSwept()
        return this.armSweep()
      }
      this.giveBack(next.value, queue => queue.endIdlePeriod())
    }
    setImmediate(() => this.sweep(rest))
  }

  /**
   * Without batches no answer is due any more. Whether its last sequences were used may never be known; the epoch in which the queue
   * begins again is above theirs all the same, and a late request of theirs is refused from then on.
   */
  private giveBack(topic: TopicPartitions, isOver: (queue: PartitionQueue) => boolean): void {
    topic.giveBack(queue => {
      if (!isOver(queue) || !this.parts.mayGiveBack(queue)) return false
      this.parts.senders.release(queue)
      this.parts.onGivenBack(queue)
      return true
    })
    if (!topic.isUnused) return
    clearTimeout(topic.leaderTimer)
    this.topics.delete(topic.name)
  }

  refreshLeaders(name: string, avoidNode: number | undefined): void {
    const topic = this.topics.get(name)
    // It is gone, and what was in flight then has come back: it waits for the topic as new records do.
    if (topic !== undefined && topic.view === undefined) return this.need(topic)
    this.parts.directory.refreshLeaders(name, avoidNode === undefined ? {} : { avoidNode })
  }

  /** The queue has had a first record, and may have no leader: looks at it alone, however many the topic has. */
  watchLeader(topic: TopicPartitions, queue: PartitionQueue): void {
    if (topic.view !== undefined && this.isLeaderless(queue)) this.pollLeaders(topic)
  }

  private watchLeaders(topic: TopicPartitions): void {
    let isWaiting = false
    for (const queue of topic.queues) isWaiting = this.isLeaderless(queue) || isWaiting
    if (isWaiting) this.pollLeaders(topic)
  }

  /** Whether its records wait for a leader, which is told then. */
  private isLeaderless(queue: PartitionQueue): boolean {
    if (queue.sender !== undefined || queue.batches.length === 0) return false
    if (queue.wait?.kind !== 'leader') this.parts.waits.leaderless(queue)
    return true
  }

  /** A partition without a leader gets one some time: the topic is asked for until then, as long as records wait. */
  private pollLeaders(topic: TopicPartitions): void {
    topic.leaderTimer ??= setTimeout(() => {
      topic.leaderTimer = undefined
      if (topic.view === undefined) return
      this.refreshLeaders(topic.name, undefined)
      this.watchLeaders(topic)
    }, LEADERLESS_POLL_MS)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.sweepTimer)
    this.unsubscribe()
    for (const topic of this.topics.values()) clearTimeout(topic.leaderTimer)
  }
}
