import type { Api } from '../protocol/api.js'

/** A broker as metadata names it. */
export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Where a control request goes: to one broker, or to any that answers (a seed broker before metadata is known). */
export type ControlTarget =
  | { readonly node: number }
  /** A broker that another one has named, and that metadata may not know yet: a coordinator. */
  | { readonly at: BrokerAddress }
  /** Brokers that failed lately, and `avoid`, are tried last. */
  | { readonly anyBut: number | undefined }

export interface ControlOptions {
  readonly target: ControlTarget
  /**
   * For the wait for a usable connection, which goes on being made by its own limits; and again, from the moment that it is ready, for
   * the answer, without which the connection is dropped. ms
   */
  readonly timeoutMs: number
  /**
   * With a target of any broker: another one is asked beside one that has not answered for this long, and the first answer counts. Only
   * for requests that may be served twice. Default: none is. ms
   */
  readonly besideMs?: number
}

export interface ControlAnswer<Response> {
  readonly response: Response
  /** The version that was spoken. */
  readonly version: number
  /** The broker that answered; -1 for a seed broker whose id is not known yet. */
  readonly nodeId: number
  /** How many bytes stood behind the response: no fault by themselves. Default 0. */
  readonly trailingBytes?: number
}

/** How one produce request ends. Each is called at most once; exactly one of `onResponse` and `onFailure` is. */
export interface ProduceExchange {
  /** The response behind its correlation id; `null` for acks 0, once the bytes are written. */
  onResponse(payload: Buffer | null): void
  /**
   * The connection is gone. `sent` says whether any byte of the request may have left: if not, nothing was written.
   */
  onFailure(error: Error, sent: boolean): void
  /** The buffers may be reused: the write has completed, or the socket is closed for good. */
  onBuffersReleased(): void
}

/**
 * The connection of one broker on which records travel, in the order they are sent. It does not retry or reconnect:
 * after it has closed, the transport gives a new one.
 */
export interface ProduceLink {
  readonly nodeId: number
  /** The highest Produce version both sides speak. */
  readonly produceVersion: number
  readonly isOpen: boolean
  /**
   * Before the next request `prepare()` has to be called, when nothing is in flight: SASL credentials must be renewed (KIP-368), an idle
   * connection has to prove that it lives, or the broker has moved.
   */
  readonly needsPreparation: boolean
  /** Rejects when the link is of no use any more; it is closed then. */
  prepare(): Promise<void>
  /** Milliseconds for which a quota asks this client to hold its requests back (KIP-219); 0 when none. */
  readonly throttledForMs: number
  throttle(ms: number): void
  /**
   * Writes a request whose body stands in `chunks`, without copying them: they must not change until
   * `onBuffersReleased`. Does not throw.
   *
   * @param version at most {@link produceVersion}
   */
  produce(version: number, chunks: readonly Buffer[], acks: number, exchange: ProduceExchange): void
  /** Ends all exchanges with `error` and closes the socket at once. */
  destroy(error: Error): void
  /** Called once, when the connection has gone for whatever reason (after the exchanges ended). */
  onClosed: ((error: Error) => void) | undefined
}

/** Gives the produce connections of brokers. */
export type ProduceLinkSource = Pick<Transport, 'openProduceLink' | 'isAlive' | 'pending'>

/** What is wrong with a broker, as long as it is. */
export interface BrokerTrouble {
  /** `host:port` */
  readonly broker: string
  readonly cause: Error
  /** When it began. ms on the clock of `performance.now()` */
  readonly since: number
  /** Failures in a row. */
  readonly failures: number
}

/** What the stages above see of the network. */
export interface Transport {
  /** The brokers that cannot be reached, refuse the login, or were slow to answer, until they answer again. */
  readonly troubles: readonly BrokerTrouble[]
  /** The brokers of the newest metadata. Connections to brokers that moved take no more requests, and close when what is in flight has ended. */
  setBrokers(brokers: readonly BrokerAddress[]): void
  /**
   * One control request, over a connection that produce requests do not use: a broker serves a connection one request
   * at a time. Picks the highest version both sides speak.
   *
   * @throws KafkaJSConnectionError; KafkaJSSASLAuthenticationError and {@link CertificateError}, which are retriable once a connection
   *   has been ready; {@link CredentialsProviderError}; {@link BrokerNotAllowedError}; KafkaJSRequestTimeoutError;
   *   UnsupportedApiError; MalformedMessageError
   */
  control<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
    options: ControlOptions,
    maxVersion?: number,
  ): Promise<ControlAnswer<Response>>
  /** Connects (once, shared by all who ask meanwhile), authenticates and negotiates. */
  openProduceLink(nodeId: number): Promise<ProduceLink>
  /**
   * What a connection that is being made, or that logs in again, waits for: an error that names the step, its option and its limit.
   * Undefined where none is.
   *
   * @param nodeId default: any broker; then also what else is waited for, which is the function `brokers`, or the answer to a control request
   */
  pending(nodeId?: number): Error | undefined
  /** Whether the broker answers a control request within a second. Does not reject. */
  isAlive(nodeId: number): Promise<boolean>
  /** Produce connections beside those: who shares one would have to count what the other has in flight on it. */
  separateLinks(): ProduceLinkSource
  /** Closes every connection; what is in flight ends with an error. */
  close(): Promise<void>
}
