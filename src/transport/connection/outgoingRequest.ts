import type { ProduceExchange } from '../port.js'
import { surface } from '../quiet.js'
import type { RequestRecord } from './networkEvents.js'
import type { RequestHeaderFields } from './requestHeader.js'

/** What the connection has to know of a request. */
export interface RequestFields extends RequestHeaderFields {
  readonly apiName: string
  readonly expectResponse: boolean
  /** The largest answer that is taken. bytes */
  readonly maxResponseBytes: number
  /** The body. Not copied. */
  readonly chunks: readonly Buffer[]
}

/** One request from `send` to its end. */
export class OutgoingRequest implements RequestRecord {
  readonly fields: RequestFields
  readonly correlationId: number
  /** ms since 1970, as kafkajs's events tell it */
  readonly createdAt = Date.now()
  sentAt: number | null = null
  /** Bytes of it may have left. */
  sent = false
  readonly #exchange: ProduceExchange
  #ended = false
  #released = false

  constructor(fields: RequestFields, correlationId: number, exchange: ProduceExchange) {
    this.fields = fields
    this.correlationId = correlationId
    this.#exchange = exchange
  }

  get apiKey(): number {
    return this.fields.apiKey
  }

  get apiName(): string {
    return this.fields.apiName
  }

  get apiVersion(): number {
    return this.fields.apiVersion
  }

  respond(payload: Buffer | null): void {
    if (this.#ended) return
    this.#ended = true
    try {
      this.#exchange.onResponse(payload)
    } catch (error) {
      surface(error)
    }
  }

  fail(error: Error): void {
    if (this.#ended) return
    this.#ended = true
    try {
      this.#exchange.onFailure(error, this.sent)
    } catch (thrown) {
      surface(thrown)
    }
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    try {
      this.#exchange.onBuffersReleased()
    } catch (error) {
      surface(error)
    }
  }
}
