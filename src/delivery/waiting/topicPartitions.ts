import { isSameTopic, type TopicView } from '../../metadata/cache/view.js'
import { ZERO_UUID } from '../../protocol/wire/codec.js'
import type { Waiters } from '../../waits/wait.js'
import type { Batch } from '../batch/batch.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { Partitioner, PartitionHealth } from '../partitioning/partitioner.js'
import { PartitionQueue } from '../partitions/partitionQueue.js'
import type { KeylessStay, PartitionQueueHost, PartitionSender } from '../partitions/partitionQueueHost.js'
import type { TopicWait } from './topicWait.js'

/** What a topic needs to make the queues of its partitions. */
export interface TopicPartitionsHost {
  readonly queueHost: PartitionQueueHost
  /**
   * @param nodeId the partition's leader; -1: none
   * @param leaderEpoch -1: not known
   */
  lead(queue: PartitionQueue, nodeId: number, leaderEpoch: number): void
  /** The sender to a broker, where there is one already. */
  senderTo(nodeId: number): PartitionSender | undefined
}

/** The most by which a slow partition's bytes count more than a prompt one's: it must be found when it is quick again. */
const MAX_COST = 4

/**
 * One topic's queues, and the records that wait for it. A queue is made for the first record of its partition, and given back
 * when it was not used for a while: a topic costs what it is used for.
 */
export class TopicPartitions implements PartitionHealth, KeylessStay, Waiters {
  readonly name: string
  readonly partitioner: Partitioner
  /** Those of the partitions that have had records lately, in no order. */
  readonly queues: PartitionQueue[] = []
  /** The same, by partition. */
  private readonly byPartition: (PartitionQueue | undefined)[] = []
  private readonly host: TopicPartitionsHost
  private nameBytes: Buffer | undefined
  /** Undefined while the topic does not exist, as far as is known. */
  view: TopicView | undefined
  /** The open batch of the partition to which keyless records go now, and its queue. */
  private stickyBatch: Batch | undefined
  private stickyQueue: PartitionQueue | undefined
  /** What the batch held when they came. bytes */
  private stickyFrom = 0
  /** The lateness of the partition's broker at which no better partition was found. */
  private toleratedLateness = 0
  /** Of the newest view, and kept when the topic is gone. */
  private topicId: string | undefined
  private topicIdBytes: Buffer | undefined
  /** The wait for the topic that is under way, if there is one. */
  resolving: symbol | undefined
  /** The records that wait for the topic, or, when it is there, for their partitions. */
  waiting: TopicWait | undefined
  leaderTimer: NodeJS.Timeout | undefined

  constructor(name: string, partitioner: Partitioner, host: TopicPartitionsHost) {
    this.name = name
    this.partitioner = partitioner
    this.host = host
  }

  /** Records may be appended at once: nothing of this topic waits before them. */
  get isOpen(): boolean {
    return this.view !== undefined && this.waiting === undefined
  }

  /** Those that wait for the topic itself. */
  get waitingRecords(): number {
    const { waiting } = this
    let sum = waiting === undefined ? 0 : waiting.parked.size + waiting.line.size
    if (this.view !== undefined) return sum
    for (const queue of this.queues) if (queue.wait === undefined) sum += queue.waitingRecords
    return sum
  }

  /**
   * The batch that takes the next keyless record of this class, where the partition for it is chosen already. A partition
   * whose broker is late is left for another one: records stay longest where batches leave last, and would crowd there.
   */
  keylessBatch(deliveryClass: DeliveryClass): Batch | undefined {
    const { stickyBatch } = this
    if (!stickyBatch?.takes(deliveryClass)) return undefined
    const lateness = this.stickyQueue!.sender?.lateness ?? 0
    if (lateness === this.toleratedLateness) return stickyBatch
    this.toleratedLateness = lateness
    if (lateness === 0 || !this.partitioner.hasPrompt(this.view!, this)) return stickyBatch
    this.leave(this.stickyQueue!)
    return undefined
  }

