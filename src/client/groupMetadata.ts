import type { Consumer } from 'kafkajs'
import { NonRetriableError } from '../errors/bases.js'

/** A consumer's membership in its group: what `sendOffsets` takes beside the offsets (KIP-447). */
export interface ConsumerGroupMetadata {
  /** The group's id. */
  readonly consumerGroupId: string
  /** The group's generation in which the consumer has its partitions. */
  readonly generationId: number
  /** The id that the coordinator gave the consumer (JoinGroup). */
  readonly memberId: string
}

/** kafkajs's `Consumer`, and its membership in its group. */
export interface ResilientConsumer extends Consumer {
  /**
   * This consumer's current membership in its group. With it in `sendOffsets`, the group's coordinator refuses the offsets of a consumer that
   * has lost its partitions to another in the meantime ({@link OffsetsRefusedError}), so that records are not processed twice (KIP-447).
   *
   * Call it at the start of a batch, and keep the answer for that batch: after a rebalance it is another one.
   *
   * @throws kafkajs's KafkaJSNonRetriableError before the consumer has joined its group
   * @example
   * await consumer.run({
   *   autoCommit: false,
   *   eachBatch: async ({ batch }) => {
   *     const group = consumer.groupMetadata()
   *     const transaction = await producer.transaction()
   *     try {
   *       await transaction.send({ topic: 'out', messages: batch.messages.map(({ value }) => ({ value })) })
   *       const offset = String(BigInt(batch.lastOffset()) + 1n)
   *       const topics = [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }]
   *       await transaction.sendOffsets({ ...group, topics })
   *       await transaction.commit()
   *     } catch (error) {
   *       await transaction.abort()
   *       throw error
   *     }
   *   },
   * })
   */
  groupMetadata(): ConsumerGroupMetadata
}

/** A member of a group, as its coordinator named it last. */
export class GroupMembership {
  private current: Omit<ConsumerGroupMetadata, 'consumerGroupId'> | undefined

  /** The coordinator has taken it into a generation of the group (JoinGroup). */
  joined({ generationId, memberId }: Omit<ConsumerGroupMetadata, 'consumerGroupId'>): void {
    this.current = { generationId, memberId }
  }

  /** Kept when the consumer leaves: without a member, offsets would not be checked at all. */
  get last(): Omit<ConsumerGroupMetadata, 'consumerGroupId'> | undefined {
    return this.current
  }
}

export const withGroupMetadata = (
  consumer: Consumer,
  consumerGroupId: string,
  membership: GroupMembership,
): ResilientConsumer =>
  Object.assign(consumer, {
    groupMetadata: (): ConsumerGroupMetadata => {
      const { last } = membership
      if (last !== undefined) return { consumerGroupId, ...last }
      throw new NonRetriableError(
        `The consumer has not joined the group "${consumerGroupId}" yet. Call groupMetadata() in eachBatch or eachMessage.`,
      )
    },
  })
