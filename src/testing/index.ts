export { ERROR } from '../protocol/errorCodes.js'
export type { RequestOf, ResponseOf } from './apis/registry.js'
export {
  type CheckOptions,
  checkDelivery,
  type DeliveryFault,
  type DeliveryReport,
  type SentOutcome,
  type SentRecord,
} from './checks/check.js'
export { assertDelivered, type DeliveredOptions, delivered, type ExpectedRecord } from './checks/delivered.js'
export { EmbeddedKafkaError } from './checks/embeddedKafkaError.js'
export { type KafkaMatchers, kafkaMatchers } from './checks/matchers.js'
export type { Isolation, StoredRecord } from './checks/records.js'
export { EmbeddedKafka } from './cluster.js'
export type { Fault, FaultedRequest, FaultFor, FaultOptions } from './faults/script.js'
export {
  changed,
  delayed,
  dropAfterApply,
  dropBeforeApply,
  errorAfterApply,
  errorCode,
  garbage,
  hang,
  hangAfterApply,
  hold,
  holdAnswer,
  partialAnswer,
  splitAnswer,
  throttle,
  wrongCorrelation,
} from './faults/verbs.js'
export { Gate, type GateOutcome } from './gate.js'
export type { ApiName } from './model/apiNames.js'
export type {
  AutoCreateOptions,
  EmbeddedKafkaOptions,
  ListenerOptions,
  SaslMechanism,
  TopicSpec,
} from './model/options.js'
export { type ProfileName, profiles } from './model/profiles.js'
export { type KafkaVersion, kafkaVersions } from './model/versions.js'
export type { Answer, Journal, JournalEntry } from './net/journal.js'
export type { TopicOperation } from './state/acl.js'
