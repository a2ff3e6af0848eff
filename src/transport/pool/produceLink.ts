import { produceApi } from '../../protocol/messages/produce.js'
import { addressText } from '../address.js'
import type { ReadyConnection } from '../handshake/readyConnection.js'
import { negotiate } from '../handshake/versions.js'
import type { ProduceExchange, ProduceLink } from '../port.js'

/** An answer says some 60 bytes of each partition, and a text of each record that is refused. bytes */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** A connection that carries produce requests only. */
export class BrokerProduceLink implements ProduceLink {
  readonly nodeId: number
  readonly produceVersion: number
  readonly #ready: ReadyConnection
  readonly #onThrottled: (ms: number) => void
  readonly #cancel = new AbortController()
  #onClosed: ((error: Error) => void) | undefined

  /** @throws {UnsupportedApiError} */
  constructor(nodeId: number, ready: ReadyConnection, onThrottled: (ms: number) => void) {
    this.nodeId = nodeId
    this.#ready = ready
    this.#onThrottled = onThrottled
    this.produceVersion = negotiate(produceApi, ready.versions, addressText(ready.connection.address))
  }

  get onClosed(): ((error: Error) => void) | undefined {
    return this.#onClosed
  }

  set onClosed(listener: ((error: Error) => void) | undefined) {
    this.#onClosed = listener
    // Closed between the opening and the turn of whoever awaited it: that must not pass unnoticed.
    const { closedWith } = this.#ready.connection
    if (closedWith) queueMicrotask(() => this.notifyClosed(closedWith))
  }

  notifyClosed(error: Error): void {
    this.#cancel.abort(error)
    const listener = this.#onClosed
    this.#onClosed = undefined
    listener?.(error)
  }

  get isOpen(): boolean {
    return this.#ready.isOpen
  }

  get needsPreparation(): boolean {
    return this.#ready.needsPreparation
  }

  prepare(): Promise<void> {
    return this.#ready.prepare(this.#cancel.signal)
  }

  retire(): void {
    this.#ready.retire()
  }

  get throttledForMs(): number {
    return this.#ready.connection.throttledForMs
  }

  throttle(ms: number): void {
    this.#onThrottled(ms)
  }

  produce(version: number, chunks: readonly Buffer[], acks: number, exchange: ProduceExchange): void {
    this.#ready.connection.send(
      {
        apiKey: produceApi.key,
        apiName: produceApi.name,
        apiVersion: version,
        flexible: version >= produceApi.flexibleFrom,
        expectResponse: acks !== 0,
        maxResponseBytes: MAX_ANSWER_BYTES,
        chunks,
      },
      exchange,
    )
  }

  destroy(error: Error): void {
    this.#ready.connection.close(error)
  }
}
