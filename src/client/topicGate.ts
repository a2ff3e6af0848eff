import type { Kafka, Logger } from 'kafkajs'
import { messageOf } from '../errors/bases.js'
import { guardedLogger } from '../logging/guardedLogger.js'
import { silentObserver } from '../metrics/observer.js'
import type { ProducerSettings } from '../producer/options/options.js'
import { type AutoCreationEvidence, TopicDirectory } from '../topics/index.js'
import { createTransport } from '../transport/index.js'
import { WaitRegistry } from '../waits/registry.js'
import { WaitLog } from '../waits/waitLog.js'

export interface TopicGateParts {
  readonly kafka: Kafka
  readonly settings: Pick<
    ProducerSettings,
    'topics' | 'metadataRetry' | 'metadataMaxAgeMs' | 'metadataMaxIdleMs' | 'metadataRequestTimeoutMs'
  >
  readonly logger: Logger
  /** What earlier subscriptions have learned of auto-creation. */
  readonly autoCreation: AutoCreationEvidence
}

/**
 * Resolves when every topic is there, by its policy's way; over connections that last as long as this.
 *
 * @param signal ends the wait with its reason
 * @throws as `send` does for a topic that is not there: the first failure; the others are logged
 */
export const awaitTopics = async (
  topics: readonly string[],
  { kafka, settings, logger, autoCreation }: TopicGateParts,
  signal: AbortSignal,
): Promise<void> => {
  signal.throwIfAborted()
  const transport = createTransport(kafka)
  const waits = new WaitRegistry()
  new WaitLog(waits, guardedLogger(logger))
  const directory = new TopicDirectory({
    ...settings,
    policy: settings.topics,
    autoCreation,
    transport,
    logger,
    observer: silentObserver,
    waits,
  })
  const end = (): void => directory.close(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  try {
    await directory.connect()
    const outcomes = await Promise.allSettled(topics.map(topic => directory.resolve(topic)))
    const [first, ...others] = outcomes.flatMap(each => (each.status === 'rejected' ? [each.reason] : []))
    if (first === undefined) return
    if (!signal.aborted)
      for (const error of others)
        logger.error(`A topic of the subscription is not available: ${messageOf(error)}`)
    throw first
  } finally {
    signal.removeEventListener('abort', end)
    directory.close(new Error('every topic is there'))
    await transport.close()
  }
}
