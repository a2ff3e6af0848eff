import { defineApi } from '../api.js'
import { array, int16, string, struct } from '../wire/codec.js'

/** SaslHandshake. Version 1 says that SaslAuthenticate carries what follows (KIP-152). */
export const saslHandshakeApi = defineApi({
  name: 'SaslHandshake',
  key: 17,
  minVersion: 1,
  maxVersion: 1,
  flexibleFrom: Infinity,
  request: struct({ mechanism: string }),
  response: struct({ errorCode: int16, mechanisms: array(string) }),
})
