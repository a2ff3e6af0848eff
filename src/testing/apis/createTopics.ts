/**
 * CreateTopics, versions 0-7, validateOnly from 1, -1 for the broker's defaults. KRaft brokers forward to the
 * controller, so any of them serves it; in the style of ZooKeeper all but the controller answer NOT_CONTROLLER.
 * Refusals carry the controller's own words (ReplicationControlManager).
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { createTopicsApi } from '../../protocol/messages/createTopics.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { invalidTopicConfigReason } from '../state/topics/configs.js'
import { invalidNameReason, MAX_PARTITIONS_PER_REQUEST } from '../state/topics/topicRules.js'
import { type RequestContext, serve } from './served.js'

type Spec = Decoded<typeof createTopicsApi.request>['topics'][number]
type Result = Encodable<typeof createTopicsApi.response>['topics'][number]

interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

const refusal = (errorCode: number, errorMessage: string | null): Refusal => ({ errorCode, errorMessage })

const assignmentRefusal = ({ assignments, numPartitions, replicationFactor }: Spec, alive: number[]) => {
  if (replicationFactor !== -1) {
    return refusal(
      ERROR.INVALID_REQUEST,
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    )
  }
  if (numPartitions !== -1) {
    return refusal(
      ERROR.INVALID_REQUEST,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    )
  }
  const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
  if (sorted.some(({ partitionIndex }, i) => partitionIndex !== i)) {
    return refusal(
      ERROR.INVALID_REPLICA_ASSIGNMENT,
      'partitions should be a consecutive 0-based integer sequence',
    )
  }
  for (const { brokerIds } of sorted) {
    if (brokerIds.length === 0) {
      return refusal(
        ERROR.INVALID_REPLICA_ASSIGNMENT,
        'The manual partition assignment includes an empty replica list.',
      )
    }
    const unknown = brokerIds.find(id => !alive.includes(id))
    if (unknown !== undefined) {
      return refusal(
        ERROR.INVALID_REPLICA_ASSIGNMENT,
        `The manual partition assignment includes broker ${unknown}, but no such broker is registered.`,
      )
    }
  }
  return undefined
}

const placementRefusal = (spec: Spec, context: RequestContext): Refusal | undefined => {
  const alive = context.cluster.aliveBrokers.map(({ id }) => id)
  if (spec.assignments.length > 0) return assignmentRefusal(spec, alive)
  const { model } = context.cluster
  const { config } = context.cluster.broker(context.node)
  if (!model.hasTopicDefaults && (spec.numPartitions === -1 || spec.replicationFactor === -1)) {
    return spec.numPartitions === -1
      ? refusal(ERROR.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.')
      : refusal(ERROR.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.')
  }
  if (spec.replicationFactor < -1 || spec.replicationFactor === 0) {
    return refusal(
      ERROR.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  if (spec.numPartitions < -1 || spec.numPartitions === 0) {
    return refusal(ERROR.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.')
  }
  const factor =
    spec.replicationFactor === -1 ? config.number('default.replication.factor') : spec.replicationFactor
  if (model.replicationFactor !== undefined && factor !== model.replicationFactor) {
    return refusal(ERROR.POLICY_VIOLATION, `Topic replication factor must be ${model.replicationFactor}`)
  }
  if (factor > alive.length) {
    return refusal(
      ERROR.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${factor} time(s): The target replication factor of ${factor} cannot be reached because only ${alive.length} broker(s) are registered${model.cordonedWords}.`,
    )
  }
  return undefined
}

const refusalOf = (spec: Spec, context: RequestContext): Refusal | undefined => {
  const { cluster } = context
  const { name } = spec
  const invalid = invalidNameReason(name)
  if (invalid) return refusal(ERROR.INVALID_TOPIC_EXCEPTION, invalid)
  if (cluster.acl.isDenied(name, 'create')) {
    return refusal(ERROR.TOPIC_AUTHORIZATION_FAILED, 'Authorization failed.')
  }
  if (cluster.topics.has(name)) return refusal(ERROR.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  const colliding = cluster.collidingTopic(name)
  if (colliding !== undefined) {
    return refusal(
      ERROR.INVALID_TOPIC_EXCEPTION,
      `Topic '${name}' collides with existing topic: ${colliding}`,
    )
  }
  for (const config of spec.configs) {
    const reason = invalidTopicConfigReason(config.name, config.value)
    if (reason) return refusal(ERROR.INVALID_CONFIG, reason)
  }
  return placementRefusal(spec, context)
}

const partitionCount = (spec: Spec, { cluster, node }: RequestContext): number => {
  if (spec.assignments.length > 0) return spec.assignments.length
  return spec.numPartitions === -1 ? cluster.broker(node).config.number('num.partitions') : spec.numPartitions
}

const create = (spec: Spec, validateOnly: boolean, context: RequestContext): Result => {
  const { cluster, node } = context
  const refused = refusalOf(spec, context)
  if (refused) return { name: spec.name, ...refused }
  const { config } = cluster.broker(node)
  const replicationFactor =
    spec.assignments[0]?.brokerIds.length ??
    (spec.replicationFactor === -1 ? config.number('default.replication.factor') : spec.replicationFactor)
  const numPartitions = partitionCount(spec, context)
  const described = { name: spec.name, errorCode: ERROR.NONE, numPartitions, replicationFactor }
  if (validateOnly) return { ...described, configs: [] }
  const topic = cluster.createTopic(
    spec.name,
    {
      partitions: numPartitions,
      replicationFactor,
      configs: Object.fromEntries(spec.configs.map(({ name, value }) => [name, value ?? ''])),
    },
    spec.assignments.length > 0
      ? [...spec.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex).map(a => a.brokerIds)
      : undefined,
  )
  return {
    ...described,
    topicId: topic.id,
    configs: topic.config.describe(null).map(({ name, value, readOnly, source }) => ({
      name,
      value,
      readOnly,
      configSource: source,
      isSensitive: false,
    })),
  }
}

const failAll = (topics: readonly Spec[], { errorCode, errorMessage }: Refusal) => ({
  topics: topics.map(({ name }) => ({ name, errorCode, errorMessage })),
})

export const createTopics = serve(createTopicsApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, topics: [...first.topics, ...second.topics] }),
  },
  handle: ({ topics, validateOnly }, context) => {
    const { cluster, node } = context
    if (cluster.autoCreation.style === 'zk' && node !== cluster.controllerId) {
      return failAll(
        topics,
        refusal(ERROR.NOT_CONTROLLER, 'This is not the correct controller for this cluster.'),
      )
    }
    const total = topics.reduce((sum, spec) => sum + Math.max(0, partitionCount(spec, context)), 0)
    if (total > MAX_PARTITIONS_PER_REQUEST) {
      return failAll(
        topics,
        refusal(ERROR.POLICY_VIOLATION, 'Excessively large number of partitions per request.'),
      )
    }
    const counts = new Map<string, number>()
    for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    return {
      topics: topics.map(spec =>
        counts.get(spec.name)! > 1
          ? { name: spec.name, ...refusal(ERROR.INVALID_REQUEST, 'Duplicate topic name.') }
          : create(spec, validateOnly, context),
      ),
    }
  },
  refuse: ({ topics }, errorCode) => failAll(topics, refusal(errorCode, null)),
})
