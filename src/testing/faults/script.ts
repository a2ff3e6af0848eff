import type { ApiName } from '../apis/names.js'

/** A request as a fault sees it, before it is served. */
export interface FaultedRequest<Q, R> {
  readonly api: ApiName
  readonly version: number
  readonly node: number
  readonly clientId: string | null
  readonly correlationId: number
  readonly connectionId: number
  readonly body: Q
  /** Aborted when the broker stops or the cluster closes: a fault that waits gives up then. */
  readonly stopped: AbortSignal
  /** Aborted when this connection is gone too. */
  readonly closed: AbortSignal
  /**
   * The response with this error code; with the option `topic`, for that topic only: the others are served.
   *
   * @param fate `applied`: what is refused was applied all the same. Default `not-applied`
   */
  refuse(errorCode: number, fate?: 'not-applied' | 'applied'): Promise<R | null>
  /** The bytes of a response, its size and header included. */
  encode(response: R): Buffer
  /** Writes bytes past the protocol. */
  write(bytes: Uint8Array): void
  /** Cuts the connection after what was written. */
  drop(): void
  /** Serves nothing more on this connection for so long after this request, as a broker does that throttles. */
  mute(ms: number): void
}

/**
 * What happens to a request instead of being served: `next` serves it (with another body, if one is given). The
 * response it ends with goes to the client; null answers nothing.
 */
export type Fault<Q = unknown, R = unknown> = (
  request: FaultedRequest<Q, R>,
  next: (body?: Q) => Promise<R | null>,
) => R | null | Promise<R | null>

export interface FaultOptions {
  /** How many requests it meets; Infinity: all, and `close()` does not miss it. Default 1. */
  readonly times?: number
  /** Only requests to this broker. */
  readonly node?: number
  /** Only requests that name this topic. */
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
