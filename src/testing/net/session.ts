import type { Session } from '../apis/served.js'
import type { ApiName } from '../model/apiNames.js'

/** What a connection may ask before it has authenticated. */
const OPEN = new Set<string>(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'] satisfies readonly string[])

/** Whether a broker serves this request; otherwise it cuts the connection. */
export const mayServe = (api: ApiName, session: Session, requiresSasl: boolean): boolean => {
  if (!requiresSasl || OPEN.has(api)) return true
  // Begun again and not ended: neither the old authentication counts nor a new one.
  if (session.exchange !== undefined) return false
  if (session.principal === undefined) return false
  return session.expiresAt === undefined || performance.now() < session.expiresAt
}
