/** What the gauges show: sampled when the registry is scraped, so that the hot path pays nothing for them. */
export interface ProducerLevels {
  readonly bufferedRecords: number
  readonly bufferedBytes: number
  readonly topicsWaiting: number
  readonly requestsInFlight: number
}

export type MetadataTrigger = 'connect' | 'topic' | 'leader' | 'age'
export type MetadataOutcome = 'ok' | 'partial' | 'failed'
export type TopicWaitOutcome = 'available' | 'failed'
export type TopicCreator = 'broker' | 'admin'

/**
 * What the stages report, once per batch or request, never per record. `error` and `reason` are error types of Kafka
 * or class names: closed sets, never message text. Times are in ms, sizes in bytes.
 */
export interface ProducerObserver {
  recordsSent(topic: string, records: number): void
  recordsFailed(topic: string, records: number, error: string): void
  recordsRetried(topic: string, records: number, reason: string): void
  metadataRefreshed(trigger: MetadataTrigger, outcome: MetadataOutcome, elapsedMs: number): void
  /** A topic was asked for again. */
  metadataRetried(topic: string, error: string): void
  topicWaited(topic: string, outcome: TopicWaitOutcome, elapsedMs: number): void
  topicCreated(topic: string, by: TopicCreator): void
  bufferWaited(elapsedMs: number): void
  /** A batch goes out for the first time; `queuedMs` since its first record was admitted. */
  batchSent(topic: string, records: number, bytes: number, uncompressedBytes: number, queuedMs: number): void
  requestEnded(elapsedMs: number): void
  /** A batch was acknowledged; `elapsedMs` since its first record's call. */
  batchDelivered(topic: string, records: number, elapsedMs: number): void
  /** Called once by the producer; returns what ends it. */
  watchLevels(levels: () => ProducerLevels): () => void
}

const nothing = (): void => {}

/** Metrics are off unless asked for. */
export const silentObserver: ProducerObserver = {
  recordsSent: nothing,
  recordsFailed: nothing,
  recordsRetried: nothing,
  metadataRefreshed: nothing,
  metadataRetried: nothing,
  topicWaited: nothing,
  topicCreated: nothing,
  bufferWaited: nothing,
  batchSent: nothing,
  requestEnded: nothing,
  batchDelivered: nothing,
  watchLevels: () => nothing,
}
