import type { Consumer } from 'kafkajs'
import { ConsumerDisconnectedError } from '../errors/index.js'
import { NotYet, onSchedule } from '../metadata/schedule.js'
import { type Subscription, topicsOf } from './subscription.js'
import { awaitTopics, type TopicGateParts } from './topicGate.js'

/**
 * Lets a consumer of kafkajs subscribe to topics once they are there, made by the policy where it lets them be made.
 *
 * @param onTopics learns the names before kafkajs does
 */
export const subscribeByPolicy = (
  consumer: Consumer,
  parts: TopicGateParts,
  onTopics: (topics: readonly string[]) => void,
): Consumer => {
  const { subscribe, disconnect } = consumer
  const waiting = new Set<AbortController>()

  const subscribeOnceThere = async (subscription: Subscription): Promise<void> => {
    const topics = topicsOf(subscription)
    // What kafkajs refuses must not leave topics behind.
    if (topics.length === 0 || isRunning(consumer)) return subscribe(subscription)
    const ending = new AbortController()
    waiting.add(ending)
    try {
      await awaitTopics(topics, parts, ending.signal)
      onTopics(topics)
      // kafkajs asks another broker than the one that knew the topics, and gives up on the first that lags behind.
      await onSchedule(
        () =>
          subscribe(subscription).catch(error =>
            Promise.reject(isLagging(error) ? new NotYet(error) : error),
          ),
        {
          retry: parts.settings.metadataRetry,
          signal: ending.signal,
          onRetry: ({ attempt, error }) =>
            parts.logger.debug('A broker does not know a subscribed topic yet', {
              attempt,
              error: error.message,
            }),
          exhausted: ({ cause }) => cause,
        },
      )
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

const isLagging = (error: { readonly type?: unknown }): boolean => error.type === 'UNKNOWN_TOPIC_OR_PARTITION'
