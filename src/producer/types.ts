import type { Writable } from 'node:stream'
import type {
  CompressionTypes,
  ICustomPartitioner,
  Message,
  Offsets,
  Producer,
  ProducerBatch,
  ProducerRecord,
  RecordMetadata,
  Transaction,
} from 'kafkajs'
import type { OnDelivery } from '../delivery/calls/enqueuedRecord.js'
import type { ProducerHealth } from '../health/health.js'
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
  /** Lengthens or shortens each wait by a random share of it, up to this one, from 0 to 1. Default 0.2. */
  readonly jitter?: number | undefined
}

/**
 * The schedule by which a topic that is not available yet is asked for again, and the first broker too. Time in which the process
 * stood still is not a part of its budget.
 */
export interface MetadataRetryOptions {
  /** Attempts after the first one. Default 64. */
  readonly retries?: number | undefined
  /** The first wait. Default 50 ms. */
  readonly minTimeoutMs?: number | undefined
  /** The longest wait. Default 1000 ms. */
  readonly maxTimeoutMs?: number | undefined
  /** Growth of the wait. Default 2. */
  readonly factor?: number | undefined
  /** Lengthens each wait by a random factor of 1 to 2. Default true. */
  readonly jitter?: boolean | undefined
  /** A topic's whole budget. Default 30000 ms. */
  readonly maxRetryTimeMs?: number | undefined
  /** Called before each wait. What it throws is ignored. Default none. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined
}

/** Everything is optional. In parentheses: the Java producer's name for it. */
export interface ResilientProducerOptions {
  /** -1: acknowledged by all in-sync replicas; 1: by the leader; 0: by nobody. Default -1. (`acks`) */
  readonly acks?: -1 | 0 | 1 | undefined
  /** The broker's wait for its replicas. Default 30000 ms; where only `requestTimeoutMs` is set, a second less than that, at most 30000. */
  readonly ackTimeoutMs?: number | undefined
  /**
   * No record twice, and the order of sends kept through retries. Unset: on where possible; a call with acks 0 or 1, or a
   * cluster that refuses a producer id, goes without, each with one warning. `true`: those are errors. `false`: off, with one
   * batch a partition in flight. Default unset. (`enable.idempotence`; KIP-98)
   */
  readonly idempotent?: boolean | undefined
  /**
   * Above 0: how long a batch that is not full waits for more; `flush` ends it. 0: a batch leaves at once while fewer than two
   * requests to its broker are in flight, else records gather until an answer or a full batch. Default 0 ms. (`linger.ms`)
   */
  readonly lingerMs?: number | undefined
  /** A batch of one partition is closed at this size; a larger single record travels alone. Default 65536 bytes. (`batch.size`) */
  readonly batchBytes?: number | undefined
  /** A batch of one partition is closed at this number. Default 10000 records. */
  readonly batchRecords?: number | undefined
  /** The largest request; a record above it (less 512 bytes) is refused at the call. Default 104857600 bytes. (`max.request.size`) */
  readonly requestBytes?: number | undefined
  /**
   * What is held at most, in every state from admission to the outcome. One topic, partition or broker may hold as much of it as is still
   * free; what cannot move (a missing topic, no leader, a silent broker) holds half of it at most. Default 67108864 bytes. (`buffer.memory`)
   */
  readonly bufferBytes?: number | undefined
  /**
   * What may wait for space in the buffer, with 250 bytes added for each record: beyond it `send` rejects at once with {@link BufferFullError}.
   * Default 16 x `bufferBytes` bytes.
   */
  readonly maxWaitingBytes?: number | undefined
  /** How long `send` waits for buffer space before {@link BufferFullError}. Default 60000 ms. (`max.block.ms`) */
  readonly maxBlockMs?: number | undefined
  /**
   * From the call to the outcome, across buffer, topic, linger and retries; `maxBlockMs` and `metadataRetry` may end it
   * earlier. Default 120000 ms. (`delivery.timeout.ms`)
   */
  readonly deliveryTimeoutMs?: number | undefined
  /**
   * A produce request without an answer for this long, and for a second longer than `ackTimeoutMs`, is given up with its connection and its
   * batches are retried. Default 30000 ms. (`request.timeout.ms`)
   */
  readonly requestTimeoutMs?: number | undefined
  /** A metadata request without an answer for this long goes to another broker. Default 3000 ms. */
  readonly metadataRequestTimeoutMs?: number | undefined
  /**
   * A connection on which nothing happened for this long is closed. Below the brokers' own limit (10 minutes), and that of firewalls
   * and load balancers between, which forget a connection without a word. Default 540000 ms. (`connections.max.idle.ms`)
   */
  readonly connectionsMaxIdleMs?: number | undefined
  /**
   * Whether to connect to an address that a broker advertises, for its metadata or as a coordinator: credentials go there. Seeds are
   * not asked about. Default all addresses.
   *
   * @example allowBroker: host => host.endsWith('.kafka.example.com')
   */
  readonly allowBroker?: ((host: string, port: number) => boolean) | undefined
  /** Produce requests in flight to one broker. Default 5. (`max.in.flight.requests.per.connection`) */
  readonly maxInFlightPerBroker?: number | undefined
  /** The retries of a batch. */
  readonly retry?: DeliveryRetryOptions | undefined
  /** The wait for topics that are not available yet, and for the first broker. */
  readonly metadataRetry?: MetadataRetryOptions | undefined
  /** Topics in use are asked for again, by name, at this age. Default 300000 ms. (`metadata.max.age.ms`) */
  readonly metadataMaxAgeMs?: number | undefined
  /** A topic or partition that was not used for this long is forgotten, at the latest after twice that. Default 300000 ms. (`metadata.max.idle.ms`) */
  readonly metadataMaxIdleMs?: number | undefined
  /** A codec of kafkajs's `CompressionTypes`. Default none. (`compression.type`) */
  readonly compression?: CompressionTypes | undefined
  /**
   * A partitioner made for kafkajs. Default sticky + murmur2: a pinned partition, else murmur2 of the key as the Java client,
   * else one partition until its batch is sent or its broker is late, then the next by turns in bytes (KIP-794).
   */
  readonly createPartitioner?: ICustomPartitioner | undefined
  /**
   * Makes `transaction()` possible. One producer at a time has it: connecting fences the one before, and aborts what that has
   * left open. Default none. (`transactional.id`; KIP-98)
   */
  readonly transactionalId?: string | undefined
  /** The coordinator aborts a transaction that is open for this long. Default 60000 ms. (`transaction.timeout.ms`) */
  readonly transactionTimeoutMs?: number | undefined
  /** Who creates topics that do not exist, and how. Default `{ create: 'broker' }`. */
  readonly topics?: TopicPolicyOptions | undefined
  /** Metrics on a prom-client registry. Default off. */
  readonly metrics?: MetricsOptions | undefined
  /** Takes the failures of records that were enqueued without a callback. What it throws is logged. Default logged. */
  readonly onDeliveryError?:
    | ((error: Error, place: { readonly topic: string; readonly partition: number }) => void)
    | undefined
}

export interface Abortable {
  /** When it is aborted, records that are in no request yet are withdrawn ({@link SendAbortedError}). */
  readonly signal?: AbortSignal | undefined
}

export interface WaitOptions {
  /** ms. Default: no limit. */
  readonly timeoutMs?: number | undefined
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** One record for `writable()`: a message of kafkajs with its topic. */
export type TopicMessage = Message & { readonly topic: string }

export interface WritableOptions {
  /** Takes a failed record, so that the stream goes on; without it a failure destroys the stream. */
  readonly onError?: ((error: Error, record: TopicMessage) => void) | undefined
  /** Learns what became of each record that the stream took up, before `onError` takes a failed one. */
  readonly onDelivery?:
    | ((error: Error | null, record: TopicMessage, delivered: Parameters<OnDelivery>[1]) => void)
    | undefined
}

/** kafkajs's argument of `sendOffsets`, and the group's member as who they are sent (KIP-447): the group then checks its generation. */
export interface TransactionOffsets extends Offsets {
  readonly consumerGroupId: string
  /** Default -1: not checked. */
  readonly generationId?: number | undefined
  /** Default '': not checked. */
  readonly memberId?: string | undefined
  readonly groupInstanceId?: string | null | undefined
}

/** kafkajs's `Transaction`, and more. Its methods need no `this`. */
export interface ResilientTransaction extends Omit<Transaction, 'send' | 'sendBatch' | 'sendOffsets'> {
  /** As the producer's `send`. @throws {TransactionFailedError} after a failure: {@link ResilientTransaction.abort} is all that is left */
  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]>
  /** As the producer's `sendBatch`. */
  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]>
  /**
   * Makes offsets a part of the transaction: they become the group's with the commit.
   *
   * @throws {OffsetsRefusedError} {CoordinatorTimeoutError}
   */
  sendOffsets(offsets: TransactionOffsets): Promise<void>
  /**
   * Waits for all calls of the transaction and commits it.
   *
   * @throws {TransactionFailedError} when one of them has failed: nothing is committed, and `abort()` is next.
   *   {@link ProducerFencedError}, {@link TransactionTimedOutError}, {@link TransactionRefusedError} and {@link CoordinatorTimeoutError}
   *   end the producer's work until it is connected again; with `outcome: 'unknown'` the transaction may have been committed
   */
  commit(): Promise<void>
  /** Drops what is in no request ({@link TransactionAbortedError}), waits for the rest, and aborts. @throws what ends the producer's work */
  abort(): Promise<void>
}

