/**
 * AddPartitionsToTxn, versions 0-3. When one partition is refused, the others are answered OPERATION_NOT_ATTEMPTED and
 * nothing is added. A fenced producer gets INVALID_PRODUCER_EPOCH before version 2.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { addPartitionsToTxnApi } from '../../protocol/messages/addPartitionsToTxn.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { transactionError } from './coordinator.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof addPartitionsToTxnApi.request>
type Response = Encodable<typeof addPartitionsToTxnApi.response>

const answer = ({ topics }: Request, errorOf: (topic: string, index: number) => number): Response => ({
  throttleTimeMs: 0,
  results: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(index => ({ partitionIndex: index, errorCode: errorOf(name, index) })),
  })),
})

const partitionError = (name: string, index: number, { cluster }: RequestContext): number => {
  if (cluster.acl.isDenied(name, 'write')) return ERROR.TOPIC_AUTHORIZATION_FAILED
  return cluster.topics.get(name)?.partitions[index] ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION
}

export const addPartitionsToTxn = serve<Request, Response>(addPartitionsToTxnApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, results: [...first.results, ...second.results] }),
  },
  handle: (request, context) => {
    const { cluster } = context
    const wrong = transactionError(request, 2, context)
    if (wrong !== ERROR.NONE) return answer(request, () => wrong)
    const all = request.topics.flatMap(({ name, partitions }) => partitions.map(index => ({ name, index })))
    if (all.some(({ name, index }) => partitionError(name, index, context) !== ERROR.NONE)) {
      return answer(
        request,
        (name, index) => partitionError(name, index, context) || ERROR.OPERATION_NOT_ATTEMPTED,
      )
    }
    for (const { name, index } of all) {
      cluster.transactions.addPartition(request.transactionalId, cluster.partition(name, index))
    }
    return answer(request, () => ERROR.NONE)
  },
  refuse: (request, errorCode) => answer(request, () => errorCode),
})
