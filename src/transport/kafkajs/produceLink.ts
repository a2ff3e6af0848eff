import { produceApi } from '../../protocol/messages/produce.js'
import type { ProduceExchange, ProduceLink } from '../port.js'
import { addressKey } from './address.js'
import type { BrokerConnection } from './brokerConnection.js'
import { connectionError } from './connectionErrors.js'
import { Deadline } from './deadline.js'
import { negotiate } from './versions.js'

/** A connection that carries produce requests only. */
export class KafkajsProduceLink implements ProduceLink {
  readonly produceVersion: number
  #onClosed: ((error: Error) => void) | undefined

  /** @throws {UnsupportedApiError} */
  constructor(
    readonly nodeId: number,
    private readonly connection: BrokerConnection,
  ) {
    this.produceVersion = negotiate(produceApi, connection.versions, addressKey(connection.address))
  }

  get onClosed(): ((error: Error) => void) | undefined {
    return this.#onClosed
  }

  set onClosed(listener: ((error: Error) => void) | undefined) {
    this.#onClosed = listener
    // Closed between the opening and the turn of whoever awaited it: that must not pass unnoticed.
    const { closedWith } = this.connection
    if (closedWith) queueMicrotask(() => this.notifyClosed(closedWith))
  }

  notifyClosed(error: Error): void {
    const listener = this.#onClosed
    this.#onClosed = undefined
    listener?.(error)
  }

  get isOpen(): boolean {
    return this.connection.isOpen
  }

  get needsAuthentication(): boolean {
    return this.connection.needsAuthentication
  }

  async authenticate(): Promise<void> {
    const { connection } = this
    const limitMs = connection.authenticationTimeoutMs
    const deadline = new Deadline(limitMs, () =>
      connectionError(`SASL re-authentication took more than ${limitMs} ms`, connection.address),
    )
    try {
      await connection.authenticate(deadline.signal)
    } finally {
      deadline.clear()
    }
  }

  get throttledForMs(): number {
    return this.connection.throttledForMs
  }

  throttle(ms: number): void {
    this.connection.throttle(ms)
  }

  produce(version: number, chunks: readonly Buffer[], acks: number, exchange: ProduceExchange): void {
    this.connection.send(
      {
        apiKey: produceApi.key,
        apiName: produceApi.name,
        apiVersion: version,
        flexible: version >= produceApi.flexibleFrom,
        expectResponse: acks !== 0,
        chunks,
      },
      exchange,
    )
  }

  destroy(error: Error): void {
    this.connection.close(error)
  }
}
