/** The label sets are closed: an error or reason is a type of Kafka's or the name of a class, never message text. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  /** Whether the label `topic` is added when the user asks for it. */
  readonly perTopic: boolean
  readonly buckets?: readonly number[]
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
const gauge = (name: string, help: string) =>
  ({ type: 'gauge', name, help, labels: [], perTopic: false }) as const satisfies MetricDefinition
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
  recordsSent: counter('records_sent_total', 'Records acknowledged by the broker.'),
  recordsFailed: counter('records_failed_total', 'Records that ended with an error, by error type.', [
    'error',
  ]),
  recordRetries: counter('record_retries_total', 'Records sent again, by the error that caused it.', [
    'reason',
  ]),
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
  topicsWaiting: gauge('topics_waiting', 'Topics that records are waiting for.'),
  topicsCreated: counter(
    'topics_created_total',
    'Topics that appeared after records asked for them, by who created them.',
    ['by'],
  ),
  bufferedRecords: gauge('buffered_records', 'Records admitted and not yet ended.'),
  bufferedBytes: gauge('buffered_bytes', 'Bytes of the records admitted and not yet ended.'),
  bufferWaitSeconds: histogram('buffer_wait_seconds', 'Time that a send waited for buffer space.', {
    buckets: SECONDS,
    perTopic: false,
  }),
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
  requestSeconds: histogram('request_seconds', 'Duration of a produce request.', {
    buckets: SECONDS,
    perTopic: false,
  }),
  requestsInFlight: gauge('requests_in_flight', 'Produce requests that are not answered yet.'),
  deliverySeconds: histogram(
    'delivery_seconds',
    'Time from the call with the first record of a batch to the acknowledgement of the batch.',
    { buckets: SECONDS },
  ),
} as const satisfies Record<string, MetricDefinition>

export type MetricKey = keyof typeof DEFINITIONS
