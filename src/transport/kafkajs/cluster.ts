import type { Kafka, Logger } from 'kafkajs'
import { IncompatibleKafkajsError } from '../../errors/index.js'
import { CREATE_CLUSTER, LOGGER, privateOf, requireShape, symbolOf } from './privateMembers.js'

/** kafkajs/src/cluster/connectionPoolBuilder.js; before 2.1 the connection itself is what is built. */
export interface PoolBuilder {
  build(destination?: { readonly host: string; readonly port: number }): Promise<unknown>
}

/** kafkajs/src/cluster/brokerPool.js */
export interface BrokerPool {
  createBroker(options: object): unknown
}

export interface KafkajsCluster {
  readonly poolBuilder: PoolBuilder
  readonly brokerPool: BrokerPool
}

/** @throws {IncompatibleKafkajsError} */
const poolBuilderOf = (cluster: unknown): PoolBuilder => {
  requireShape(cluster, 'Cluster', {})
  const { connectionPoolBuilder, connectionBuilder } = cluster as Record<string, unknown>
  const poolBuilder = connectionPoolBuilder ?? connectionBuilder
  requireShape(poolBuilder, 'connectionPoolBuilder', { build: 'function' })
  return poolBuilder as PoolBuilder
}

/** @throws {IncompatibleKafkajsError} */
export const brokerPoolOf = (cluster: unknown): BrokerPool => {
  requireShape(cluster, 'Cluster', { brokerPool: 'object' })
  const { brokerPool } = cluster as { readonly brokerPool: unknown }
  requireShape(brokerPool, 'BrokerPool', { createBroker: 'function' })
  return brokerPool as BrokerPool
}

/**
 * A cluster that is never connected, only asked what it would connect with.
 *
 * @throws {IncompatibleKafkajsError}
 */
export const createCluster = (kafka: Kafka): KafkajsCluster => {
  const create = privateOf(kafka, CREATE_CLUSTER)
  if (typeof create !== 'function') throw new IncompatibleKafkajsError('it has no createCluster')
  const cluster: unknown = create({
    metadataMaxAge: 0,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
  })
  return { poolBuilder: poolBuilderOf(cluster), brokerPool: brokerPoolOf(cluster) }
}

/** What kafkajs makes, and the cluster that it makes for it. */
export const seeCluster = <Client>(kafka: Kafka, make: () => Client): [Client, unknown] => {
  const symbol = symbolOf(kafka, CREATE_CLUSTER)
  const inside = kafka as unknown as Record<symbol, unknown>
  const create = inside[symbol]
  if (typeof create !== 'function') throw new IncompatibleKafkajsError('it has no createCluster')
  let cluster: unknown
  inside[symbol] = (options: object) => {
    cluster = create(options)
    return cluster
  }
  try {
    return [make(), cluster]
  } finally {
    inside[symbol] = create
  }
}

/** Where kafkajs would log. @throws {IncompatibleKafkajsError} */
export const loggerOf = (kafka: Kafka): Logger => {
  const logger: unknown =
    typeof (kafka as Partial<Kafka> | null | undefined)?.logger === 'function'
      ? kafka.logger()
      : privateOf(kafka, LOGGER)
  requireShape(logger, 'logger', { debug: 'function', warn: 'function', namespace: 'function' })
  return logger as Logger
}
