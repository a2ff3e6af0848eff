/** AddOffsetsToTxn, versions 0-4. A fenced producer gets INVALID_PRODUCER_EPOCH before version 2. */

import { ERROR } from '../../protocol/errorCodes.js'
import { addOffsetsToTxnApi } from '../../protocol/messages/addOffsetsToTxn.js'
import { transactionError } from './coordinator.js'
import { serve } from './served.js'

export const addOffsetsToTxn = serve(addOffsetsToTxnApi, {
  handle: (request, context) => {
    const errorCode = transactionError(request, 2, context)
    if (errorCode === ERROR.NONE) {
      context.cluster.transactions.addGroup(request.transactionalId, request.groupId)
    }
    return { throttleTimeMs: 0, errorCode }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode }),
})
