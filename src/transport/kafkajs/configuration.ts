import kafkajs, { type Kafka, type KafkaConfig, type RetryOptions } from 'kafkajs'
import { messageOf, NonRetriableError } from '../../errors/bases.js'
import { guardedLogger } from '../../logging/guardedLogger.js'
import { printable } from '../../util/printable.js'
import { isPromiseLike } from '../../util/realms.js'
import type { Configuration, ConnectionSettings, SaslSettings, SocketFactory } from '../configuration.js'
import { withCause } from '../connection/connectionErrors.js'
import { defaultSocketFactory } from '../opening/openSocket.js'
import { createCluster, loggerOf } from './cluster.js'
import { CLUSTER_RETRY, CREATE_CLUSTER, privateOf, requireShape } from './privateMembers.js'
import { builtSeeds, configuredSeeds } from './seeds.js'

/** kafkajs's defaults (kafkajs/src/index.js, broker/index.js, network/connection.js, cluster/index.js). ms */
const CONNECTION_TIMEOUT_MS = 1_000
const AUTHENTICATION_TIMEOUT_MS = 10_000
const REAUTHENTICATION_THRESHOLD_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const CLIENT_ID = 'kafkajs'

/** A property, so that it is there behind a Proxy too. */
const CONFIG = Symbol('kafkajs-resilient-producer: KafkaConfig')

/** Keeps what a Kafka was made with, as it is: fields that are changed later are taken with the next connection. */
export const rememberConfig = (kafka: Kafka, config: KafkaConfig): void => {
  // A function: nobody who prints the Kafka, with all that is hidden in it, shall find credentials.
  Object.defineProperty(kafka, CONFIG, { value: () => config })
}

/**
 * What a Kafka was configured with. Does not connect.
 *
 * @throws {IncompatibleKafkajsError} when that cannot be read
 */
export const configurationOf = (kafka: Kafka): Configuration => {
  const config = (kafka as { readonly [CONFIG]?: () => KafkaConfig } | null | undefined)?.[CONFIG]?.()
  return config === undefined ? ofBuiltKafka(kafka) : ofConfig(kafka, config)
}

/** @throws {IncompatibleKafkajsError} */
export const retryOf = (kafka: Kafka): RetryOptions | undefined => configurationOf(kafka).retry

const ofConfig = (kafka: Kafka, config: KafkaConfig): Configuration => {
  let turn = 0
  return {
    logger: guardedLogger(loggerOf(kafka)),
    retry: config.retry,
    settings: async () => ({
      clientId: config.clientId ?? CLIENT_ID,
      ssl: readField(config, 'ssl'),
      sasl: readField(config, 'sasl') as SaslSettings | undefined,
      socketFactory: (config.socketFactory as SocketFactory | undefined) ?? defaultSocketFactory,
      connectionTimeoutMs: config.connectionTimeout ?? CONNECTION_TIMEOUT_MS,
      authenticationTimeoutMs: config.authenticationTimeout ?? AUTHENTICATION_TIMEOUT_MS,
      reauthenticationThresholdMs: config.reauthenticationThreshold ?? REAUTHENTICATION_THRESHOLD_MS,
      requestTimeoutMs: requestTimeout(config),
    }),
    seeds: () => configuredSeeds(config.brokers, turn++),
  }
}

/**
 * A field that may be a getter, which reads a renewed certificate or password.
 *
 * @throws KafkaJSConnectionError, which is retriable, when the getter throws; {NonRetriableError} when it gives a promise
 */
const readField = <Name extends 'ssl' | 'sasl'>(config: KafkaConfig, name: Name): KafkaConfig[Name] => {
  let value: KafkaConfig[Name]
  try {
    value = config[name]
  } catch (error) {
    const message = `Failed to connect: reading \`${name}\` of the KafkaConfig threw: ${messageOf(error)}`
    throw withCause(new kafkajs.KafkaJSConnectionError(printable(message)), error)
  }
  if (isPromiseLike(value))
    throw new NonRetriableError(
      `Failed to connect: \`${name}\` of the KafkaConfig is a promise. Await it before, or give an object whose fields are read at each connect.`,
    )
  return value
}

const requestTimeout = ({ requestTimeout: ms, enforceRequestTimeout }: KafkaConfig): number =>
  enforceRequestTimeout === false ? REQUEST_TIMEOUT_MS : (ms ?? REQUEST_TIMEOUT_MS)

const ofBuiltKafka = (kafka: Kafka): Configuration => {
  privateOf(kafka, CREATE_CLUSTER)
  const kafkaLogger = loggerOf(kafka)
  const cluster = createCluster(kafka)
  let turn = 0
  // The objects in it are the user's own: what is changed in them is seen.
  let settings: Promise<ConnectionSettings> | undefined
  const read = async (): Promise<ConnectionSettings> => {
    const pool = await cluster.poolBuilder.build({ host: 'unused', port: 1 })
    return settingsOf(
      pool,
      cluster.brokerPool.createBroker({ connectionPool: pool, logger: kafkaLogger, versions: null }),
    )
  }
  return {
    logger: guardedLogger(kafkaLogger),
    retry: privateOf(kafka, CLUSTER_RETRY) as RetryOptions | undefined,
    settings: () => (settings ??= read()),
    seeds: () => builtSeeds(cluster.poolBuilder, turn++),
  }
}

interface BuiltConnection {
  readonly clientId?: string | null
  readonly ssl?: ConnectionSettings['ssl']
  readonly sasl?: SaslSettings | null
  readonly socketFactory: SocketFactory
  readonly connectionTimeout: number
  readonly reauthenticationThreshold?: number
  readonly requestTimeout?: number
}

/** @param built a ConnectionPool; before kafkajs 2.1 a Connection */
const settingsOf = (built: unknown, broker: unknown): ConnectionSettings => {
  const [first = built] = (built as { readonly pool?: readonly unknown[] } | null)?.pool ?? []
  requireShape(first, 'Connection', { socketFactory: 'function', connectionTimeout: 'number' })
  const connection = first as BuiltConnection
  const { authenticationTimeout } = (broker ?? {}) as { readonly authenticationTimeout?: unknown }
  return {
    clientId: connection.clientId ?? null,
    ssl: connection.ssl,
    sasl: connection.sasl,
    socketFactory: connection.socketFactory,
    connectionTimeoutMs: connection.connectionTimeout,
    authenticationTimeoutMs:
      typeof authenticationTimeout === 'number' ? authenticationTimeout : AUTHENTICATION_TIMEOUT_MS,
    reauthenticationThresholdMs: connection.reauthenticationThreshold ?? REAUTHENTICATION_THRESHOLD_MS,
    requestTimeoutMs: connection.requestTimeout ?? REQUEST_TIMEOUT_MS,
  }
}
