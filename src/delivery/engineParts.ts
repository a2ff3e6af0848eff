import type { ICustomPartitioner, Logger } from 'kafkajs'
import type { ProducerObserver } from '../metrics/observer.js'
import type { TopicDirectory } from '../topics/index.js'
import type { ProduceLinkSource } from '../transport/port.js'
import type { WaitRegistry } from '../waits/registry.js'
import type { Backoff } from './backoff.js'
import type { BufferBudget } from './buffer/bufferBudget.js'
import type { IdentitySource } from './idempotence/producerIds.js'
import type { BatchLimits } from './partitions/batchSizing.js'
import type { TransactionHooks } from './transactionHooks.js'

export interface EngineSettings {
  readonly batchLimits: BatchLimits
  readonly lingerMs: number
  readonly requestBytes: number
  readonly requestTimeoutMs: number
  readonly bufferBytes: number
  readonly maxWaitingBytes?: number | undefined
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
  readonly maxInFlightPerBroker: number
  readonly retries: number
  readonly retryBackoff: Backoff
  /** Partitions and topics that were not used for so long are given back. ms */
  readonly metadataMaxIdleMs: number
  readonly createPartitioner: ICustomPartitioner | undefined
  /** All its records are parts of transactions. */
  readonly transactionalId?: string | undefined
}

export interface EngineParts {
  readonly transport: ProduceLinkSource
  readonly directory: TopicDirectory
  readonly producerIds: IdentitySource
  /** Where several engines share one buffer. */
  readonly buffer?: BufferBudget
  readonly transaction?: TransactionHooks | undefined
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
  readonly logger: Logger
  /** Failures of records for which nobody waits. */
  readonly onUnownedFailure: (
    error: Error,
    place: { topic: string; partition: number },
    records: number,
  ) => void
  readonly random: () => number
}
