/**
 * ApiVersions, versions 0-3. Lists what this broker offers: the definitions' ranges, cut by the option `maxVersions`.
 * A version that is not offered is answered in version 0 with UNSUPPORTED_VERSION and the range of ApiVersions alone
 * (KIP-511). Produce and SaslHandshake are listed from version 0 on, for librdkafka's sake, though those are not served.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { apiVersionsApi } from '../../protocol/messages/apiVersions.js'
import { serve } from './served.js'

export const apiVersions = serve(apiVersionsApi, {
  handle: (_request, { cluster }) => ({ errorCode: ERROR.NONE, apiKeys: cluster.offered }),
  refuse: (_request, errorCode) => ({ errorCode, apiKeys: [] }),
})
