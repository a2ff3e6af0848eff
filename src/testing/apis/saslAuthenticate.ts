/**
 * SaslAuthenticate, versions 0-2: SASL PLAIN (RFC 4616), again at any time on the same connection (KIP-368). A wrong
 * password is answered, then the connection is cut.
 */
import { timingSafeEqual } from 'node:crypto'
import { saslAuthenticateApi } from '../../protocol/messages/saslAuthenticate.js'
import { ERROR } from '../errorCodes.js'
import { serve } from './served.js'

const NOTHING = Buffer.alloc(0)

const failure = (errorCode: number, errorMessage: string | null) => ({
  errorCode,
  errorMessage,
  authBytes: NOTHING,
})

const sameText = (first: string, second: string): boolean => {
  const [one, other] = [Buffer.from(first), Buffer.from(second)]
  return one.length === other.length && timingSafeEqual(one, other)
}

export const saslAuthenticate = serve(saslAuthenticateApi, {
  handle: ({ authBytes }, { cluster, connection }) => {
    const { session } = connection
    if (!cluster.sasl || session.mechanism === undefined) {
      return failure(ERROR.ILLEGAL_SASL_STATE, 'SaslHandshake has to come first')
    }
    const [, user = '', password = ''] = authBytes.toString('utf8').split('\0')
    const expected = Object.hasOwn(cluster.sasl.users, user) ? cluster.sasl.users[user] : undefined
    if (expected === undefined || !sameText(password, expected)) {
      connection.endAfterAnswer()
      return failure(ERROR.SASL_AUTHENTICATION_FAILED, 'Authentication failed: Invalid username or password')
    }
    const lifetimeMs = cluster.sasl.sessionLifetimeMs ?? 0
    session.principal = user
    session.expiresAt = lifetimeMs > 0 ? performance.now() + lifetimeMs : undefined
    return {
      errorCode: ERROR.NONE,
      errorMessage: null,
      authBytes: NOTHING,
      sessionLifetimeMs: BigInt(lifetimeMs),
    }
  },
  refuse: (_request, errorCode) => failure(errorCode, null),
})
