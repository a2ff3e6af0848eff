import type { ProduceExchange } from '../port.js'
import { shielded } from './quiet.js'
import type { RequestHeaderFields } from './requestHeader.js'

export interface OutgoingRequest extends RequestHeaderFields {
  readonly apiName: string
  readonly expectResponse: boolean
  /** The body. Not copied. */
  readonly chunks: readonly Buffer[]
}

/** One request from `send` to its end. */
export class Sending {
  sent = false
  ended = false
  released = false

  constructor(
    readonly request: OutgoingRequest,
    readonly exchange: ProduceExchange,
  ) {}

  respond(payload: Buffer | null): void {
    if (this.ended) return
    this.ended = true
    shielded(() => this.exchange.onResponse(payload))
  }

  fail(error: Error): void {
    if (this.ended) return
    this.ended = true
    shielded(() => this.exchange.onFailure(error, this.sent))
  }

  release(): void {
    if (this.released) return
    this.released = true
    shielded(() => this.exchange.onBuffersReleased())
  }
}
