import { shielded } from '../quiet.js'

/** The names of kafkajs's network events. */
export type NetworkEventName = 'network.request' | 'network.request_timeout' | 'network.request_queue_size'

/** Who listens to kafkajs's network events. */
export interface NetworkListener {
  /** Whether an event of this name would reach anybody: else it is not made. */
  wants(name: NetworkEventName): boolean
  emit(name: NetworkEventName, payload: object): void
}

/** What an event tells of a request. kafkajs's names; moments in ms since 1970 */
export interface RequestRecord {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  readonly createdAt: number
  readonly sentAt: number | null
}

/** kafkajs's network events of one connection, with kafkajs's payloads (kafkajs/src/network/requestQueue). */
export class NetworkEvents {
  readonly #listener: NetworkListener
  readonly #broker: string
  readonly #clientId: string | null

  constructor(listener: NetworkListener, broker: string, clientId: string | null) {
    this.#listener = listener
    this.#broker = broker
    this.#clientId = clientId
  }

  /** @param size of the response. bytes */
  answered(request: RequestRecord, size: number): void {
    if (!this.#listener.wants('network.request')) return
    const { apiName, apiKey, apiVersion, correlationId, createdAt, sentAt } = request
    const since = sentAt ?? createdAt
    this.#emit('network.request', {
      broker: this.#broker,
      clientId: this.#clientId,
      correlationId,
      size,
      createdAt,
      sentAt: since,
      pendingDuration: since - createdAt,
      duration: Date.now() - since,
      apiName,
      apiKey,
      apiVersion,
    })
  }

  timedOut(request: RequestRecord): void {
    if (!this.#listener.wants('network.request_timeout')) return
    const { apiName, apiKey, apiVersion } = request
    this.#emit('network.request_timeout', { ...this.context(request), apiName, apiKey, apiVersion })
  }

  queueSize(queueSize: number): void {
    if (!this.#listener.wants('network.request_queue_size')) return
    this.#emit('network.request_queue_size', { broker: this.#broker, clientId: this.#clientId, queueSize })
  }

  /** The fields of a KafkaJSRequestTimeoutError. */
  context({ correlationId, createdAt, sentAt }: RequestRecord) {
    return {
      broker: this.#broker,
      clientId: this.#clientId ?? '',
      correlationId,
      createdAt,
      sentAt,
      pendingDuration: sentAt === null ? null : sentAt - createdAt,
    }
  }

  #emit(name: NetworkEventName, payload: object): void {
    shielded(() => this.#listener.emit(name, payload))
  }
}
