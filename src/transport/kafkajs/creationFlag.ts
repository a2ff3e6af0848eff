import type { Kafka } from 'kafkajs'
import { IncompatibleKafkajsError } from '../../errors/index.js'
import { CREATE_CLUSTER, requireShape, symbolOf } from './inside.js'

/** broker/index.js */
interface KafkajsMetadataBroker {
  /** Read as a request is made, before anything is waited for. */
  allowAutoTopicCreation: boolean
  metadata(topics?: readonly string[]): Promise<unknown>
}

/** cluster/brokerPool.js */
interface KafkajsBrokerPool {
  createBroker(options: object): KafkajsMetadataBroker
}

/**
 * Makes a client by kafkajs whose metadata requests carry the creation flag only where that may be. kafkajs itself takes the flag when
 * a client is made, for every topic to come.
 *
 * @param mayCreate is asked at each request, with the topics that it names; none: it asks for all
 * @throws {IncompatibleKafkajsError} when kafkajs's inside is not as expected
 */
export const withCreationFlag = <Client>(
  kafka: Kafka,
  make: () => Client,
  mayCreate: (topics: readonly string[]) => boolean,
): Client => {
  const [client, cluster] = seeCluster(kafka, make)
  requireShape(cluster, 'Cluster', { brokerPool: 'object' })
  const { brokerPool } = cluster as { brokerPool: KafkajsBrokerPool }
  requireShape(brokerPool, 'BrokerPool', { createBroker: 'function' })
  const { createBroker } = brokerPool
  brokerPool.createBroker = options => {
    const broker = createBroker(options)
    requireShape(broker, 'Broker', { metadata: 'function', allowAutoTopicCreation: 'boolean' })
    const { metadata } = broker
    broker.metadata = (topics = []) => {
      broker.allowAutoTopicCreation = mayCreate(topics)
      return metadata.call(broker, topics)
    }
    return broker
  }
  return client
}

/** What kafkajs makes, and the cluster that it makes for it. */
const seeCluster = <Client>(kafka: Kafka, make: () => Client): [Client, unknown] => {
  const symbol = symbolOf(kafka, CREATE_CLUSTER)
  const inside = kafka as unknown as Record<symbol, unknown>
  const createCluster = inside[symbol]
  if (typeof createCluster !== 'function') throw new IncompatibleKafkajsError('it has no createCluster')
  let cluster: unknown
  inside[symbol] = (options: object) => {
    cluster = createCluster(options)
    return cluster
  }
  try {
    return [make(), cluster]
  } finally {
    inside[symbol] = createCluster
  }
}
