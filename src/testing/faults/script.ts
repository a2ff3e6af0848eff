import type { RequestOf, ResponseOf } from '../apis/registry.js'
import type { ApiName } from '../model/apiNames.js'

/** A request as a fault sees it, before it is served. */
export interface FaultedRequest<Q, R> {
  /** Which API is called. */
  readonly api: ApiName
  /** In which version of the API. */
  readonly version: number
  /** The node id of the broker that read it. */
  readonly node: number
  /** The client id of the request's header. */
  readonly clientId: string | null
  /** The correlation id of the request's header. */
  readonly correlationId: number
  /** The number of its connection among those of the cluster, from 1. */
  readonly connectionId: number
  /** The decoded request. */
  readonly body: Q
  /** Aborted when the broker stops or the cluster closes: a fault that waits gives up then. */
  readonly stopped: AbortSignal
  /** Aborted when this connection is gone too. */
  readonly closed: AbortSignal
  /**
   * The response with this error code; with the option `topic`, for that topic only: the others are served.
   *
   * @param fate - `applied`: what is refused is applied all the same; `not-applied` by default
   * @example cluster.on('Produce', request => request.refuse(ERROR.MESSAGE_TOO_LARGE))
   */
  refuse(errorCode: number, fate?: 'not-applied' | 'applied'): Promise<R | null>
  /**
   * The bytes of a response, including its size and header.
   *
   * @example
   * cluster.on('Metadata', async (request, next) => {
   *   const response = await next()
   *   if (response !== null) request.write(request.encode(response))
   *   return null
   * })
   */
  encode(response: R): Buffer
  /**
   * Writes bytes to the connection as they are.
   *
   * @example
   * cluster.on('Metadata', request => {
   *   request.write(Buffer.from('HTTP/1.1 400 Bad Request'))
   *   return null
   * })
   */
  write(bytes: Uint8Array): void
  /**
   * Closes the connection, after what was written.
   *
   * @example
   * cluster.on('Produce', request => {
   *   request.drop()
   *   return null
   * })
   */
  drop(): void
  /**
   * Serves nothing on this connection for that time after this request, in ms, as a broker does that throttles (KIP-219).
   *
   * @example
   * cluster.on('Produce', (request, next) => {
   *   request.mute(100)
   *   return next()
   * })
   */
  mute(ms: number): void
}

/**
 * What happens to a request in place of being served. `next` serves it, with another body where one is given. The response that it returns is
 * sent to the client; null answers nothing. An error that it throws is a finding of {@link EmbeddedKafka.close}.
 */
export type Fault<Q = unknown, R = unknown> = (
  request: FaultedRequest<Q, R>,
  next: (body?: Q) => Promise<R | null>,
) => R | null | Promise<R | null>

/** The faults that fit an API; those for '*' know no message types. */
export type FaultFor<N extends ApiName | '*'> = N extends ApiName ? Fault<RequestOf<N>, ResponseOf<N>> : Fault

/** Which requests a fault meets. */
export interface FaultOptions {
  /**
   * How many requests it meets; Infinity: all, and it need not be used up when the cluster closes.
   *
   * @defaultValue 1
   */
  readonly times?: number
  /**
   * Only requests to the broker with this node id.
   *
   * @defaultValue all brokers
   */
  readonly node?: number
  /**
   * Only requests that name this topic.
   *
   * @defaultValue all topics
   */
  readonly topic?: string
}

interface Script {
  readonly api: ApiName | '*'
  readonly fault: Fault
  readonly options: FaultOptions
  left: number
}

export interface MatchedFault {
  readonly fault: Fault
  readonly topic: string | undefined
}

/** The faults in the order they were given. Those with a count go before those that stay. */
export class FaultScripts {
  private readonly scripts: Script[] = []

  add(api: ApiName | '*', fault: Fault, options: FaultOptions): () => void {
    const script = { api, fault, options, left: options.times ?? 1 }
    this.scripts.push(script)
    return () => this.remove(script)
  }

  /** Finds the fault for a request and uses it once. */
  take(api: ApiName, node: number, topics: readonly string[] | null | undefined): MatchedFault | undefined {
    const matches = this.scripts.filter(
      script =>
        (script.api === api || script.api === '*') &&
        (script.options.node === undefined || script.options.node === node) &&
        (script.options.topic === undefined || topics === null || topics?.includes(script.options.topic)),
    )
    const script = matches.find(each => each.left !== Infinity) ?? matches[0]
    if (!script) return undefined
    script.left--
    if (script.left <= 0) this.remove(script)
    return { fault: script.fault, topic: script.options.topic }
  }

  /** One line for each fault that was to meet more requests than came. */
  unused(): string[] {
    return this.scripts
      .filter(({ left }) => left !== Infinity)
      .map(({ api, options, left }) => {
        const where = [
          options.node === undefined ? '' : ` on node ${options.node}`,
          options.topic === undefined ? '' : ` for topic ${options.topic}`,
        ].join('')
        return `a fault on ${api}${where} has ${left} of ${options.times ?? 1} times left`
      })
  }

  private remove(script: Script): void {
    const index = this.scripts.indexOf(script)
    if (index >= 0) this.scripts.splice(index, 1)
  }
}
