/** The label sets are closed: an error or reason is a type of Kafka's or the name of a class, never message text. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  /** Whether the label `topic` is added when the user asks for it. */
  readonly perTopic: boolean
  readonly buckets?: readonly number[]
  /** How a gauge joins the producers on one registry, and the workers of a cluster (prom-client's AggregatorRegistry). */
  readonly combine?: 'sum' | 'max'
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const
/** From one small record to `requestBytes`' default of 100 MiB, by four. */
const BYTES = [
  256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 104_857_600,
] as const
const RECORDS = [1, 2, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536] as const
/** 1 takes the uncompressed batches, what lies below it those that compression made larger. */
const RATIOS = [0.9, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 8, 12, 16, 32, 64] as const

type Shape = Omit<MetricDefinition, 'name' | 'type'>
const counter = (name: string, help: string, labels: readonly string[] = [], perTopic = true) =>
  ({ type: 'counter', name, help, labels, perTopic }) as const satisfies MetricDefinition
const gauge = (name: string, help: string, labels: readonly string[] = [], combine: 'sum' | 'max' = 'sum') =>
  ({ type: 'gauge', name, help, labels, perTopic: false, combine }) as const satisfies MetricDefinition
const histogram = (name: string, help: string, shape: Pick<Shape, 'buckets'> & Partial<Shape>) =>
  ({
    type: 'histogram',
    name,
    help,
    labels: [],
    perTopic: true,
    ...shape,
  }) as const satisfies MetricDefinition

/** Every metric, by the name it has in the code. */
export const DEFINITIONS = {
  recordsSent: counter(
    'records_sent_total',
    'Records acknowledged by the broker; those of a transaction once it is committed.',
  ),
  recordsFailed: counter('records_failed_total', 'Records that ended with an error, by error type.', [
    'error',
  ]),
  recordsAborted: counter(
    'records_aborted_total',
    'Records acknowledged within a transaction that was not committed.',
  ),
  recordRetries: counter(
    'record_retries_total',
    'Records sent in a further request, by the error that caused it.',
    ['reason'],
  ),
  recordsWaiting: gauge('records_waiting', 'Records that something holds up, by what they wait for.', [
    'for',
  ]),
  oldestRecordSeconds: gauge(
    'oldest_record_seconds',
    'Age of the oldest record that is neither acknowledged nor failed.',
    [],
    'max',
  ),
  metadataRefreshes: counter(
    'metadata_refreshes_total',
    'Metadata requests, by what asked for them and how they ended.',
    ['trigger', 'outcome'],
    false,
  ),
  metadataRetries: counter(
    'metadata_retries_total',
    'Times a topic was asked for again, by the error that was answered for it.',
    ['error'],
  ),
  metadataRefreshSeconds: histogram('metadata_refresh_seconds', 'Duration of a metadata request.', {
    buckets: SECONDS,
    perTopic: false,
  }),
  topicWaitSeconds: histogram(
    'topic_wait_seconds',
    'Time that records waited for a topic to become available, by how the wait ended.',
    { buckets: SECONDS, labels: ['outcome'] },
  ),
  metadataAgeSeconds: gauge(
    'metadata_age_seconds',
    'Time since the last answer to a metadata request.',
    [],
    'max',
  ),
  partitionsWithoutLeader: gauge(
    'partitions_without_leader',
    'Partitions without a leader, of the topics in use.',
  ),
  topicsWaiting: gauge('topics_waiting', 'Topics that records are waiting for.'),
  topicsCreated: counter(
    'topics_created_total',
    'Topics that appeared after records asked for them, by who created them.',
    ['by'],
  ),
  bufferedRecords: gauge('buffered_records', 'Records admitted and not yet ended.'),
  bufferedBytes: gauge('buffered_bytes', 'Bytes of the records admitted and not yet ended.'),
  bufferLimitBytes: gauge('buffer_limit_bytes', 'The option bufferBytes.'),
  bufferWaitSeconds: histogram(
    'buffer_wait_seconds',
    'Time that a send waited for buffer space, however the wait ended.',
    {
      buckets: SECONDS,
      perTopic: false,
    },
  ),
  batchesSplit: counter(
    'batches_split_total',
    'Batches that a broker refused as too large, and that were divided.',
  ),
  batchRecords: histogram('batch_records', 'Records in a batch.', { buckets: RECORDS }),
  batchBytes: histogram('batch_bytes', 'Bytes of a batch on the wire.', { buckets: BYTES }),
  compressionRatio: histogram(
    'compression_ratio',
    'Uncompressed bytes of a batch for each byte on the wire.',
    { buckets: RATIOS },
  ),
  queueSeconds: histogram('queue_seconds', 'Time from the first record of a batch to its first request.', {
    buckets: SECONDS,
  }),
  requestSeconds: histogram(
    'request_seconds',
    'Duration of a produce request that was answered, by broker.',
    {
      buckets: SECONDS,
      labels: ['broker'],
      perTopic: false,
    },
  ),
  requestsLost: counter(
    'requests_lost_total',
    'Produce requests that ended without an answer, by broker.',
    ['broker'],
    false,
  ),
  throttleSeconds: counter(
    'throttle_seconds_total',
    'Time for which a broker asked to hold produce requests back (quota), by broker.',
    ['broker'],
    false,
  ),
  connects: counter(
    'connects_total',
    'Attempts to connect to a broker for produce requests, by broker and outcome.',
    ['broker', 'outcome'],
    false,
  ),
  connections: gauge('connections', 'Open connections for produce requests, by broker.', ['broker']),
  requestsInFlight: gauge('requests_in_flight', 'Produce requests that are not answered yet.'),
  deliverySeconds: histogram(
    'delivery_seconds',
    'Time from the call with the first record of a batch to the acknowledgement of the batch.',
    { buckets: SECONDS },
  ),
  producerIds: counter('producer_ids_total', 'Producer ids obtained.', [], false),
  epochBumps: counter(
    'epoch_bumps_total',
    'Times a partition or the transactions began a new producer epoch.',
    [],
    false,
  ),
  transactionsBegun: counter('transactions_begun_total', 'Transactions begun.', [], false),
  transactionsEnded: counter(
    'transactions_ended_total',
    'Transactions ended, by outcome.',
    ['outcome'],
    false,
  ),
  transactionSeconds: histogram('transaction_seconds', 'Time from transaction() to its end, by outcome.', {
    buckets: SECONDS,
    labels: ['outcome'],
    perTopic: false,
  }),
  buildInfo: gauge('build_info', 'Always 1; which version of this package runs.', ['version', 'node'], 'max'),
} as const satisfies Record<string, MetricDefinition>

export type MetricKey = keyof typeof DEFINITIONS

/** The metrics that can carry the label `topic`, by their names without prefix. */
export const TOPIC_METRICS: readonly string[] = Object.values(DEFINITIONS)
  .filter(({ perTopic }) => perTopic)
  .map(({ name }) => name)

/** Those that carry it unless `topicMetrics` says otherwise: what tells of a topic's records, and costs few series. */
export const DEFAULT_TOPIC_METRICS: readonly string[] = [
  DEFINITIONS.recordsSent,
  DEFINITIONS.recordsFailed,
  DEFINITIONS.recordsAborted,
  DEFINITIONS.recordRetries,
  DEFINITIONS.batchesSplit,
  DEFINITIONS.deliverySeconds,
].map(({ name }) => name)
