/**
 * TxnOffsetCommit, versions 0-4, at the group's coordinator: the offsets become the group's when the transaction is
 * committed. A partition that the broker does not know, or that may not be read, is refused alone. From version 3 on the member's generation is checked (KIP-447).
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { txnOffsetCommitApi } from '../../protocol/messages/txnOffsetCommit.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { groupError } from './coordinator.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof txnOffsetCommitApi.request>
type Response = Encodable<typeof txnOffsetCommitApi.response>

const answer = ({ topics }: Request, errorCode: number): Response => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  })),
})

const errorOf = (request: Request, context: RequestContext): number => {
  const { groupId, transactionalId, producerId, producerEpoch, memberId, generationId } = request
  const { groups, transactions } = context.cluster
  const wrongBroker = groupError(groupId, context)
  if (wrongBroker !== ERROR.NONE) return wrongBroker
  const identity = { producerId: Number(producerId), epoch: producerEpoch }
  const wrongProducer = transactions.producerError(transactionalId, identity)
  if (wrongProducer !== ERROR.NONE) return wrongProducer
  if (!transactions.hasGroup(transactionalId, groupId)) return ERROR.INVALID_TXN_STATE
  return memberId === '' ? ERROR.NONE : groups.findOrCreate(groupId).commitError(memberId, generationId)
}

export const txnOffsetCommit = serve<Request, Response>(txnOffsetCommitApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, topics: [...first.topics, ...second.topics] }),
  },
  handle: (request, context) => {
    const { cluster, node } = context
    const refusalOf = (topic: string, partition: number): number => {
      if (cluster.acl.isDenied(topic, 'read')) return ERROR.TOPIC_AUTHORIZATION_FAILED
      const isKnown = cluster.visibleTopic(topic, node)?.partitions[partition] !== undefined
      return isKnown ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION
    }
    // As on a broker, the group's coordinator hears only of the partitions that this broker knows.
    let ofGroup: number | undefined
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(each => {
        const { partitionIndex } = each
        const refusal = refusalOf(name, partitionIndex)
        if (refusal !== ERROR.NONE) return { partitionIndex, errorCode: refusal }
        ofGroup ??= errorOf(request, context)
        if (ofGroup !== ERROR.NONE) return { partitionIndex, errorCode: ofGroup }
        cluster.transactions.addOffset(request.transactionalId, {
          group: request.groupId,
          topic: name,
          partition: partitionIndex,
          offset: each.committedOffset,
          leaderEpoch: each.committedLeaderEpoch,
          metadata: each.committedMetadata,
        })
        return { partitionIndex, errorCode: ERROR.NONE }
      }),
    }))
    return { throttleTimeMs: 0, topics }
  },
  refuse: answer,
})
