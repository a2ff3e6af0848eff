import type { CompressionTypes, ICustomPartitioner } from 'kafkajs'
import type { MetricsOptions } from '../../metrics/options.js'
import type { RetryNotice, TopicPolicyOptions } from '../../topics/index.js'

/** Attempts and waits of the retries of a record batch. The waits grow exponentially (KIP-580). */
export interface DeliveryRetryOptions {
  /**
   * Attempts after the first one. `deliveryTimeoutMs` ends the retries in any case. Refusals of a broker that is only starting to lead a
   * new partition are not counted (at most 50).
   *
   * @defaultValue unlimited
   */
  readonly retries?: number | undefined
  /**
   * The first wait, in ms.
   *
   * @defaultValue 100 ms
   */
  readonly minTimeoutMs?: number | undefined
  /**
   * The longest wait, in ms.
   *
   * @defaultValue 1000 ms
   */
  readonly maxTimeoutMs?: number | undefined
  /**
   * Each wait is this many times as long as the one before.
   *
   * @defaultValue 2
   */
  readonly factor?: number | undefined
  /**
   * Lengthens or shortens each wait by a random share of it, up to this one. From 0 to 1.
   *
   * @defaultValue 0.2
   */
  readonly jitter?: number | undefined
}

/**
 * How often a topic that is not available yet is asked for again, and how often the first broker is tried. Time in which the process was
 * stopped does not count against the budget.
 */
export interface MetadataRetryOptions {
  /**
   * Attempts after the first one.
   *
   * @defaultValue 64
   */
  readonly retries?: number | undefined
  /**
   * The first wait, in ms.
   *
   * @defaultValue 50 ms
   */
  readonly minTimeoutMs?: number | undefined
  /**
   * The longest wait, in ms.
   *
   * @defaultValue 1000 ms
   */
  readonly maxTimeoutMs?: number | undefined
  /**
   * Each wait is this many times as long as the one before.
   *
   * @defaultValue 2
   */
  readonly factor?: number | undefined
  /**
   * Lengthens each wait by a random factor of 1 to 2.
   *
   * @defaultValue true
   */
  readonly jitter?: boolean | undefined
  /**
   * The time for all attempts for one topic, in ms. After it records for the topic fail with {@link MetadataRetriesExceededError}.
   *
   * @defaultValue 30000 ms
   */
  readonly maxRetryTimeMs?: number | undefined
  /**
   * Called before each wait. What it throws is ignored.
   *
   * @defaultValue none
   * @example { onRetry: ({ topic, attempt, delayMs }) => console.log(`${topic}: attempt ${attempt}, next in ${delayMs} ms`) }
   */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined
}

/**
 * The options of a producer. Each is optional; what cannot work is refused at once with {@link InvalidOptionsError}, which lists every
 * problem. In parentheses: the Java producer's name for the option, and where it comes from.
 */
