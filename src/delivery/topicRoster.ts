import { PartitionNotFoundError } from '../errors/index.js'
import type { TopicView } from '../metadata/view.js'
import type { TopicDirectory } from '../topics/index.js'
import type { Endings } from './endings.js'
import type { LaneHost } from './lane.js'
import type { Partitioner } from './partitioner.js'
import type { SenderPool } from './senderPool.js'
import { TopicLanes } from './topicLanes.js'

/** How often a topic is asked for while records wait for a leader of one of its partitions. ms */
const LEADERLESS_POLL_MS = 500

export interface RosterParts {
  readonly directory: TopicDirectory
  readonly senders: SenderPool
  readonly endings: Endings
  readonly laneHost: LaneHost
  readonly newPartitioner: () => Partitioner
  /** What waited for the topic can go on. */
  readonly onReady: (topic: TopicLanes) => void
  /** The topic cannot be had. */
  readonly onFailed: (topic: TopicLanes, error: Error) => void
}

/** The topics that the producer writes to: which of them are there, and who leads their lanes. */
export class TopicRoster {
  private readonly parts: RosterParts
  private readonly topics = new Map<string, TopicLanes>()
  private readonly unsubscribe: () => void

  constructor(parts: RosterParts) {
    this.parts = parts
    this.unsubscribe = parts.directory.subscribe(change => {
      if ('topic' in change) this.applyView(change.topic)
      else this.topicGone(change.gone)
    })
  }

  get(name: string): TopicLanes | undefined {
    return this.topics.get(name)
  }

  get all(): Iterable<TopicLanes> {
    return this.topics.values()
  }

  /** The topic, known from here on. */
  lanesOf(name: string): TopicLanes {
    const known = this.topics.get(name)
    if (known !== undefined) return known
    const topic = new TopicLanes(name, this.parts.newPartitioner())
    this.topics.set(name, topic)
    const view = this.parts.directory.topic(name)
    if (view !== undefined) this.attach(topic, view)
    return topic
  }

  /** Records wait for this topic. */
  need(topic: TopicLanes): void {
    if (topic.resolving !== undefined || topic.view !== undefined) return
    // A wait that was given up still ends, a moment later, and must not end the records that came after it.
    const wait = Symbol(topic.name)
    topic.resolving = wait
    const ended = (then: () => void): void => {
      if (topic.resolving !== wait) return
      topic.resolving = undefined
      then()
    }
    this.parts.directory.resolve(topic.name).then(
      view => ended(() => this.applyView(view)),
      (error: Error) =>
        ended(() => {
          if (topic.view === undefined) this.topicFailed(topic, error)
        }),
    )
  }

  /** Nothing waits for this topic any more. */
  unneeded(topic: TopicLanes): void {
    if (topic.resolving === undefined || topic.hasBatches) return
    topic.resolving = undefined
    this.parts.directory.release(topic.name)
  }

  private topicFailed(topic: TopicLanes, error: Error): void {
    for (const lane of topic.lanes) if (lane !== undefined) this.parts.endings.rejectAll(lane, error)
    this.parts.onFailed(topic, error)
  }

  private applyView(view: TopicView): void {
    const topic = this.topics.get(view.name)
    if (topic !== undefined && view.available.length > 0) this.attach(topic, view)
    else if (topic?.view !== undefined) this.attach(topic, view)
  }

  /** Leads every lane to its partition's leader. */
  private attach(topic: TopicLanes, view: TopicView): void {
    const wasMissing = topic.view === undefined
    const isAnother = topic.identify(view.topicId)
    topic.view = view
    // Its partition may have lost its leader.
    topic.stickyBatch = undefined
    for (const { index, leader, leaderEpoch } of view.partitions) {
      const lane = topic.laneOf(index, this.parts.laneHost)
      if (isAnother) lane.isRecreated = true
      lane.gone = undefined
      this.parts.senders.lead(lane, leader, leaderEpoch)
    }
    for (const lane of topic.lanes.slice(view.partitions.length)) {
      lane.gone = new PartitionNotFoundError(topic.name, lane.partition, view.partitions.length)
      this.parts.senders.lead(lane, -1)
      this.parts.endings.rejectAll(lane, lane.gone)
    }
    if (wasMissing) this.parts.onReady(topic)
    this.watchLeaderless(topic)
  }

  private topicGone(name: string): void {
    const topic = this.topics.get(name)
    if (topic?.view === undefined) return
    topic.view = undefined
    for (const lane of topic.lanes) this.parts.senders.lead(lane, -1)
    if (topic.hasBatches || topic.waiting > 0) this.need(topic)
  }

  refreshLeaders(name: string, avoidNode: number | undefined): void {
    const topic = this.topics.get(name)
    // It is gone, and what was in flight then has come back: it waits for the topic as new records do.
    if (topic !== undefined && topic.view === undefined) return this.need(topic)
    this.parts.directory.refreshLeaders(name, avoidNode === undefined ? {} : { avoidNode })
  }

  /** A partition without a leader gets one some time: the topic is asked for until then, as long as records wait. */
  watchLeaderless(topic: TopicLanes): void {
    if (topic.leaderTimer !== undefined) return
    const isWaiting = topic.lanes.some(lane => lane.sender === undefined && lane.batches.length > 0)
    if (!isWaiting || topic.view === undefined) return
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
