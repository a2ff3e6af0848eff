/** EndTxn, versions 0-4: writes the markers at once. A fenced producer gets INVALID_PRODUCER_EPOCH before version 2. */

import { ERROR } from '../../protocol/errorCodes.js'
import { endTxnApi } from '../../protocol/messages/endTxn.js'
import { transactionError } from './coordinator.js'
import { serve } from './served.js'

export const endTxn = serve(endTxnApi, {
  handle: (request, context) => {
    const wrong = transactionError(request, 2, context)
    const { transactions } = context.cluster
    const errorCode =
      wrong === ERROR.NONE ? transactions.end(request.transactionalId, request.committed) : wrong
    return { throttleTimeMs: 0, errorCode }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode }),
})
