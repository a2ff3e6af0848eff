/**
 * InitProducerId, versions 0-5. A new id, epoch 0, for every idempotent producer, the one it names notwithstanding.
 * For a transactional id the coordinator alone answers: the same id with the next epoch (or a new id when the epochs
 * are used up); it aborts what is open and fences the producer before, or one that names another epoch (KIP-360).
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { initProducerIdApi } from '../../protocol/messages/initProducerId.js'
import { coordinatorError } from './coordinator.js'
import { serve } from './served.js'

const failure = (errorCode: number) => ({
  throttleTimeMs: 0,
  errorCode,
  producerId: -1n,
  producerEpoch: -1,
})

export const initProducerId = serve(initProducerIdApi, {
  handle: (request, context) => {
    const { transactionalId, transactionTimeoutMs, producerEpoch } = request
    const { cluster, node } = context
    const current =
      request.producerId < 0n ? undefined : { producerId: Number(request.producerId), epoch: producerEpoch }
    const success = ({ producerId, epoch }: { producerId: number; epoch: number }) => ({
      throttleTimeMs: 0,
      errorCode: ERROR.NONE,
      producerId: BigInt(producerId),
      producerEpoch: epoch,
    })
    if (transactionalId === null) return success({ producerId: cluster.newProducerId(), epoch: 0 })
    if (transactionalId === '') return failure(ERROR.INVALID_REQUEST)
    const wrongBroker = coordinatorError(transactionalId, context)
    if (wrongBroker !== ERROR.NONE) return failure(wrongBroker)
    const longest = cluster.broker(node).config.number('transaction.max.timeout.ms')
    if (transactionTimeoutMs <= 0 || transactionTimeoutMs > longest) {
      return failure(ERROR.INVALID_TRANSACTION_TIMEOUT)
    }
    const result = cluster.transactions.init(transactionalId, transactionTimeoutMs, current)
    return 'errorCode' in result ? failure(result.errorCode) : success(result)
  },
  refuse: (_request, errorCode) => failure(errorCode),
})
