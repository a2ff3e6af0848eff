import type { Api } from '../../protocol/api.js'
import type { ReadyConnection } from '../handshake/readyConnection.js'
import type { ControlConnections } from './controlConnections.js'

/** A control connection that is lent to one request. */
export interface Loan {
  readonly connections: ControlConnections
  readonly ready: ReadyConnection
}

export interface Question<ReqIn, Response> {
  readonly api: Api<unknown, ReqIn, Response, never>
  body(version: number): ReqIn
  readonly timeoutMs: number
  readonly maxVersion: number | undefined
}
