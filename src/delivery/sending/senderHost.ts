import type { ProducerObserver } from '../../metrics/observer.js'
import type { BrokerAddress, ProduceLink } from '../../transport/port.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Backoff } from '../backoff.js'
import type { Batch } from '../batch/batch.js'
import type { ShareGroup } from '../buffer/shares.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { InFlightBatch } from '../requests/inFlightRequest.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'
import type { ReadyPartitionsSettings } from './readyPartitions.js'

export interface SenderSettings extends ReadyPartitionsSettings {
  /** No request grows beyond this by a further batch. bytes */
  readonly requestTargetBytes: number
  readonly maxInFlight: number
  readonly requestTimeoutMs: number
  readonly connectBackoff: Backoff
  /** After this long without an answer another broker is asked who leads. ms */
  readonly stallMs: number
  /** All batches are parts of its transactions. */
  readonly transactionalId: string | undefined
}

/** What a sender tells the engine. */
export interface SenderHost {
  openLink(nodeId: number): Promise<ProduceLink>
  /** Whether the broker answers on another connection. Does not reject. */
  isAlive(nodeId: number): Promise<boolean>
  /** What a connection to the broker that is being made, or that logs in again, waits for. */
  pending(nodeId: number): Error | undefined
  departed(inFlightBatches: readonly InFlightBatch[], now: number): void
  /** @param endpoint the address of the leader that the answer hints at (KIP-951) */
  answered(inFlightBatch: InFlightBatch, answer: PartitionAnswer, endpoint: BrokerAddress | undefined): void
  /** acks 0: written, and nothing more will come. */
  written(inFlightBatch: InFlightBatch): void
  /**
   * The request ended without an answer; `sent`: a part of it may have reached the broker.
   *
   * @param isExcused it may have been too large for the broker, and goes in smaller requests: that was no attempt
   */
  lost(inFlightBatch: InFlightBatch, error: Error, sent: boolean, isExcused: boolean): void
  /** The broker does not know the codec of a batch, which is in no request. */
  unreadable(queue: PartitionQueue, batch: Batch): void
  /** A request's buffers are free again. */
  released(inFlightBatches: readonly InFlightBatch[]): void
  /** This broker cannot be reached, or says nothing: who leads these queues' topics, another is asked. */
  suspect(queues: Iterable<PartitionQueue>, nodeId: number): void
  /** Connecting can never succeed, for example because the credentials are refused. */
  unusable(queues: Iterable<PartitionQueue>, error: Error): void
  /** It has been silent or out of reach for a second, and is not any more. */
  stuck(share: ShareGroup, isStuck: boolean): void
  takeFrame(bytes: number): Buffer
  giveFrame(frame: Buffer): void
  /** The latency of the quickest broker; 0: not known yet. ms */
  quickestMs(): number
  readonly waits: WaitRegistry
  readonly observer: ProducerObserver
  readonly random: () => number
}