  /** The queue that {@link keylessBatch} gave a batch of. */
  get keylessQueue(): PartitionQueue {
    return this.stickyQueue!
  }

  /** Keyless records come to this batch from here on; it has just taken the first. */
  stayWith(queue: PartitionQueue, batch: Batch, recordBytes: number): void {
    if (this.stickyBatch === batch) return
    this.stickyQueue = queue
    this.stickyBatch = batch
    this.stickyFrom = Math.max(0, batch.bodyBytes - recordBytes)
    this.toleratedLateness = queue.sender?.lateness ?? 0
  }

  leave(queue: PartitionQueue): void {
    if (this.stickyQueue !== queue || this.stickyBatch === undefined) return
    const bytes = this.stickyBatch.bodyBytes - this.stickyFrom
    // Kept, it would hold its bytes until the next record, long after it has ended.
    this.stickyBatch = undefined
    this.stickyQueue = undefined
    this.partitioner.left(queue.partition, bytes * this.costOf(queue))
  }

  /** Leaders have changed: the partition for the next keyless record is chosen anew. */
  leaveCurrent(): void {
    if (this.stickyQueue !== undefined) this.leave(this.stickyQueue)
  }

  isPrompt(partition: number): boolean {
    const queue = this.byPartition[partition]
    return queue === undefined ? (this.senderOf(partition)?.lateness ?? 0) === 0 : queue.isPrompt
  }

  loadOf(partition: number): number {
    const queue = this.byPartition[partition]
    return (this.senderOf(partition)?.inFlight ?? 0) + (queue?.batches.length ?? 0)
  }

  leftOut(partition: number): void {
    this.senderOf(partition)?.probe()
  }

  private senderOf(partition: number): PartitionSender | undefined {
    const queue = this.byPartition[partition]
    if (queue !== undefined) return queue.sender
    const leader = this.view?.partitions[partition]?.leader ?? -1
    return leader < 0 ? undefined : this.host.senderTo(leader)
  }

  private costOf({ sender, batches }: PartitionQueue): number {
    return Math.min(MAX_COST, Math.max(1, batches.length, sender?.slowness ?? 1))
  }

  /** @returns whether this is another topic of the same name */
  identify(topicId: string): boolean {
    const { topicId: known } = this
    if (known === topicId) return false
    this.topicId = topicId
    this.topicIdBytes = topicId === ZERO_UUID ? undefined : Buffer.from(topicId, 'hex')
    this.queues.forEach(queue => {
      queue.topicId = this.topicIdBytes
    })
    return known !== undefined && !isSameTopic(known, topicId)
  }

  /** The queue of a partition, where it has one. */
  peek(partition: number): PartitionQueue | undefined {
    return this.byPartition[partition]
  }

  queueOf(partition: number): PartitionQueue {
    const known = this.byPartition[partition]
    if (known !== undefined) return known
    this.nameBytes ??= Buffer.from(this.name)
    const queue = new PartitionQueue(this.name, this.nameBytes, partition, this.host.queueHost, this)
    queue.topicId = this.topicIdBytes
    this.byPartition[partition] = queue
    this.queues.push(queue)
    const described = this.view?.partitions[partition]
    if (described !== undefined) this.host.lead(queue, described.leader, described.leaderEpoch)
    return queue
  }

  /** Lets go of the queues that the predicate names. */
  giveBack(isOver: (queue: PartitionQueue) => boolean): void {
    let kept = 0
    for (const queue of this.queues) {
      if (isOver(queue)) this.byPartition[queue.partition] = undefined
      else this.queues[kept++] = queue
    }
    this.queues.length = kept
    if (kept === 0) this.byPartition.length = 0
  }

  /** Nothing is left that the topic would have to be known for. */
  get isUnused(): boolean {
    return this.queues.length === 0 && this.waiting === undefined && this.resolving === undefined
  }

  /** Records are on their way, or wait for space at their partitions. */
  get hasRecords(): boolean {
    return this.queues.some(queue => queue.batches.length > 0 || queue.hasWaiting)
  }
}
