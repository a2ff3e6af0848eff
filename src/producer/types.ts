import type { Writable } from 'node:stream'
import type { Message, Producer, ProducerBatch, ProducerRecord, RecordMetadata } from 'kafkajs'
import type { OnDelivery } from '../delivery/calls/enqueuedRecord.js'
import type { ProducerHealth } from '../health/health.js'
import type { Abortable } from './abortable.js'
import type { ResilientTransaction } from './transactionTypes.js'

export type { Abortable } from './abortable.js'
export type {
  DeliveryRetryOptions,
  MetadataRetryOptions,
  ResilientProducerOptions,
} from './options/optionTypes.js'
export type { ResilientTransaction, TransactionOffsets } from './transactionTypes.js'

/** How long a call waits. */
export interface WaitOptions {
  /**
   * How long to wait, in ms.
   *
   * @defaultValue no limit
   */
  readonly timeoutMs?: number | undefined
  /**
   * Ends the wait: the call rejects with the signal's reason.
   *
   * @defaultValue none
   * @example
   * await producer.flush({ signal: AbortSignal.timeout(5000) })
   */
  readonly signal?: AbortSignal | undefined
}

/** One record for `writable()`: a message of kafkajs with its topic. */
export type TopicMessage = Message & { readonly topic: string }

/** The options of `writable()`. */
export interface WritableOptions {
  /**
   * Takes a failed record, and the stream continues. Without it a failure destroys the stream; so does what it throws.
   *
   * @defaultValue none
   * @example { onError: (error, { topic }) => console.error(`${topic}: ${error.message}`) }
   */
  readonly onError?: ((error: Error, record: TopicMessage) => void) | undefined
  /**
   * Called with the outcome of each record that the stream took; for a failed one before `onError`. What it throws destroys the stream.
   *
   * @defaultValue none
   * @example { onDelivery: (error, record, { partition, offset }) => console.log(error ?? `${record.topic} [${partition}] at ${offset}`) }
   */
  readonly onDelivery?:
    | ((error: Error | null, record: TopicMessage, delivered: Parameters<OnDelivery>[1]) => void)
    | undefined
}

