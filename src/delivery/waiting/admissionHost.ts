import type { ProducerObserver } from '../../metrics/observer.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { PartitionQueueHost } from '../partitions/partitionQueueHost.js'
import type { TopicPartitions } from './topicPartitions.js'

/** What the way into the buffer needs of the engine. */
export interface AdmissionHost extends PartitionQueueHost {
  /** Records wait for this topic. */
  need(topic: TopicPartitions): void
  /** Nothing waits for this topic any more. */
  unneeded(topic: TopicPartitions): void
  /** Why the topic is not there yet, as far as it is known. */
  problemOf(topic: TopicPartitions): Error | undefined
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
}
