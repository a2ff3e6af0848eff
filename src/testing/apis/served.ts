import type { Api } from '../../protocol/api.js'
import type { SaslExchange } from '../sasl/exchange.js'
import type { ClusterState } from '../state/cluster.js'

/** What a handler knows of the connection a request came by. */
export interface ConnectionView {
  readonly id: number
  /** Aborted when the connection or its broker is gone, for handlers that wait. */
  readonly closed: AbortSignal
  /** Cuts the connection once this request's answer is out. */
  endAfterAnswer(): void
  /** SASL state, kept by the connection. */
  readonly session: Session
}

export interface Session {
  /** From the handshake to its end. */
  exchange: SaslExchange | undefined
  principal: string | undefined
  /** On the clock of `performance.now()`; undefined: never. */
  expiresAt: number | undefined
}

/** Where and how a request came in. */
export interface RequestContext {
  readonly cluster: ClusterState
  readonly node: number
  readonly version: number
  readonly clientId: string | null
  readonly connection: ConnectionView
}

/** How to take a request apart by topic, so that a fault can hit one topic and leave the others alone. */
export interface TopicLens<Q, R> {
  /** The topics that a request names; null: all. */
  names(request: Q, version: number): readonly string[] | null
  /** The request with only those of its topics that pass. */
  pick(request: Q, keep: (topic: string) => boolean): Q
  /** The request for one topic alone, where `pick` cannot make it: of a request for all. */
  only?(request: Q, topic: string): Q
  /** One response of two; where both name a topic, the first has the word. */
  join(first: R, second: R): R
}

/** One API as the brokers serve it. */
export interface ServedApi<Q, R> {
  readonly api: Api<Q, never, unknown, R>
  readonly topics?: TopicLens<Q, R>
  /** The request with the names of the topics that it calls by their ids, for faults, journal and handler. */
  withNames?(request: Q, cluster: Pick<ClusterState, 'nameOf'>): Q
  /** @returns the response; null when the connection ended meanwhile */
  handle(request: Q, context: RequestContext): R | null | Promise<R | null>
  /** Whether the protocol has no answer for this request; its errors then cut the connection. */
  isUnanswered?(request: Q): boolean
  /** The response that carries this error code wherever it can carry one. */
  refuse(request: Q, errorCode: number, context: RequestContext): R
}

/** Binds the server's behaviour to an API's messages. */
export const serve = <Q, R>(
  api: Api<Q, never, unknown, R>,
  behaviour: Omit<ServedApi<Q, R>, 'api'>,
): ServedApi<Q, R> => ({ api, ...behaviour })
