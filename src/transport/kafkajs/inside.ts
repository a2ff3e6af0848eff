import type { Socket } from 'node:net'
import type { ISocketFactory, Kafka, Logger, RetryOptions } from 'kafkajs'
import { IncompatibleKafkajsError } from '../../errors/index.js'
import type { Address } from './address.js'

/*
 * The inside of kafkajs 2.2.4 as far as this folder touches it (files under kafkajs/src), and the check that it is there.
 */

/** network/requestQueue/socketRequest.js */
export interface KafkajsSocketRequest {
  readonly entry: KafkajsRequestEntry
  readonly correlationId: number
  readonly createdAt: number
  readonly sentAt: number | null
  readonly pendingDuration: number | null
  timeoutRequest(): void
  rejected(error: Error): void
}

export interface KafkajsRequestEntry {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  resolve(answer: { readonly payload: Buffer | null }): void
  reject(error: Error): void
}

/** network/requestQueue/index.js */
export interface KafkajsRequestQueue {
  enforceRequestTimeout: boolean
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  pending: KafkajsSocketRequest[]
  readonly inflight: Map<number, KafkajsSocketRequest>
  push(request: {
    readonly entry: KafkajsRequestEntry
    readonly expectResponse: boolean
    readonly requestTimeout: number | null
    sendRequest(): void
  }): void
  fulfillRequest(response: { correlationId: number; payload: Buffer; size: number }): void
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  maybeThrottle(ms: number): void
  rejectAll(error: Error): void
  destroy(): void
}

/** network/connection.js */
export interface KafkajsConnection {
  readonly clientId: string | null
  readonly sasl: { readonly mechanism?: string } | null
  readonly requestQueue: KafkajsRequestQueue
  logger: Logger
  socketFactory: (options: Parameters<ISocketFactory>[0]) => Socket
  /** Set while a SASL exchange of the old, unframed kind waits for its answer. */
  authHandlers: object | null
  authExpectResponse: boolean
  /** How long before the end of a SASL session it is renewed. ms */
  reauthenticationThreshold: number
  /** Of SASL, as a Long; 0: without end. ms */
  readonly sessionLifetime: { toString(): string }
  processData(data: Buffer): void
  nextCorrelationId(): number
  isAuthenticated(): boolean
  authenticate(): Promise<void>
}

/** network/connectionPool.js */
export interface KafkajsConnectionPool {
  readonly host: string
  readonly port: number
  readonly connectionTimeout: number
  readonly sasl: object | null
  readonly pool: readonly [KafkajsConnection, KafkajsConnection]
}

export type KafkajsVersions = Readonly<
  Record<number, { readonly minVersion: number; readonly maxVersion: number } | undefined>
>

/** broker/index.js */
export interface KafkajsBroker {
  readonly versions: KafkajsVersions | null
  readonly authenticationTimeout: number
  connect(): Promise<void>
}

/** cluster/index.js, cluster/brokerPool.js, cluster/connectionPoolBuilder.js */
interface KafkajsCluster {
  readonly connectionPoolBuilder: {
    build(destination?: Partial<Address>): Promise<KafkajsConnectionPool>
  }
  readonly brokerPool: {
    createBroker(options: {
      connectionPool: KafkajsConnectionPool
      logger: Logger
      versions: null
    }): KafkajsBroker
  }
}

export interface KafkajsInside {
  readonly retry: RetryOptions | undefined
  readonly logger: Logger
  /** The next address of the seed list; calls the user's `brokers` function each time (KIP-899). */
  nextSeed(): Promise<Address>
  /** A pool that never was connected. */
  buildPool(address: Address): Promise<KafkajsConnectionPool>
  createBroker(pool: KafkajsConnectionPool): KafkajsBroker
}

export const CREATE_CLUSTER = 'private:Kafka:createCluster'

export type Emit = (eventName: string, payload: object) => void

/**
 * Takes a Kafka apart, without connecting.
 *
 * @throws {IncompatibleKafkajsError} naming what is missing. The connection's own inside exists only once a pool is
 *   built: its check happens there, and rejects `nextSeed` or `buildPool`.
 */
