/**
 * Metadata, versions 0-13. Each broker answers by its own view of the topics. An unknown topic that is named with the
 * creation flag (always on before version 4) goes through the auto-create model; requests for all topics (null, or
 * an empty array in version 0) never create. Topic ids are read from version 10 on.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { metadataApi } from '../../protocol/messages/metadata.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { ZERO_UUID } from '../../protocol/wire/codec.js'
import type { ClusterState } from '../state/cluster.js'
import { NO_LEADER, type Partition, type Topic } from '../state/topics/topic.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof metadataApi.request>
type Response = Encodable<typeof metadataApi.response>
type TopicAnswer = Response['topics'][number]

/** The topics asked for; null: all. Version 0 has no null and means all by an empty array. */
const requested = ({ topics }: Request, version: number): Request['topics'] =>
  topics === null || (version === 0 && topics.length === 0) ? null : topics

const partitionAnswer = (partition: Partition, cluster: ClusterState): TopicAnswer['partitions'][number] => ({
  errorCode: partition.leader === NO_LEADER ? ERROR.LEADER_NOT_AVAILABLE : ERROR.NONE,
  partitionIndex: partition.index,
  leaderId: partition.leader,
  leaderEpoch: partition.leaderEpoch,
  replicaNodes: partition.replicas,
  isrNodes: partition.isr,
  offlineReplicas: partition.replicas.filter(node => !cluster.broker(node).alive),
})

const failedTopic = (name: string | null, errorCode: number, topicId = ZERO_UUID): TopicAnswer => ({
  errorCode,
  name,
  topicId,
  partitions: [],
})

const knownTopic = (topic: Topic, cluster: ClusterState): TopicAnswer => {
  cluster.autoCreation.answerKnown(topic)
  return {
    errorCode: ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    partitions: topic.partitions.map(partition => partitionAnswer(partition, cluster)),
  }
}

const namedTopic = (name: string, mayCreate: boolean, { cluster, node }: RequestContext): TopicAnswer => {
  if (cluster.acl.isDenied(name, 'describe')) return failedTopic(name, ERROR.TOPIC_AUTHORIZATION_FAILED)
  const visible = cluster.visibleTopic(name, node)
  if (visible) return knownTopic(visible, cluster)
  const errorCode = cluster.autoCreation.answerUnknown(name, node, mayCreate)
  const created = errorCode === ERROR.NONE ? cluster.visibleTopic(name, node) : undefined
  return created ? knownTopic(created, cluster) : failedTopic(name, errorCode)
}

const topicById = (id: string, { cluster, node }: RequestContext): TopicAnswer => {
  for (const topic of cluster.topics.values()) {
    if (topic.id === id && cluster.visibleTopic(topic.name, node)) return knownTopic(topic, cluster)
  }
  return failedTopic(null, ERROR.UNKNOWN_TOPIC_ID, id)
}

const allTopics = ({ cluster, node }: RequestContext): TopicAnswer[] =>
  [...cluster.topics.values()]
    .filter(({ name }) => cluster.visibleTopic(name, node) && !cluster.acl.isDenied(name, 'describe'))
    .map(topic => knownTopic(topic, cluster))

const envelope = ({ cluster }: RequestContext, topics: TopicAnswer[]): Response => ({
  brokers: cluster.aliveBrokers.map(({ id, host, port }) => ({ nodeId: id, host, port })),
  clusterId: cluster.clusterId,
  controllerId: cluster.controllerId,
  topics,
})

export const metadata = serve(metadataApi, {
  topics: {
    names: (request, version) =>
      requested(request, version)?.map(({ name, topicId }) => name ?? topicId) ?? null,
    only: (request, topic) => ({ ...request, topics: [{ topicId: ZERO_UUID, name: topic }] }),
    pick: (request, keep) => ({
      ...request,
      topics: request.topics?.filter(({ name, topicId }) => keep(name ?? topicId)) ?? null,
    }),
    join: (first, second) => {
      const named = new Set(first.topics.map(({ name }) => name))
      return { ...second, topics: [...first.topics, ...second.topics.filter(({ name }) => !named.has(name))] }
    },
  },
  handle: (request, context) => {
    const asked = requested(request, context.version)
    if (asked === null) return envelope(context, allTopics(context))
    return envelope(
      context,
      asked.map(({ name, topicId }) =>
        name === null
          ? topicById(topicId, context)
          : namedTopic(name, request.allowAutoTopicCreation, context),
      ),
    )
  },
  refuse: (request, errorCode, context) => {
    const asked = requested(request, context.version)
    const names = asked?.map(({ name }) => name) ?? [...context.cluster.topics.keys()]
    return {
      ...envelope(
        context,
        names.map(name => failedTopic(name, errorCode)),
      ),
      errorCode,
    }
  },
})
