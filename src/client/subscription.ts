import { types } from 'node:util'
import type { ConsumerSubscribeTopic, ConsumerSubscribeTopics } from 'kafkajs'

/** What kafkajs's `subscribe` takes. */
export type Subscription = ConsumerSubscribeTopics | ConsumerSubscribeTopic

/** The topics that a subscription names; none where it is one that kafkajs refuses, or has patterns alone. */
export const topicsOf = (subscription: Subscription): readonly string[] => {
  const { topic, topics = [topic] } = (subscription ?? {}) as { topic?: unknown; topics?: unknown }
  if (!Array.isArray(topics)) return []
  const isTopic = (each: unknown): boolean => typeof each === 'string' || types.isRegExp(each)
  return topics.every(isTopic) ? [...new Set(topics.filter(each => typeof each === 'string'))] : []
}