/** kafkajs's `Producer`, and more. Its methods need no `this`. */
export interface ResilientProducer
  extends Omit<Producer, 'connect' | 'send' | 'sendBatch' | 'disconnect' | 'transaction'> {
  /**
   * Connects to a broker; an idempotent producer gets its producer id too (InitProducerId, KIP-98). Calls that come while it connects share the
   * attempt; a connected producer resolves at once.
   *
   * @throws {@link BrokersUnreachableError} after `timeoutMs` (in ms; no limit by default), or when `metadataRetry` is used up: its `cause` is
   *   the last failure. {@link CertificateError}, kafkajs's KafkaJSSASLAuthenticationError, {@link IdempotenceRefusedError} and
   *   {@link UnsupportedApiError} at once; the signal's reason when it is aborted; {@link ProducerClosedError} when `disconnect` comes first
   * @example
   * await producer.connect({ timeoutMs: 10_000 })
   */
  connect(options?: WaitOptions): Promise<void>
  /**
   * Sends messages to a topic. Resolves when every message of the call is acknowledged, with one entry per partition; with `acks: 0` as soon as
   * they are written to the socket, with none. Each field of a message is read once, at the call; the bytes of a Buffer must not be changed
   * before the promise settles. (Produce)
   *
   * @throws as a rejection, once all records of the call have ended: {@link SendError} where a part of the call was acknowledged; otherwise the
   *   error of its records, among them {@link DeliveryTimeoutError}, {@link UnknownTopicError}, {@link TopicAuthorizationError},
   *   {@link RecordTooLargeError} and {@link BufferFullError}: docs/errors.md has all of them
   * @example
   * const [written] = await producer.send({ topic: 'orders', messages: [{ key: 'o-1', value: 'paid' }] })
   * console.log(`partition ${written?.partition}, offset ${written?.baseOffset}`)
   */
  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]>
  /**
   * As `send`, to several topics. A topic that is named twice gets its messages one after the other.
   *
   * @throws as `send`
   * @example
   * await producer.sendBatch({
   *   topicMessages: [
   *     { topic: 'orders', messages: [{ value: 'paid' }] },
   *     { topic: 'audit', messages: [{ value: 'o-1 paid' }] },
   *   ],
   * })
   */
  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]>
  /**
   * Begins a transaction: one at a time (KIP-98). Records that are sent by the producer itself meanwhile are not part of it.
   *
   * @throws kafkajs's KafkaJSNonRetriableError without the option `transactionalId`, and while another transaction is open;
   *   {@link ProducerFencedError} and the other errors after which the producer has to be connected again
   * @example
   * const transaction = await producer.transaction()
   * await transaction.send({ topic: 'invoices', messages: [{ value: 'paid' }] })
   * await transaction.commit()
   */
  transaction(): Promise<ResilientTransaction>
  /**
   * Hands over one record without a promise.
   *
   * @param onDelivery - called with the record's outcome; without it a failure goes to the option `onDeliveryError`
   * @returns false when the share of the record's topic, partition or broker in `bufferBytes` is 80 % full: then `await ready()`. When it is full,
   *   the record fails with {@link BufferFullError}
   * @throws {@link InvalidMessageError}, {@link InvalidTopicError}, or kafkajs's KafkaJSError when the producer is not connected: at once, and
   *   the record was not taken
   * @example
   * if (!producer.enqueue('clicks', { value: 'page-1' })) await producer.ready()
   */
  enqueue(topic: string, message: Message, onDelivery?: OnDelivery): boolean
  /**
   * Resolves when the share that made the last `enqueue` answer false is less than half full; at once where none did.
   *
   * @throws {@link ProducerClosedError} when the producer is disconnected meanwhile; kafkajs's KafkaJSError when it is not connected
   * @example
   * for (const value of ['page-1', 'page-2']) {
   *   if (!producer.enqueue('clicks', { value })) await producer.ready()
   * }
   */
  ready(): Promise<void>
  /**
   * A Writable in object mode, of `{ topic, ...message }`. It finishes when its own records are acknowledged, and holds its source back while
   * the buffer is full.
   *
   * @throws never: a record that fails destroys the stream with the record's error, or goes to `onError`
   * @example
   * import { Readable } from 'node:stream'
   * import { pipeline } from 'node:stream/promises'
   * await pipeline(Readable.from([{ topic: 'clicks', value: 'page-1' }]), producer.writable())
   */
  writable(options?: WritableOptions): Writable
  /**
   * Sends at once what waits in open batches, and resolves when every record that was accepted before has ended, delivered or rejected.
   *
   * @throws {@link FlushTimeoutError} after `timeoutMs` (in ms; no limit by default), the signal's reason when it is aborted. The records stay
   *   in the producer
   * @example
   * await producer.flush({ timeoutMs: 5000 })
   */
  flush(options?: WaitOptions): Promise<void>
  /**
   * What the producer knows of itself, its brokers and its waits. It answers at once, asks no broker, and needs no metrics: for `/healthz`
   * (docs/recipes/health.md).
   *
   * @throws never
   * @example
   * const { healthy, problems } = producer.health()
   * if (!healthy) console.warn(problems.join('\n'))
   */
  health(): ProducerHealth
  /**
   * Flushes and aborts an open transaction, for at most `timeoutMs` (in ms; 25000 by default), rejects the remaining records with
   * {@link ProducerClosedError}, and closes the connections. A second call with a shorter time ends the patience of the first.
   *
   * @throws kafkajs's KafkaJSNonRetriableError on a `timeoutMs` that is not a time
   * @example
   * process.once('SIGTERM', () => producer.disconnect({ timeoutMs: 10_000 }))
   */
  disconnect(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
}
