/** SaslHandshake, version 1: the mechanisms for which the listener has credentials. */

import { ERROR } from '../../protocol/errorCodes.js'
import { saslHandshakeApi } from '../../protocol/messages/saslHandshake.js'
import { serve } from './served.js'

export const saslHandshake = serve(saslHandshakeApi, {
  handle: ({ mechanism }, { cluster: { sasl }, connection }) => {
    if (!sasl) return { errorCode: ERROR.ILLEGAL_SASL_STATE, mechanisms: [] }
    const { mechanisms } = sasl
    const exchange = sasl.begin(mechanism)
    if (!exchange) return { errorCode: ERROR.UNSUPPORTED_SASL_MECHANISM, mechanisms }
    connection.session.exchange = exchange
    return { errorCode: ERROR.NONE, mechanisms }
  },
  refuse: (_request, errorCode, { cluster: { sasl } }) => ({
    errorCode,
    mechanisms: sasl?.mechanisms ?? [],
  }),
})