/** kafkajs's `Producer`, and more. */
export interface ResilientProducer
  extends Omit<Producer, 'connect' | 'send' | 'sendBatch' | 'disconnect' | 'transaction'> {
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
   * Resolves when every message of the call is acknowledged, with one entry per topic-partition; with `acks: 0` at once after
   * the write, with none. Each field of a message is read once, at the call; the bytes of a Buffer must not be changed before the
   * promise settles.
   *
   * @throws (as a rejection, when all records of the call have ended) see the README's table of errors; {@link SendError}
   *   where a part of the call was acknowledged
   */
  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]>
  /** As `send`, to several topics; a topic that is named twice gets its messages one after the other. */
  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]>
  /**
   * Begins a transaction: one at a time. Records that are sent by the producer itself meanwhile are no parts of it.
   *
   * @throws {NonRetriableError} without `transactionalId`, and while another transaction is open; what ends the producer's work
   */
  transaction(): Promise<ResilientTransaction>
  /**
   * Hands over one record without a promise.
   *
   * @param onDelivery learns what became of the record; without it a failure goes to the option `onDeliveryError`
   * @returns false when the share of the record's topic, partition or broker in `bufferBytes` is 80 % full: then `await ready()`. When
   *   it is full the record ends with {@link BufferFullError}.
   * @throws on bad input or when not connected, at once; the record was not taken
   */
  enqueue(topic: string, message: Message, onDelivery?: OnDelivery): boolean
  /**
   * Resolves when the share that made the last `enqueue` answer false is less than half full; at once where none did. Rejects when the
   * producer is disconnected.
   */
  ready(): Promise<void>
  /** An object-mode Writable of `{ topic, ...message }`: finishes after its own acknowledgements. */
  writable(options?: WritableOptions): Writable
  /**
   * Sends at once what has gathered, and resolves when everything accepted before has ended, delivered or rejected.
   *
   * @throws {FlushTimeoutError} after `timeoutMs`; the signal's reason when it is aborted. The records stay.
   */
  flush(options?: WaitOptions): Promise<void>
  /**
   * What the producer knows of itself, its brokers and its waits. Answers at once, asks nobody, and needs no metrics: for
   * `/healthz` (see docs/health.md).
   *
   * @example app.get('/healthz', (_, reply) => { const health = producer.health(); reply.code(health.healthy ? 200 : 503).send(health) })
   */
  health(): ProducerHealth
  /** Flushes and aborts an open transaction for at most `timeoutMs` (25000 ms by default), rejects the rest, closes the connections. */
  disconnect(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
}
