import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import type { Logger, RetryOptions } from 'kafkajs'
import type { Address } from './address.js'

/** kafkajs's `socketFactory`. It has to call `onConnect` once the connection, TLS included, is there. Any Duplex will do. */
export type SocketFactory = (options: {
  readonly host: string
  readonly port: number
  readonly ssl: ConnectionOptions
  readonly onConnect: () => void
}) => Duplex

/** kafkajs's `sasl`: of a mechanism of its own with the fields that mechanism needs, or with an `authenticationProvider`. */
export interface SaslSettings {
  readonly mechanism: string
  readonly [field: string]: unknown
}

/** What a Kafka's configuration says of one connection. Read anew for each. */
export interface ConnectionSettings {
  readonly clientId: string | null
  /** Undefined: without TLS. */
  readonly ssl: boolean | ConnectionOptions | null | undefined
  /** Undefined: without authentication. */
  readonly sasl: SaslSettings | null | undefined
  readonly socketFactory: SocketFactory
  /** For TCP and TLS. ms */
  readonly connectionTimeoutMs: number
  /** For SASL, its token provider included. ms */
  readonly authenticationTimeoutMs: number
  /** How long before the end of a SASL session it is renewed. ms */
  readonly reauthenticationThresholdMs: number
  /** For ApiVersions. ms */
  readonly requestTimeoutMs: number
}

/** A Kafka, as far as connections need it. */
export interface Configuration {
  readonly logger: Logger
  readonly retry: RetryOptions | undefined
  /** @throws {IncompatibleKafkajsError} when the configuration cannot be read */
  settings(): Promise<ConnectionSettings>
  /**
   * The seed brokers, one after the other, from another one on each time; calls a user's `brokers` function each time (KIP-899).
   *
   * @throws KafkaJSConnectionError when that function throws; {NonRetriableError} when there is no seed, or one is no address
   */
  seeds(): AsyncIterator<Address>
  /** Whether the producer may connect to an address that a broker advertises. */
  allowBroker?(host: string, port: number): boolean
}
