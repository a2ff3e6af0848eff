import { defineApi } from '../api.js'
import { bytes, int16, int64, nullableString, since, struct } from '../wire/codec.js'

/** SaslAuthenticate. Version 1 adds the lifetime of the session (KIP-368). */
export const saslAuthenticateApi = defineApi({
  name: 'SaslAuthenticate',
  key: 36,
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({ authBytes: bytes }),
  response: struct({
    errorCode: int16,
    errorMessage: nullableString,
    authBytes: bytes,
    sessionLifetimeMs: since(1, int64, 0n),
  }),
})
