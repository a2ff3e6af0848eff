import type { WaitKind } from '../waits/wait.js'

/** What the gauges show: sampled when the registry is scraped, so that the hot path pays nothing for them. */
export interface ProducerLevels {
  readonly bufferedRecords: number
  readonly bufferedBytes: number
  readonly bufferLimitBytes: number
  readonly topicsWaiting: number
  readonly requestsInFlight: number
  /** Records by what they wait for; what is not named waits for nothing. */
  readonly recordsWaiting: ReadonlyMap<WaitKind, number>
  /** Age of the oldest record that has not ended; 0: there is none. ms */
  readonly oldestRecordMs: number
  /** Of the topics in use. */
  readonly partitionsWithoutLeader: number
  /** Since the last answer to a metadata request. ms */
  readonly metadataAgeMs: number
  /** Open connections for produce requests by broker. */
  readonly connections: ReadonlyMap<number, number>
}

export type MetadataTrigger = 'connect' | 'topic' | 'leader' | 'age'
export type MetadataOutcome = 'ok' | 'partial' | 'failed'
export type TopicWaitOutcome = 'available' | 'failed'
/** Who created a topic: a broker, when its metadata was asked for, or this client by CreateTopics. */
export type TopicCreator = 'broker' | 'admin'
/** How an attempt to connect ended. */
export type ConnectOutcome = 'ok' | 'failed' | 'authentication_failed'
export type TransactionOutcome = 'committed' | 'aborted' | 'failed'

/**
 * What the stages report, once per batch or request, never per record. `error` and `reason` are error types of Kafka
 * or class names: closed sets, never message text. Times are in ms, sizes in bytes.
 */
export interface ProducerObserver {
  /** Acknowledged; of transactions, once they are committed. */
  recordsSent(topic: string, records: number): void
  /** Acknowledged within a transaction that was not committed. */
  recordsAborted(topic: string, records: number): void
  recordsFailed(topic: string, records: number, error: string): void
  /** Records go out in a further request. */
  recordsRetried(topic: string, records: number, reason: string): void
  /** A batch was refused as too large, and divided. */
  batchSplit(topic: string): void
  metadataRefreshed(trigger: MetadataTrigger, outcome: MetadataOutcome, elapsedMs: number): void
  /** A topic was asked for again. */
  metadataRetried(topic: string, error: string): void
  topicWaited(topic: string, outcome: TopicWaitOutcome, elapsedMs: number): void
  /** @param topicId undefined: the broker knows no topic ids */
  topicCreated(topic: string, by: TopicCreator, topicId: string | undefined): void
  bufferWaited(elapsedMs: number): void
  /** A batch goes out for the first time; `queuedMs` since its first record was admitted. */
  batchSent(topic: string, records: number, bytes: number, uncompressedBytes: number, queuedMs: number): void
  requestEnded(broker: number, elapsedMs: number): void
  /** A request ended without an answer. */
  requestLost(broker: number): void
  /** A broker asked this client to hold back for so long. */
  throttled(broker: number, forMs: number): void
  connectEnded(broker: number, outcome: ConnectOutcome): void
  producerIdObtained(): void
  /** A partition, or the transactions, begin a new epoch under the same producer id. */
  epochBumped(): void
  transactionBegun(): void
  transactionEnded(outcome: TransactionOutcome, elapsedMs: number): void
  /** A batch was acknowledged; `elapsedMs` since its first record's call. */
  batchDelivered(topic: string, records: number, elapsedMs: number): void
  /** Called once by the producer; returns what ends it. */
  watchLevels(levels: () => ProducerLevels): () => void
}

const nothing = (): void => {}

/** Metrics are off unless asked for. */
export const silentObserver: ProducerObserver = {
  recordsSent: nothing,
  recordsAborted: nothing,
  recordsFailed: nothing,
  recordsRetried: nothing,
  batchSplit: nothing,
  metadataRefreshed: nothing,
  metadataRetried: nothing,
  topicWaited: nothing,
  topicCreated: nothing,
  bufferWaited: nothing,
  batchSent: nothing,
  requestEnded: nothing,
  requestLost: nothing,
  throttled: nothing,
  connectEnded: nothing,
  producerIdObtained: nothing,
  epochBumped: nothing,
  transactionBegun: nothing,
  transactionEnded: nothing,
  batchDelivered: nothing,
  watchLevels: () => nothing,
}
