import type { Consumer } from 'kafkajs'
import { ConsumerDisconnectedError } from '../errors/index.js'
import { onSchedule } from '../metadata/retry/schedule.js'
import type { SubscribedTopics } from './subscribedTopics.js'
import { type Subscription, topicsOf } from './subscription.js'
import { awaitTopics, type TopicGateParts } from './topicGate.js'

/** Lets a consumer of kafkajs subscribe to topics once they are there, made by the policy where it lets them be made. */
export const subscribeByPolicy = (
  consumer: Consumer,
  subscribed: SubscribedTopics,
  parts: TopicGateParts,
): Consumer => {
  const { subscribe, disconnect } = consumer
  const { settings, logger } = parts
  const waiting = new Set<AbortController>()

  const subscribeOnceThere = async (subscription: Subscription): Promise<void> => {
    const topics = topicsOf(subscription)
    // What kafkajs refuses must not leave topics behind.
    if (topics.length > 0 && !isRunning(consumer)) return subscribeTo(topics, subscription)
    await subscribe(subscription)
    if (subscribed.isEmpty)
      logger.warn(
        'No topic matches the subscription, and kafkajs looks for topics when it subscribes only: this consumer will receive nothing.',
      )
  }

  const subscribeTo = async (topics: readonly string[], subscription: Subscription): Promise<void> => {
    const ending = new AbortController()
    waiting.add(ending)
    try {
      await awaitTopics(topics, parts, ending.signal)
      for (const topic of topics)
        if (settings.topics.policyFor(topic).create === 'broker') subscribed.allowCreation(topic)
      // kafkajs asks another broker than the one that knew the topics, and gives up on the first that lags behind.
      await onSchedule(() => subscribe(subscription), {
        retry: settings.metadataRetry,
        signal: ending.signal,
        onRetry: ({ attempt, error }) =>
          logger.debug('kafkajs could not subscribe yet', { attempt, error: error.message }),
        exhausted: ({ cause }) => cause,
      })
    } catch (error) {
      throw ending.signal.aborted ? new ConsumerDisconnectedError(topics) : error
    } finally {
      waiting.delete(ending)
    }
  }

  return Object.assign(consumer, {
    subscribe: subscribeOnceThere,
    disconnect: async () => {
      for (const ending of waiting) ending.abort()
      await disconnect()
    },
  })
}

/** kafkajs tells it by refusing to pause nothing. */
const isRunning = (consumer: Consumer): boolean => {
  try {
    consumer.pause([])
    return true
  } catch {
    return false
  }
}
