export type { ConsumerGroupMetadata, ResilientConsumer } from './client/groupMetadata.js'
export type { OnDelivery } from './delivery/calls/enqueuedRecord.js'
export type {
  BatchMessage,
  ConnectionMessage,
  FailureMessage,
  RetryMessage,
  TopicCreatedMessage,
  WaitMessage,
} from './diagnostics/channels.js'
export * from './errors/index.js'
export type {
  BrokerHealth,
  BrokerState,
  ProducerHealth,
  ProducerStatus,
  WaitHealth,
} from './health/health.js'
export { ResilientKafka, type ResilientKafkaOptions } from './kafka.js'
export type { MetricsOptions, MetricsRegistry, TopicLabel } from './metrics/options.js'
export { createResilientProducer } from './producer/producer.js'
export type {
  Abortable,
  DeliveryRetryOptions,
  MetadataRetryOptions,
  ResilientProducer,
  ResilientProducerOptions,
  ResilientTransaction,
  TopicMessage,
  TransactionOffsets,
  WaitOptions,
  WritableOptions,
} from './producer/types.js'
export type { RetryNotice, TopicCreation, TopicMatch, TopicPolicyOptions, TopicRule } from './topics/index.js'
