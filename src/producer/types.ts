import type {
  CompressionTypes,
  ICustomPartitioner,
  Message,
  Producer,
  ProducerBatch,
  ProducerRecord,
  RecordMetadata,
} from 'kafkajs'
import type { OnDelivery } from '../delivery/call.js'
import type { MetricsOptions } from '../metrics/options.js'
import type { RetryNotice, TopicPolicyOptions } from '../topics/index.js'

/** Attempts and waits of the retries of a record batch. */
export interface DeliveryRetryOptions {
  /** Attempts after the first one. Default unlimited, within `deliveryTimeoutMs`. */
  readonly retries?: number | undefined
  /** The first wait. Default 100 ms. */
  readonly minTimeoutMs?: number | undefined
  /** The longest wait. Default 1000 ms. */
  readonly maxTimeoutMs?: number | undefined
  /** Growth of the wait. Default 2. */
  readonly factor?: number | undefined
}

/** The schedule by which a topic that is not available yet is asked for again (p-retry). */
export interface MetadataRetryUserOptions extends DeliveryRetryOptions {
  /** Lengthens each wait by a random factor of 1 to 2. Default true. */
  readonly jitter?: boolean | undefined
  /** A topic's whole budget. Default 30000 ms. */
  readonly maxRetryTimeMs?: number | undefined
  /** Called before each wait. What it throws is ignored. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined
}

/** Everything is optional; the README's table has every default. */
export interface ResilientProducerOptions {
  readonly acks?: -1 | 0 | 1 | undefined
  readonly ackTimeoutMs?: number | undefined
  readonly idempotent?: boolean | undefined
  readonly lingerMs?: number | undefined
  readonly batchBytes?: number | undefined
  readonly batchRecords?: number | undefined
  readonly requestBytes?: number | undefined
  readonly bufferBytes?: number | undefined
  readonly maxBlockMs?: number | undefined
  readonly deliveryTimeoutMs?: number | undefined
  readonly requestTimeoutMs?: number | undefined
  readonly metadataRequestTimeoutMs?: number | undefined
  readonly maxInFlightPerBroker?: number | undefined
  readonly retry?: DeliveryRetryOptions | undefined
  readonly metadataRetry?: MetadataRetryUserOptions | undefined
  readonly metadataMaxAgeMs?: number | undefined
  readonly metadataMaxIdleMs?: number | undefined
  readonly compression?: CompressionTypes | undefined
  readonly createPartitioner?: ICustomPartitioner | undefined
  readonly topics?: TopicPolicyOptions | undefined
  readonly metrics?: MetricsOptions | undefined
  /** Takes the failures of records that were enqueued without a callback. */
  readonly onDeliveryError?:
    | ((error: Error, place: { readonly topic: string; readonly partition: number }) => void)
    | undefined
}

/** Withdraws what is in no request yet when it is aborted. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

export interface WaitOptions extends Abortable {
  /** ms */
  readonly timeoutMs?: number | undefined
}

/** One record for `writable()`. */
export type TopicMessage = Message & { readonly topic: string }

export interface WritableOptions {
  /**
   * Takes a failed record, so that the stream goes on; without it a failure destroys the stream.
   */
  readonly onError?: ((error: Error, record: TopicMessage) => void) | undefined
}

/** kafkajs's `Producer`, and more. */
export interface ResilientProducer extends Omit<Producer, 'connect' | 'send' | 'sendBatch' | 'disconnect'> {
  /**
   * Reaches a broker and, for an idempotent producer, gets its id. Shared by all who ask meanwhile; resolves at once when
   * connected.
   *
   * @throws {BrokersUnreachableError} after `timeoutMs` (ms, default none), or when `metadataRetry` is used up; its `cause`
   *   is the last failure. {@link IdempotenceRefusedError}; kafkajs's KafkaJSSASLAuthenticationError at once; the signal's
   *   reason when it is aborted; {@link ProducerClosedError} when `disconnect` breaks it off.
   */
  connect(options?: WaitOptions): Promise<void>
  /**
   * Resolves when every message of the call is acknowledged, with one entry a topic-partition.
   *
   * @throws see the README's table of errors; {@link SendError} where a part of the call was acknowledged
   */
  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]>
  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]>
  /**
   * Hands over one record without a promise.
   *
   * @param onDelivery learns what became of the record; without it a failure goes to the option `onDeliveryError`
   * @returns false from 80 % of `bufferBytes` on: then `await ready()`. At 100 % the record ends with BufferFullError.
   * @throws on bad input, at once
   */
  enqueue(topic: string, message: Message, onDelivery?: OnDelivery): boolean
  /** Resolves when less than half of `bufferBytes` is in use; rejects when the producer is disconnected. */
  ready(): Promise<void>
  /** An object-mode Writable of `{ topic, ...message }`: finishes after its own acknowledgements. */
  writable(options?: WritableOptions): import('node:stream').Writable
  /**
   * Sends at once what has gathered, and resolves when everything accepted before has ended, delivered or rejected.
   *
   * @throws {FlushTimeoutError} after `timeoutMs`; the signal's reason when it is aborted. The records stay.
   */
  flush(options?: WaitOptions): Promise<void>
  /** Flushes for at most `timeoutMs` (25000 ms by default), rejects the rest, closes the connections. */
  disconnect(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
}
