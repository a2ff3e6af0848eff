import type { Kafka, RetryOptions } from 'kafkajs'
import type { Transport } from '../port.js'
import { openInside } from './inside.js'
import { shieldedEmit } from './quiet.js'
import { KafkajsTransport } from './transport.js'

export { noteCommittedOffsets } from './committedOffsets.js'

export interface KafkajsTransportOptions {
  /** Takes kafkajs's network events: `network.request`, `network.request_timeout`, `network.request_queue_size`. */
  readonly emit: (eventName: string, payload: object) => void
}

/**
 * The transport over the connections of a kafkajs `Kafka`: its addresses, TLS, SASL, socket factory and logger. Does not connect yet.
 *
 * @throws {IncompatibleKafkajsError} when this is not a Kafka of kafkajs 2.2, or its inside is not as expected
 */
export const createKafkajsTransport = (kafka: Kafka, { emit }: KafkajsTransportOptions): Transport =>
  new KafkajsTransport(openInside(kafka, shieldedEmit(emit)))

/**
 * The `retry` of the KafkaConfig that a Kafka was made with.
 *
 * @throws {IncompatibleKafkajsError} as {@link createKafkajsTransport} would, of which nothing is left here
 */
export const retryOf = (kafka: Kafka): RetryOptions | undefined => openInside(kafka, () => {}).retry
