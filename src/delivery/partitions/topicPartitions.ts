import { isSameTopic, type TopicView } from '../../metadata/view.js'
import { ZERO_UUID } from '../../protocol/wire/codec.js'
import type { Batch } from '../batch/batch.js'
import { LinkedQueue } from '../intake/linkedQueue.js'
import type { PendingSend } from '../intake/pendingSend.js'
import type { Partitioner } from './partitioner.js'
import { PartitionQueue, type PartitionQueueHost } from './partitionQueue.js'

/**
 * One topic's queues, and the records that wait for it. Kept as long as the producer: a queue that was forgotten and made
 * anew would number its batches from 0 again, and the broker would take them for ones it has.
 */
export class TopicPartitions {
  readonly name: string
  private readonly nameBytes: Buffer
  readonly partitioner: Partitioner
  readonly queues: PartitionQueue[] = []
  /** Undefined while the topic does not exist, as far as is known. */
  view: TopicView | undefined
  /** The batch of the partition on which the built-in partitioner stays, and its queue; it may have been closed since. */
  stickyBatch: Batch | undefined
  stickyQueue: PartitionQueue | undefined
  /** Of the newest view, and kept when the topic is gone. */
  private topicId: string | undefined
  private topicIdBytes: Buffer | undefined
  /** The wait for the topic that is under way, if there is one. */
  resolving: symbol | undefined
  /** Entries with admitted records that wait for the topic, in the order of their calls. */
  readonly parked = new LinkedQueue<PendingSend>()
  /** How many entries wait for buffer space, or for the share of missing topics. */
  waiting = 0
  /** Where they wait: all in the same line, so that none overtakes another. */
  waitingIn: LinkedQueue<PendingSend> | undefined
  leaderTimer: NodeJS.Timeout | undefined

  constructor(name: string, partitioner: Partitioner) {
    this.name = name
    this.nameBytes = Buffer.from(name)
    this.partitioner = partitioner
  }

  /** Records may be appended at once: nothing of this topic waits before them. */
  get isOpen(): boolean {
    return this.view !== undefined && this.parked.size === 0 && this.waiting === 0
  }

  stayWith(queue: PartitionQueue, batch: Batch): void {
    this.stickyQueue = queue
    this.stickyBatch = batch
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

  queueOf(partition: number, host: PartitionQueueHost): PartitionQueue {
    const known = this.queues[partition]
    if (known !== undefined) return known
    const queue = new PartitionQueue(this.name, this.nameBytes, partition, host)
    queue.topicId = this.topicIdBytes
    queue.onBatchClosed = closed => {
      this.partitioner.batchClosed(closed)
      // Kept, it would hold its bytes until the next record, long after it has ended.
      if (this.stickyQueue === queue) this.stickyBatch = undefined
    }
    this.queues[partition] = queue
    return queue
  }

  /** A flush waits for this batch, which has just taken a record. */
  sendWithoutLinger(batch: Batch): void {
    this.queues.find(queue => queue?.batches.at(-1) === batch)?.sendWithoutLinger(batch)
  }

  get hasBatches(): boolean {
    return this.queues.some(queue => queue.batches.length > 0)
  }
}
