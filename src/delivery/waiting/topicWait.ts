import { Destination, type ShareGroup } from '../buffer/shares.js'
import type { TopicPartitions } from './topicPartitions.js'
import { type LineOwner, WaitLine } from './waitLine.js'

/**
 * What waits for a topic, from its first record until the last one has a partition: in `parked` what the buffer has taken in, behind
 * it in `line` what waits for space.
 */
export class TopicWait extends Destination {
  readonly topic: TopicPartitions
  readonly parked: WaitLine
  override readonly line: WaitLine
  /** The topic is there, and its records are being given their partitions. */
  isPlacing = false
  /** A record is between the two. */
  isMoving = false

  constructor(topic: TopicPartitions, group: ShareGroup, limits: WaitLimits, owner: LineOwner) {
    super(group)
    this.topic = topic
    this.parked = new WaitLine(this, 'admitted', topic, limits.deliveryTimeoutMs, owner)
    this.line = new WaitLine(this, 'space', topic, spacePatienceMs(limits), owner)
  }

  get isEmpty(): boolean {
    return this.parked.size === 0 && this.line.size === 0 && !this.isMoving
  }
}

export interface WaitLimits {
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
}

/** How long a record waits for space. ms */
export const spacePatienceMs = ({ maxBlockMs, deliveryTimeoutMs }: WaitLimits): number =>
  Math.min(maxBlockMs, deliveryTimeoutMs)
