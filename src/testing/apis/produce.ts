/**
 * Produce, versions 3-13 (by topic id). Checks every partition's batch as a leader does (checksum, size, record count, timestamps,
 * producer id, epoch and sequence) and appends it. acks 0 has no answer: an error then cuts the connection, as a
 * broker does to make the client refresh. acks -1 needs `min.insync.replicas`, of newer releases at most as many as there are replicas;
 * replication itself takes no time.
 * Hints to the current leader (KIP-951) from version 10 on.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { produceApi } from '../../protocol/messages/produce.js'
import { isTransactional, isWellFormed, readBatchHeader } from '../../protocol/records/decode.js'
import { type Decoded, type Encodable, ZERO_UUID } from '../../protocol/wire/codec.js'
import type { BrokerModel } from '../model/brokerModel.js'
import { appendRecords } from '../state/append.js'
import type { Partition, Topic } from '../state/topics/topic.js'
import type { ProducerIdentity } from '../state/transactions.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof produceApi.request>
type Response = Encodable<typeof produceApi.response>
type TopicData = Request['topicData'][number]
type PartitionData = Request['topicData'][number]['partitionData'][number]
type PartitionAnswer = Response['responses'][number]['partitionResponses'][number]

/** From this version on topics go by their ids (KIP-516). */
const IDS_SINCE = 13
/** From this version on a transaction needs no AddPartitionsToTxn (KIP-890). */
const ADDS_PARTITIONS_SINCE = 12

const failed = (index: number, errorCode: number, errorMessage: string | null = null): PartitionAnswer => ({
  index,
  errorCode,
  baseOffset: -1n,
  logAppendTimeMs: -1n,
  errorMessage,
})

/** The topic that a request means: by its id, not another one that has got its name meanwhile. */
const topicOf = (
  { name, topicId }: Pick<TopicData, 'name' | 'topicId'>,
  { cluster, node, version }: RequestContext,
): Topic | undefined => {
  const topic = cluster.visibleTopic(name, node)
  return version >= IDS_SINCE && topic?.id !== topicId ? undefined : topic
}

/** How many replicas in sync an append asks for. */
const minInsyncReplicas = (
  topic: Topic,
  { replicas }: Partition,
  { capsMinInsyncReplicas }: BrokerModel,
): number => {
  const configured = topic.config.number('min.insync.replicas')
  return capsMinInsyncReplicas ? Math.min(configured, replicas.length) : configured
}

const append = (
  wanted: TopicData,
  { index, records }: PartitionData,
  acks: number,
  context: RequestContext,
): PartitionAnswer => {
  const { cluster, node, version } = context
  const { name } = wanted
  const topic = topicOf(wanted, context)
  if (!topic && version >= IDS_SINCE) return failed(index, ERROR.UNKNOWN_TOPIC_ID)
  if (cluster.acl.isDenied(name, 'write')) return failed(index, ERROR.TOPIC_AUTHORIZATION_FAILED)
  if (acks < -1 || acks > 1) return failed(index, ERROR.INVALID_REQUIRED_ACKS)
  const partition = topic?.partitions[index]
  if (!topic || !partition) return failed(index, ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  if (partition.leader !== node) {
    return {
      ...failed(index, ERROR.NOT_LEADER_OR_FOLLOWER),
      currentLeader: { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch },
    }
  }
  if (acks === -1 && partition.isr.length < minInsyncReplicas(topic, partition, cluster.model)) {
    return failed(index, ERROR.NOT_ENOUGH_REPLICAS)
  }
  const result = appendRecords(partition, topic.config, records, version, Date.now(), cluster.model)
  return {
    index,
    errorCode: result.errorCode,
    baseOffset: BigInt(result.baseOffset),
    logAppendTimeMs: BigInt(result.logAppendTimeMs),
    logStartOffset: result.errorCode === ERROR.NONE ? BigInt(partition.log.startOffset) : -1n,
    recordErrors: result.recordErrors,
    errorMessage: result.errorMessage,
  }
}

/** The producer of a transactional batch; of anything else none: the append will say what is wrong with it. */
const transactionalProducer = (records: Buffer | null): ProducerIdentity | undefined => {
  if (!records || !isWellFormed(records)) return undefined
  const header = readBatchHeader(records)
  if (!isTransactional(header)) return undefined
  return { producerId: Number(header.producerId), epoch: header.producerEpoch }
}

const hasTransactional = (topicData: Request['topicData']): boolean =>
  topicData.some(({ partitionData }) => partitionData.some(({ records }) => transactionalProducer(records)))

const refuseAll = (topicData: Request['topicData'], errorCode: number): Response => ({
  responses: topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => failed(index, errorCode)),
  })),
  throttleTimeMs: 0,
})

/** Adds the partitions of a request to its producer's transaction, where it may act for it. */
const joinTransaction = (id: string, topicData: Request['topicData'], context: RequestContext): void => {
  const { cluster } = context
  for (const data of topicData) {
    for (const { index, records } of data.partitionData) {
      const partition = topicOf(data, context)?.partitions[index]
      const producer = transactionalProducer(records)
      if (!partition || !producer) continue
      if (cluster.transactions.producerError(id, producer) !== ERROR.NONE) continue
      cluster.transactions.addPartition(id, partition)
    }
  }
}

/** The addresses of the leaders that the answer hints at. */
const hintedEndpoints = (responses: Response['responses'], { cluster }: RequestContext) => {
  const leaders = new Set<number>()
  for (const { partitionResponses } of responses) {
    for (const { currentLeader } of partitionResponses) if (currentLeader) leaders.add(currentLeader.leaderId)
  }
  const endpoints = cluster.aliveBrokers
    .filter(({ id }) => leaders.has(id))
    .map(({ id, host, port }) => ({ nodeId: id, host, port, rack: null }))
  return endpoints.length > 0 ? endpoints : undefined
}

export const produce = serve<Request, Response>(produceApi, {
  topics: {
    names: request => request.topicData.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topicData: request.topicData.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, responses: [...first.responses, ...second.responses] }),
  },
  withNames: (request, cluster) => ({
    ...request,
    topicData: request.topicData.map(topic =>
      topic.topicId === ZERO_UUID ? topic : { ...topic, name: cluster.nameOf(topic.topicId) },
    ),
  }),
  handle: ({ topicData, acks, transactionalId }, context) => {
    if (transactionalId === null && hasTransactional(topicData)) {
      return refuseAll(topicData, ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    }
    if (transactionalId !== null && context.version >= ADDS_PARTITIONS_SINCE) {
      joinTransaction(transactionalId, topicData, context)
    }
    const responses = topicData.map(topic => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionResponses: topic.partitionData.map(data => append(topic, data, acks, context)),
    }))
    return { responses, throttleTimeMs: 0, nodeEndpoints: hintedEndpoints(responses, context) }
  },
  isUnanswered: ({ acks }) => acks === 0,
  refuse: ({ topicData }, errorCode) => refuseAll(topicData, errorCode),
})
