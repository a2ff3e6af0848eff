import { isSameTopic, type TopicView } from '../metadata/view.js'
import { ZERO_UUID } from '../protocol/wire/codec.js'
import type { Batch } from './batch.js'
import { Lane, type LaneHost } from './lane.js'
import { Line } from './line.js'
import type { Partitioner } from './partitioner.js'
import type { SendEntry } from './sendEntry.js'

/**
 * One topic's lanes, and the records that wait for it. Kept as long as the producer: a lane that was forgotten and made
 * anew would number its batches from 0 again, and the broker would take them for ones it has.
 */
export class TopicLanes {
  readonly name: string
  private readonly nameBytes: Buffer
  readonly partitioner: Partitioner
  readonly lanes: Lane[] = []
  /** Undefined while the topic does not exist, as far as is known. */
  view: TopicView | undefined
  /** The batch of the partition on which the built-in partitioner stays, and its lane; it may have been closed since. */
  stickyBatch: Batch | undefined
  stickyLane: Lane | undefined
  /** Of the newest view, and kept when the topic is gone. */
  private topicId: string | undefined
  private topicIdBytes: Buffer | undefined
  /** The wait for the topic that is under way, if there is one. */
  resolving: symbol | undefined
  /** Entries with admitted records that wait for the topic, in the order of their calls. */
  readonly parked = new Line<SendEntry>()
  /** How many entries wait for buffer space, or for the share of missing topics. */
  waiting = 0
  /** Where they wait: all in the same line, so that none overtakes another. */
  waitingIn: Line<SendEntry> | undefined
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

  stayWith(lane: Lane, batch: Batch): void {
    this.stickyLane = lane
    this.stickyBatch = batch
  }

  /** @returns whether this is another topic of the same name */
  identify(topicId: string): boolean {
    const { topicId: known } = this
    if (known === topicId) return false
    this.topicId = topicId
    this.topicIdBytes = topicId === ZERO_UUID ? undefined : Buffer.from(topicId, 'hex')
    this.lanes.forEach(lane => {
      lane.topicId = this.topicIdBytes
    })
    return known !== undefined && !isSameTopic(known, topicId)
  }

  laneOf(partition: number, host: LaneHost): Lane {
    const known = this.lanes[partition]
    if (known !== undefined) return known
    const lane = new Lane(this.name, this.nameBytes, partition, host)
    lane.topicId = this.topicIdBytes
    lane.onBatchClosed = closed => {
      this.partitioner.batchClosed(closed)
      // Kept, it would hold its bytes until the next record, long after it has ended.
      if (this.stickyLane === lane) this.stickyBatch = undefined
    }
    this.lanes[partition] = lane
    return lane
  }

  /** A flush waits for this batch, which has just taken a record. */
  hurry(batch: Batch): void {
    this.lanes.find(lane => lane?.batches.at(-1) === batch)?.hurry(batch)
  }

  get hasBatches(): boolean {
    return this.lanes.some(lane => lane.batches.length > 0)
  }
}
