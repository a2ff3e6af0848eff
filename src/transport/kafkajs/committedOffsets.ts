import type { Kafka } from 'kafkajs'
import { privateOf } from './inside.js'

/** An offset that is a group's now. */
interface CommittedOffset {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** index.js, cluster/index.js: by group, topic and partition. */
type OffsetsByGroup = Map<string, Record<string, Record<number, string>>>

/**
 * Tells the consumers of the same Kafka: kafkajs's own goes back to the last offset that it knows to be committed when
 * processing a message fails. kafkajs's producer tells them as the offsets are sent, before the transaction is committed;
 * after an abort its consumer passes over messages.
 */
export const noteCommittedOffsets = (kafka: Kafka, offsets: readonly CommittedOffset[]): void => {
  const byGroup = privateOf(kafka, 'private:Kafka:offsets')
  if (!(byGroup instanceof Map)) return
  const groups: OffsetsByGroup = byGroup
  for (const { groupId, topic, partition, offset } of offsets) {
    const topics = groups.get(groupId) ?? {}
    groups.set(groupId, topics)
    topics[topic] ??= {}
    topics[topic][partition] = offset
  }
}
