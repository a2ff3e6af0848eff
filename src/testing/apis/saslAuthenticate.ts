/**
 * SaslAuthenticate, versions 0-2: PLAIN, SCRAM-SHA-256 and -512, OAUTHBEARER, again at any time on the same connection
 * (KIP-368), then for the same principal. A refusal is answered, then the connection is cut.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { saslAuthenticateApi } from '../../protocol/messages/saslAuthenticate.js'
import { NOTHING } from '../sasl/exchange.js'
import { type ConnectionView, serve } from './served.js'

const failure = (errorCode: number, errorMessage: string | null) => ({
  errorCode,
  errorMessage,
  authBytes: NOTHING,
})

const refused = (connection: ConnectionView, reason: string) => {
  connection.endAfterAnswer()
  return failure(ERROR.SASL_AUTHENTICATION_FAILED, reason)
}

const success = (authBytes: Buffer, sessionLifetimeMs = 0) => ({
  errorCode: ERROR.NONE,
  errorMessage: null,
  authBytes,
  sessionLifetimeMs: BigInt(sessionLifetimeMs),
})

export const saslAuthenticate = serve(saslAuthenticateApi, {
  handle: ({ authBytes }, { cluster, connection }) => {
    const { session } = connection
    if (!cluster.sasl || !session.exchange) {
      return failure(ERROR.ILLEGAL_SASL_STATE, 'SaslHandshake has to come first')
    }
    const step = session.exchange.step(authBytes)
    if (step.kind === 'challenge') return success(step.bytes)
    session.exchange = undefined
    if (step.kind === 'refused') return refused(connection, step.reason)
    const { principal } = step
    if (session.principal !== undefined && session.principal !== principal) {
      const change = `from ${session.principal} to ${principal}`
      return refused(connection, `Cannot change principals during re-authentication ${change}`)
    }
    const { sessionLifetimeMs } = cluster.sasl
    session.principal = principal
    session.expiresAt = sessionLifetimeMs > 0 ? performance.now() + sessionLifetimeMs : undefined
    return success(step.bytes, sessionLifetimeMs)
  },
  refuse: (_request, errorCode) => failure(errorCode, null),
})
