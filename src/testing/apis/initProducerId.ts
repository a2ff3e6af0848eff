/**
 * InitProducerId, versions 0-5. A new id, epoch 0, for every idempotent producer; one that names its id and epoch
 * (version 3 on, KIP-360) gets the same id with the next epoch, or a new id when the epoch is used up. For a
 * transactional id the coordinator alone answers; it aborts what is open and fences the producer before.
 */
import { initProducerIdApi } from '../../protocol/messages/initProducerId.js'
import { ERROR } from '../errorCodes.js'
import { nextIdentity } from '../state/transactions.js'
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
    if (transactionalId === null) return success(nextIdentity(current, () => cluster.newProducerId()))
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
