import type { Kafka } from 'kafkajs'
import { IncompatibleKafkajsError } from '../../errors/index.js'
import { CREATE_CLUSTER, requireShape, symbolOf } from './inside.js'

/** broker/index.js */
interface KafkajsMetadataBroker {
  /** Read as a request is made, before anything is waited for. */
  allowAutoTopicCreation: boolean
  metadata(topics?: readonly string[]): Promise<unknown>
  joinGroup(request: { readonly groupId: string }): Promise<KafkajsGroupMembership>
}

/** JoinGroup's answer, as far as it says who the consumer is now (protocol/requests/joinGroup). */
export interface KafkajsGroupMembership {
  readonly generationId: number
  readonly memberId: string
}

/** What is seen of a consumer's requests. */
export interface ConsumerRequests {
  /** Whether a metadata request that names these topics may create them; none: it asks for all. */
  mayCreate(topics: readonly string[]): boolean
  /** The consumer has joined its group, or joined it again. */
  joined(membership: KafkajsGroupMembership): void
}

/** cluster/brokerPool.js */
interface KafkajsBrokerPool {
  createBroker(options: object): KafkajsMetadataBroker
}

/**
 * Makes a consumer by kafkajs whose metadata requests carry the creation flag only where that may be, and which tells who it is in its
 * group. kafkajs itself takes the flag when a client is made, for every topic to come, and tells nobody the group's generation.
 *
 * @throws {IncompatibleKafkajsError} when kafkajs's inside is not as expected
 */
export const seeingRequests = <Client>(
  kafka: Kafka,
  make: () => Client,
  requests: ConsumerRequests,
): Client => {
  const [client, cluster] = seeCluster(kafka, make)
  requireShape(cluster, 'Cluster', { brokerPool: 'object' })
  const { brokerPool } = cluster as { brokerPool: KafkajsBrokerPool }
  requireShape(brokerPool, 'BrokerPool', { createBroker: 'function' })
  const { createBroker } = brokerPool
  brokerPool.createBroker = options => {
    const broker = createBroker(options)
    requireShape(broker, 'Broker', {
      metadata: 'function',
      allowAutoTopicCreation: 'boolean',
      joinGroup: 'function',
    })
    const { metadata, joinGroup } = broker
    broker.metadata = (topics = []) => {
      broker.allowAutoTopicCreation = requests.mayCreate(topics)
      return metadata.call(broker, topics)
    }
    broker.joinGroup = async request => {
      const membership = await joinGroup.call(broker, request)
      requests.joined(membership)
      return membership
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
