import type { ProducerObserver } from '../../metrics/observer.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Batch } from '../batch/batch.js'
import type { BrokerLinkHost, BrokerLinkSettings } from '../brokers/brokerLink.js'
import type { ShareGroup } from '../buffer/shares.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { ExchangeHost, ExchangeSettings } from '../requests/exchangeHost.js'
import type { ReadyPartitionsSettings } from './readyPartitions.js'

export interface SenderSettings extends ReadyPartitionsSettings, BrokerLinkSettings, ExchangeSettings {
  readonly maxInFlight: number
}

/** What a sender tells the engine. */
export interface SenderHost extends BrokerLinkHost, ExchangeHost {
  /** Whether the broker answers on another connection. Does not reject. */
  isAlive(nodeId: number): Promise<boolean>
  /** What a connection to the broker that is being made, or that logs in again, waits for. */
  pending(nodeId: number): Error | undefined
  /** The broker does not know the codec of a batch, which is in no request. */
  unreadable(queue: PartitionQueue, batch: Batch): void
  /** This broker cannot be reached, or says nothing: who leads these queues' topics, another is asked. */
  suspect(queues: Iterable<PartitionQueue>, nodeId: number): void
  /** Connecting can never succeed, for example because the credentials are refused. */
  unusable(queues: Iterable<PartitionQueue>, error: Error): void
  /** It has been silent or out of reach for a second, and is not any more. */
  stuck(share: ShareGroup, isStuck: boolean): void
  /** The latency of the quickest broker; 0: not known yet. ms */
  quickestMs(): number
  readonly waits: WaitRegistry
  readonly observer: ProducerObserver
}
