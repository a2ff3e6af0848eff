import type { ICustomPartitioner, Message, PartitionMetadata } from 'kafkajs'
import type { TopicView } from '../../metadata/view.js'
import { ERROR } from '../../protocol/errorCodes.js'
import { murmur2, murmur2OfText } from './murmur2.js'

/** kafkajs groups messages by `String(partition)` and looks that up as a number: what is spelt otherwise it does not find. */
const CANONICAL = /^(0|[1-9]\d{0,14})$/

/**
 * A partition as a number where it is one for kafkajs, whose users in JavaScript give `'1'` too.
 *
 * @returns undefined where it is none
 */
export const partitionNumber = (partition: unknown): number | undefined => {
  if (typeof partition === 'number')
    return Number.isInteger(partition) && partition >= 0 ? partition : undefined
  if (typeof partition !== 'string' && typeof partition !== 'bigint') return undefined
  const text = String(partition)
  return CANONICAL.test(text) ? Number(text) : undefined
}

/** Chooses a record's partition, once. */
export interface Partitioner {
  /** Whether it is the user's code. */
  readonly isForeign: boolean
  choose(view: TopicView, message: Message): number
  /** A batch of this partition takes no more records. */
  batchClosed(partition: number): void
}

/**
 * The default, compatible with the Java client's: a pinned partition; else murmur2 of the key over all partitions; else
 * one partition until its batch closes (KIP-794), then the next that has a leader. Batches close when they are sent,
 * when they are full (64 KiB by default) and after a second; one that is left before would keep a part behind.
 */
export class StickyPartitioner implements Partitioner {
  readonly isForeign = false
  private current = -1
  private turn: number

  /** @param random a number from 0 to 1, so that producers do not all start on the same partition */
  constructor(random: number) {
    this.turn = Math.floor(random * 0x7fffffff)
  }

  choose(view: TopicView, message: Message): number {
    if (message.partition !== undefined && message.partition !== null) return message.partition
    const { key } = message
    if (key !== undefined && key !== null) {
      const hash = typeof key === 'string' ? murmur2OfText(key) : murmur2(key)
      return (hash & 0x7fffffff) % view.partitions.length
    }
    const { available, partitions } = view
    if (
      this.current < 0 ||
      this.current >= partitions.length ||
      // Its records would wait for a leader while other partitions have one.
      (partitions[this.current]!.leader < 0 && available.length > 0)
    ) {
      this.turn = (this.turn + 1) & 0x7fffffff
      this.current =
        available.length > 0 ? available[this.turn % available.length]! : this.turn % partitions.length
    }
    return this.current
  }

  batchClosed(partition: number): void {
    if (partition === this.current) this.current = -1
  }
}

/** A partitioner made for kafkajs, called as kafkajs calls it. */
export class KafkajsPartitioner implements Partitioner {
  readonly isForeign = true
  private readonly partition: ReturnType<ICustomPartitioner>
  private available: readonly number[] | undefined
  private metadata: PartitionMetadata[] = []

  constructor(partition: ReturnType<ICustomPartitioner>) {
    this.partition = partition
  }

  choose(view: TopicView, message: Message): number {
    // A view's `available` is a new array after each change of leaders or partitions.
    if (this.available !== view.available) {
      this.available = view.available
      this.metadata = view.partitions.map(({ index, leader }) => ({
        partitionErrorCode: leader < 0 ? ERROR.LEADER_NOT_AVAILABLE : ERROR.NONE,
        partitionId: index,
        leader,
        replicas: [],
        isr: [],
        offlineReplicas: [],
      }))
    }
    const answer: unknown = this.partition({ topic: view.name, partitionMetadata: this.metadata, message })
    return (typeof answer === 'string' ? (partitionNumber(answer) ?? answer) : answer) as number
  }

  batchClosed(): void {}
}
