import type { Logger } from 'kafkajs'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { BrokerAddress } from '../../transport/port.js'
import type { Backoff } from '../backoff.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionWaits } from '../partitions/partitionWaits.js'

export interface ResponseHandlerSettings {
  readonly retries: number
  readonly backoff: Backoff
  /** Of a transactional producer. */
  readonly transactionalId: string | undefined
}

/** What settling a batch needs of the engine. */
export interface ResponseHandlerHost {
  learnLeader(
    queue: PartitionQueue,
    leader: number,
    leaderEpoch: number,
    endpoint: BrokerAddress | undefined,
  ): void
  refreshLeaders(queue: PartitionQueue, avoidNode: number | undefined): void
  readonly random: () => number
  readonly observer: ProducerObserver
  readonly waits: PartitionWaits
  readonly logger: Logger
}