export interface ResilientProducerOptions {
  /**
   * Who must have a record before it counts as acknowledged: -1 all in-sync replicas, 1 the leader, 0 nobody. (`acks`)
   *
   * @defaultValue -1
   */
  readonly acks?: -1 | 0 | 1 | undefined
  /**
   * How long a broker waits for its replicas, in ms. Where only `requestTimeoutMs` is set, a second less than that, and at most 30000.
   * (Produce, `timeout_ms`)
   *
   * @defaultValue 30000 ms
   */
  readonly ackTimeoutMs?: number | undefined
  /**
   * Writes no record twice, and keeps the order of sends through retries. Unset: on where possible; a call with acks 0 or 1, or a cluster
   * that refuses a producer id, is served without it, each with one warning. `true`: those are errors ({@link IdempotenceRefusedError},
   * {@link ProducerIdUnavailableError}). `false`: off, with one batch per partition in flight. (`enable.idempotence`; KIP-98)
   *
   * @defaultValue unset
   */
  readonly idempotent?: boolean | undefined
  /**
   * Above 0: how long a batch that is not full waits for more records, in ms; `flush` ends the wait. 0: a batch is sent at once while
   * fewer than two requests to its broker are in flight; otherwise records gather until an answer or a full batch. (`linger.ms`)
   *
   * @defaultValue 0 ms
   */
  readonly lingerMs?: number | undefined
  /**
   * A batch of one partition is closed at this size, in bytes. A larger single record is sent in a batch of its own. (`batch.size`)
   *
   * @defaultValue 65536 bytes
   */
  readonly batchBytes?: number | undefined
  /**
   * A batch of one partition is closed at this number of records.
   *
   * @defaultValue 10000
   */
  readonly batchRecords?: number | undefined
  /**
   * The largest request, in bytes. A record that does not fit into one (less 512 bytes for the request's own fields) is refused at the call
   * with {@link RecordTooLargeError}. (`max.request.size`; the brokers' `socket.request.max.bytes`)
   *
   * @defaultValue 104857600 bytes
   */
  readonly requestBytes?: number | undefined
  /**
   * How much the producer may hold, in bytes, from a record's admission to its outcome. One topic, partition or broker may hold as much of
   * it as is still free; one that cannot make progress (a missing topic, no leader, a silent broker) holds half of it at most. (`buffer.memory`)
   *
   * @defaultValue 67108864 bytes
   */
  readonly bufferBytes?: number | undefined
  /**
   * How much may wait for space in the buffer, in bytes; each record counts 250 bytes more than its own. Beyond it `send` rejects at once
   * with {@link BufferFullError}.
   *
   * @defaultValue 16 x `bufferBytes` bytes
   */
  readonly maxWaitingBytes?: number | undefined
  /**
   * How long `send` waits for space in the buffer, in ms, before {@link BufferFullError}. (`max.block.ms`; KIP-19)
   *
   * @defaultValue 60000 ms
   */
  readonly maxBlockMs?: number | undefined
  /**
   * How long a record may take from the call to its outcome, in ms: buffer, topic, linger and retries included. Then it is rejected with
   * {@link DeliveryTimeoutError}; `maxBlockMs` and `metadataRetry` may end it earlier. (`delivery.timeout.ms`; KIP-91)
   *
   * @defaultValue 120000 ms
   */
  readonly deliveryTimeoutMs?: number | undefined
  /**
   * A produce request that is not answered for this long, in ms, and for a second longer than `ackTimeoutMs`, is given up with its
   * connection, and its batches are retried. (`request.timeout.ms`; KIP-19)
   *
   * @defaultValue 30000 ms
   */
  readonly requestTimeoutMs?: number | undefined
  /**
   * A metadata request that is not answered for this long, in ms, is sent to another broker.
   *
   * @defaultValue 3000 ms
   */
  readonly metadataRequestTimeoutMs?: number | undefined
  /**
   * A connection on which nothing happened for this long, in ms, is closed. Keep it below the brokers' own limit (10 minutes) and below that
   * of firewalls and load balancers on the way, which drop a connection without telling either end. (`connections.max.idle.ms`)
   *
   * @defaultValue 540000 ms
   */
  readonly connectionsMaxIdleMs?: number | undefined
  /**
   * Decides whether to connect to an address that a broker advertises, in metadata or as a coordinator's: credentials are sent there. Seed
   * brokers are not asked about. Where it answers false, or throws, what needs the connection meets {@link BrokerNotAllowedError}.
   *
   * @defaultValue all
   * @example { allowBroker: host => host.endsWith('.kafka.example.com') }
   */
  readonly allowBroker?: ((host: string, port: number) => boolean) | undefined
  /**
   * How many produce requests may be in flight to one broker. (`max.in.flight.requests.per.connection`)
   *
   * @defaultValue 5
   */
  readonly maxInFlightPerBroker?: number | undefined
  /**
   * The retries of a batch.
   *
   * @defaultValue the default of each field
   * @example { retry: { minTimeoutMs: 200, maxTimeoutMs: 5000 } }
   */
  readonly retry?: DeliveryRetryOptions | undefined
  /**
   * The wait for topics that are not available yet, and for the first broker.
   *
   * @defaultValue the default of each field
   * @example { metadataRetry: { maxRetryTimeMs: 10_000 } }
   */
  readonly metadataRetry?: MetadataRetryOptions | undefined
  /**
   * Topics in use are asked for again, by name, at this age, in ms. (`metadata.max.age.ms`)
   *
   * @defaultValue 300000 ms
   */
  readonly metadataMaxAgeMs?: number | undefined
  /**
   * A topic or partition that was not used for this long, in ms, is forgotten, after twice that at the latest. (`metadata.max.idle.ms`; KIP-526)
   *
   * @defaultValue 300000 ms
   */
  readonly metadataMaxIdleMs?: number | undefined
  /**
   * The codec of batches, one of kafkajs's `CompressionTypes`. gzip and zstd (from Node.js 22.15 on) need no package; a codec that is
   * registered with kafkajs is used as registered. Sends that need a missing one meet {@link CompressionUnavailableError}. (`compression.type`)
   *
   * @defaultValue none
   * @example
   * import { CompressionTypes } from 'kafkajs'
   * const producer = createResilientProducer(kafka, { compression: CompressionTypes.GZIP })
   */
  readonly compression?: CompressionTypes | undefined
  /**
   * A partitioner made for kafkajs. By default a record goes to its pinned partition; otherwise a keyed record by murmur2 of its key, as in
   * the Java client; otherwise to one partition until its batch is sent or its broker is late, and then to the next, by turns in bytes.
   * (`partitioner.class`; KIP-480, KIP-794)
   *
   * @defaultValue sticky + murmur2
   * @example { createPartitioner: () => ({ message }) => Number(message.headers?.shard ?? 0) }
   */
  readonly createPartitioner?: ICustomPartitioner | undefined
  /**
   * Makes `transaction()` possible. One producer at a time has the id: `connect` fences the producer that had it before, and aborts the
   * transaction that it left open. (`transactional.id`; KIP-98)
   *
   * @defaultValue none
   */
  readonly transactionalId?: string | undefined
  /**
   * The coordinator aborts a transaction that is open for this long, in ms. At most the brokers' `transaction.max.timeout.ms`.
   * (`transaction.timeout.ms`; KIP-98)
   *
   * @defaultValue 60000 ms
   */
  readonly transactionTimeoutMs?: number | undefined
  /**
   * Who creates topics that do not exist, and how.
   *
   * @defaultValue `{ create: 'broker' }`
   * @example { topics: { create: 'never', rules: [{ match: 'audit.*', create: 'admin', partitions: 12 }] } }
   */
  readonly topics?: TopicPolicyOptions | undefined
  /**
   * Metrics on a prom-client registry.
   *
   * @defaultValue off
   * @example
   * import { register } from 'prom-client'
   * const producer = createResilientProducer(kafka, { metrics: { registry: register } })
   */
  readonly metrics?: MetricsOptions | undefined
  /**
   * Takes the failures of records that were enqueued without a callback, with the partition (-1: none was chosen yet). What it throws is logged.
   *
   * @defaultValue logged
   * @example { onDeliveryError: (error, { topic, partition }) => console.error(`${topic} [${partition}]: ${error.message}`) }
   */
  readonly onDeliveryError?:
    | ((error: Error, place: { readonly topic: string; readonly partition: number }) => void)
    | undefined
}