export const openInside = (kafka: Kafka, emit: Emit): KafkajsInside => {
  const createCluster = privateOf(kafka, CREATE_CLUSTER)
  const logger = privateOf(kafka, 'private:Kafka:logger')
  const retry = privateOf(kafka, 'private:Kafka:clusterRetry')
  if (typeof createCluster !== 'function') throw new IncompatibleKafkajsError('it has no createCluster')
  requireShape(logger, 'logger', { debug: 'function', warn: 'function', namespace: 'function' })

  const cluster: unknown = createCluster({
    metadataMaxAge: 0,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    instrumentationEmitter: { emit },
  })
  requireCluster(cluster)
  const { connectionPoolBuilder, brokerPool } = cluster

  const build = async (destination?: Address): Promise<KafkajsConnectionPool> => {
    const pool = await connectionPoolBuilder.build(destination)
    requirePool(pool)
    return pool
  }
  return {
    retry: retry as RetryOptions | undefined,
    logger: logger as Logger,
    async nextSeed() {
      const { host, port } = await build()
      return { host, port }
    },
    buildPool: build,
    createBroker(connectionPool) {
      // `versions: null`: kafkajs hands the seed broker's versions to all others; they may differ while a cluster is upgraded.
      const broker: unknown = brokerPool.createBroker({
        connectionPool,
        logger: logger as Logger,
        versions: null,
      })
      requireShape(broker, 'Broker', { connect: 'function', authenticationTimeout: 'number' })
      return broker as KafkajsBroker
    },
  }
}

/** By description, not identity: the Kafka may come from another copy of kafkajs than the one imported here. */
export const symbolOf = (kafka: unknown, description: string): symbol => {
  if (typeof kafka !== 'object' || kafka === null)
    throw new IncompatibleKafkajsError(`it is ${kafka === null ? 'null' : typeof kafka}`)
  const symbol = Object.getOwnPropertySymbols(kafka).find(each => each.description === description)
  if (symbol === undefined) throw new IncompatibleKafkajsError(`it has no symbol "${description}"`)
  return symbol
}

export const privateOf = (kafka: unknown, description: string): unknown =>
  (kafka as Record<symbol, unknown>)[symbolOf(kafka, description)]

type Kind = 'function' | 'object' | 'number' | 'boolean'

export const requireShape = (value: unknown, name: string, members: Record<string, Kind>): void => {
  if (typeof value !== 'object' || value === null)
    throw new IncompatibleKafkajsError(`its ${name} is ${value === null ? 'null' : typeof value}`)
  for (const [member, kind] of Object.entries(members)) {
    const found = typeof (value as Record<string, unknown>)[member]
    if (found !== kind)
      throw new IncompatibleKafkajsError(`the ${member} of its ${name} is ${found}, not ${kind}`)
  }
}

function requireCluster(cluster: unknown): asserts cluster is KafkajsCluster {
  requireShape(cluster, 'Cluster', { connectionPoolBuilder: 'object', brokerPool: 'object' })
  const { connectionPoolBuilder, brokerPool } = cluster as Record<string, unknown>
  requireShape(connectionPoolBuilder, 'connectionPoolBuilder', { build: 'function' })
  requireShape(brokerPool, 'BrokerPool', { createBroker: 'function' })
}

function requirePool(built: unknown): asserts built is KafkajsConnectionPool {
  requireShape(built, 'ConnectionPool', { pool: 'object', connectionTimeout: 'number' })
  const [connection] = (built as { pool: ArrayLike<unknown> & Iterable<unknown> }).pool
  requireShape(connection, 'Connection', {
    requestQueue: 'object',
    logger: 'object',
    socketFactory: 'function',
    reauthenticationThreshold: 'number',
    sessionLifetime: 'object',
    processData: 'function',
    nextCorrelationId: 'function',
    isAuthenticated: 'function',
    authenticate: 'function',
  })
  const { requestQueue } = connection as { requestQueue: unknown }
  requireShape(requestQueue, 'RequestQueue', {
    enforceRequestTimeout: 'boolean',
    throttledUntil: 'number',
    pending: 'object',
    inflight: 'object',
    push: 'function',
    fulfillRequest: 'function',
    checkPendingRequests: 'function',
    scheduleCheckPendingRequests: 'function',
    maybeThrottle: 'function',
    rejectAll: 'function',
    destroy: 'function',
  })
}
