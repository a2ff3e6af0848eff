import { createTopicsApi } from '../../../src/protocol/messages/createTopics.js'
import { deleteTopicsApi } from '../../../src/protocol/messages/deleteTopics.js'
import { describeQuorumApi } from '../../../src/protocol/messages/describeQuorum.js'
import { metadataApi } from '../../../src/protocol/messages/metadata.js'
import { alterClientQuotasApi, alterPartitionReassignmentsApi, electLeadersApi } from './apis.js'
import { ask, askAny } from './ask.js'

export interface Partition {
  readonly topic: string
  readonly partition: number
  /** -1: none */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** One broker's view of a topic. */
export interface TopicAtBroker {
  readonly name: string
  /** Undefined: it does not know the topic. */
  readonly topicId: string | undefined
  readonly partitions: readonly Partition[]
}

const OK = 0
const TOPIC_ALREADY_EXISTS = 36
const ELECTION_NOT_NEEDED = 84
const REQUEST_MS = 10_000

/** Nothing is created by asking. */
export const viewOf = async (address: string, topics: readonly string[]): Promise<TopicAtBroker[]> => {
  const answer = await ask(address, metadataApi, 10, {
    topics: topics.map(name => ({ name })),
    allowAutoTopicCreation: false,
  })
  return answer.topics.map(({ name, errorCode, topicId, partitions }) => ({
    name: name ?? '',
    topicId: errorCode === OK ? topicId : undefined,
    partitions: partitions.map(each => ({
      topic: name ?? '',
      partition: each.partitionIndex,
      leader: each.leaderId,
      leaderEpoch: each.leaderEpoch,
      replicas: each.replicaNodes,
      isr: each.isrNodes,
    })),
  }))
}

/** Of the first broker that answers. */
export const partitionsOf = async (
  addresses: readonly string[],
  topics: readonly string[],
): Promise<Partition[]> => {
  let failure: unknown
  for (const address of addresses) {
    try {
      return (await viewOf(address, topics)).flatMap(({ partitions }) => partitions)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** A topic that exists already is no error: a client may have created it in the meantime. */
export const createTopics = async (
  addresses: readonly string[],
  topics: readonly string[],
  partitions: number,
  configs: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<void> => {
  const answer = await askAny(addresses, createTopicsApi, 5, {
    topics: topics.map(name => ({
      name,
      numPartitions: partitions,
      replicationFactor: -1,
      assignments: [],
      configs: [...configs],
    })),
    timeoutMs: REQUEST_MS,
  })
  const failed = answer.topics.find(({ errorCode }) => errorCode !== OK && errorCode !== TOPIC_ALREADY_EXISTS)
  if (failed) throw new Error(`creating ${failed.name}: ${failed.errorMessage ?? failed.errorCode}`)
}

export const deleteTopics = async (
  addresses: readonly string[],
  topics: readonly string[],
): Promise<void> => {
  const { responses } = await askAny(addresses, deleteTopicsApi, 5, {
    topicNames: [...topics],
    timeoutMs: REQUEST_MS,
  })
  const failed = responses.find(({ errorCode }) => errorCode !== OK)
  if (failed) throw new Error(`deleting ${failed.name}: error ${failed.errorCode}`)
}

/** The node that leads the metadata quorum; undefined while there is none. */
export const controllerOf = async (addresses: readonly string[]): Promise<number | undefined> => {
  const { topics } = await askAny(addresses, describeQuorumApi, 0, {
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  })
  const leader = topics[0]?.partitions[0]?.leaderId ?? -1
  return leader < 0 ? undefined : leader
}

/** Turns each partition's list of replicas by one, and has the new first one elected: every partition changes its leader. */
export const moveAllLeaders = async (
  addresses: readonly string[],
  partitions: readonly Partition[],
): Promise<void> => {
  const topics = new Map<string, Partition[]>()
  for (const each of partitions) topics.set(each.topic, [...(topics.get(each.topic) ?? []), each])
  const moved = await askAny(addresses, alterPartitionReassignmentsApi, 0, {
    timeoutMs: REQUEST_MS,
    topics: [...topics].map(([name, group]) => ({
      name,
      partitions: group.map(({ partition, replicas: [first = 0, ...rest] }) => ({
        partitionIndex: partition,
        replicas: [...rest, first],
      })),
    })),
  })
  if (moved.errorCode !== OK) throw new Error(`reassigning: ${moved.errorMessage ?? moved.errorCode}`)
  const elected = await askAny(addresses, electLeadersApi, 1, {
    electionType: 0,
    topicPartitions: [...topics].map(([topic, group]) => ({
      topic,
      partitions: group.map(({ partition }) => partition),
    })),
    timeoutMs: REQUEST_MS,
  })
  const failed = elected.replicaElectionResults
    .flatMap(({ partitionResult }) => partitionResult)
    .find(({ errorCode }) => errorCode !== OK && errorCode !== ELECTION_NOT_NEEDED)
  if (failed) throw new Error(`electing: ${failed.errorMessage ?? failed.errorCode}`)
}

/** Of every client, at each broker. Undefined lifts it. */
export const setProduceQuota = async (
  addresses: readonly string[],
  bytesPerSecond: number | undefined,
): Promise<void> => {
  const { entries } = await askAny(addresses, alterClientQuotasApi, 0, {
    entries: [
      {
        entity: [{ entityType: 'client-id', entityName: null }],
        ops: [
          {
            key: 'producer_byte_rate',
            value: bytesPerSecond ?? 0,
            remove: bytesPerSecond === undefined,
          },
        ],
      },
    ],
    validateOnly: false,
  })
  const failed = entries.find(({ errorCode }) => errorCode !== OK)
  if (failed) throw new Error(`setting the quota: ${failed.errorMessage ?? failed.errorCode}`)
}
