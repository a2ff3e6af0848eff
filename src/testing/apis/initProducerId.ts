/**
 * InitProducerId, versions 0-5. A new id, epoch 0, for every idempotent producer; one that names its id and epoch
 * (version 3 on, KIP-360) gets the same id with the next epoch, or a new id when the epoch is used up.
 */
import { initProducerIdApi } from '../../protocol/messages/initProducerId.js'
import { ERROR } from '../errorCodes.js'
import { serve } from './served.js'

const MAX_EPOCH = 32767

export const initProducerId = serve(initProducerIdApi, {
  handle: ({ producerId, producerEpoch }, { cluster }) => {
    const renews = producerId !== -1n && producerEpoch >= 0 && producerEpoch < MAX_EPOCH - 1
    return {
      throttleTimeMs: 0,
      errorCode: ERROR.NONE,
      producerId: renews ? producerId : BigInt(cluster.newProducerId()),
      producerEpoch: renews ? producerEpoch + 1 : 0,
    }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 }),
})
