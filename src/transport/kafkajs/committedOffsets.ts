import { types } from 'node:util'
import type { Kafka } from 'kafkajs'
import { OFFSETS, privateOf } from './privateMembers.js'

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
 * Tells the consumers of the same Kafka: kafkajs's own commit by themselves what they do not know to be committed. kafkajs's
 * producer tells them as the offsets are sent, of transactions that are aborted then too.
 */
export const noteCommittedOffsets = (kafka: Kafka, offsets: readonly CommittedOffset[]): void => {
  const byGroup = privateOf(kafka, OFFSETS)
  if (!types.isMap(byGroup)) return
  const groups = byGroup as OffsetsByGroup
  for (const { groupId, topic, partition, offset } of offsets) {
    const topics = groups.get(groupId) ?? Object.create(null)
    groups.set(groupId, topics)
    offsetsOf(topics, topic)[partition] = offset
  }
}

/** kafkajs keeps plain objects, in which `__proto__` and `constructor`, legal names of topics, would be everybody's. */
const offsetsOf = (topics: Record<string, Record<number, string>>, topic: string): Record<number, string> => {
  if (!Object.hasOwn(topics, topic)) {
    Object.defineProperty(topics, topic, { value: {}, writable: true, enumerable: true, configurable: true })
  }
  return topics[topic]!
}
