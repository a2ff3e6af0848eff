/**
 * TxnOffsetCommit, versions 0-4, at the group's coordinator: the offsets become the group's when the transaction is
 * committed. From version 3 on the member's generation is checked (KIP-447).
 */
import { txnOffsetCommitApi } from '../../protocol/messages/txnOffsetCommit.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { ERROR } from '../errorCodes.js'
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
    const errorCode = errorOf(request, context)
    if (errorCode !== ERROR.NONE) return answer(request, errorCode)
    for (const { name, partitions } of request.topics) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
        context.cluster.transactions.addOffset(request.transactionalId, {
          group: request.groupId,
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata,
        })
      }
    }
    return answer(request, ERROR.NONE)
  },
  refuse: answer,
})
