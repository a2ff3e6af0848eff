import { brokerPoolOf } from './cluster.js'
import { requireShape } from './privateMembers.js'

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
  /** A metadata request is about to be sent that names these topics; none: it asks for all. */
  requested(topics: readonly string[]): void
  /** Whether a metadata request that names these topics may create them; none: it asks for all. */
  mayCreate(topics: readonly string[]): boolean
  /** The consumer has joined its group, or joined it again. */
  joined(membership: KafkajsGroupMembership): void
}

/**
 * Makes the metadata requests of a consumer by kafkajs carry the creation flag only where that may be, and tells who it is in its group.
 * kafkajs itself takes the flag when a client is made, for every topic to come, and tells nobody the group's generation.
 *
 * @param cluster the client's
 * @throws {IncompatibleKafkajsError} when kafkajs's inside is not as expected
 */
export const watchRequests = (cluster: unknown, requests: ConsumerRequests): void => {
  const brokerPool = brokerPoolOf(cluster)
  const createBroker = brokerPool.createBroker.bind(brokerPool)
  brokerPool.createBroker = options => {
    const made = createBroker(options)
    requireShape(made, 'Broker', {
      metadata: 'function',
      allowAutoTopicCreation: 'boolean',
      joinGroup: 'function',
    })
    const broker = made as KafkajsMetadataBroker
    const { metadata, joinGroup } = broker
    broker.metadata = (topics = []) => {
      requests.requested(topics)
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
}
