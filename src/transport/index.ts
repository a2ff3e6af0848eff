import type { Kafka } from 'kafkajs'
import type { NetworkListener } from './connection/networkEvents.js'
import { configurationOf } from './kafkajs/index.js'
import { BrokerTransport } from './pool/transport.js'
import type { Transport } from './port.js'

export type { NetworkListener } from './connection/networkEvents.js'

/** As Java: below the 10 minutes after which brokers close idle connections (connections.max.idle.ms). ms */
const CONNECTIONS_MAX_IDLE_MS = 540_000

export interface TransportOptions {
  /** Takes kafkajs's network events: `network.request`, `network.request_timeout`, `network.request_queue_size`. Default: nobody. */
  readonly listener?: NetworkListener
  /** A connection on which nothing happens for this long is closed. Default {@link CONNECTIONS_MAX_IDLE_MS}. ms */
  readonly connectionsMaxIdleMs?: number
  /** Whether to connect to an address that a broker advertises. Default: to each. */
  readonly allowBroker?: ((host: string, port: number) => boolean) | undefined
}

const NOBODY: NetworkListener = { wants: () => false, emit: () => {} }

/**
 * Connections of our own, with what a kafkajs `Kafka` was configured with: addresses, TLS, SASL, socket factory, time-outs and logger.
 * Does not connect yet.
 *
 * @throws {IncompatibleKafkajsError} when the configuration cannot be read
 */
export const createTransport = (
  kafka: Kafka,
  { listener = NOBODY, connectionsMaxIdleMs = CONNECTIONS_MAX_IDLE_MS, allowBroker }: TransportOptions = {},
): Transport => {
  const configuration = configurationOf(kafka)
  return new BrokerTransport({
    configuration: allowBroker === undefined ? configuration : { ...configuration, allowBroker },
    listener,
    connectionsMaxIdleMs,
  })
}
