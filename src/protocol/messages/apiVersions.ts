import { defineApi } from '../api.js'
import { array, int16, int32, since, string, struct } from '../wire/codec.js'

/** ApiVersions. Its response header is never flexible (KIP-511), so that any client can read the refusal of a version. */
export const apiVersionsApi = defineApi({
  name: 'ApiVersions',
  key: 18,
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 3,
  request: struct({
    clientSoftwareName: since(3, string, ''),
    clientSoftwareVersion: since(3, string, ''),
  }),
  response: struct({
    errorCode: int16,
    apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
    throttleTimeMs: since(1, int32, 0),
  }),
})
