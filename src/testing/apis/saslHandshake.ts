/** SaslHandshake, version 1: PLAIN, where the listener has users. */
import { saslHandshakeApi } from '../../protocol/messages/saslHandshake.js'
import { ERROR } from '../errorCodes.js'
import { serve } from './served.js'

const PLAIN = 'PLAIN'

export const saslHandshake = serve(saslHandshakeApi, {
  handle: ({ mechanism }, { cluster, connection }) => {
    if (!cluster.sasl) return { errorCode: ERROR.ILLEGAL_SASL_STATE, mechanisms: [] }
    if (mechanism !== PLAIN) return { errorCode: ERROR.UNSUPPORTED_SASL_MECHANISM, mechanisms: [PLAIN] }
    connection.session.mechanism = mechanism
    return { errorCode: ERROR.NONE, mechanisms: [PLAIN] }
  },
  refuse: (_request, errorCode) => ({ errorCode, mechanisms: [PLAIN] }),
})
