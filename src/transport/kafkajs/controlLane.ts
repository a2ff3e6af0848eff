import type { Address } from './address.js'
import type { BrokerConnection } from './brokerConnection.js'
import { connectionError } from './connectionErrors.js'
import type { Connector } from './connector.js'

/**
 * A broker answers the requests of one connection one after the other, and some take seconds (CreateTopics waits for the
 * controller): a second connection keeps metadata from standing behind them.
 */
const MAX_CONNECTIONS = 2

interface Waiter {
  readonly signal: AbortSignal
  resolve(connection: BrokerConnection): void
  reject(error: Error): void
}

/**
 * The control connections of one broker. Each is lent to one request at a time, so that nothing else is in flight when
 * its credentials are renewed. At most one is being opened.
 */
export class ControlLane {
  readonly #open = new Set<BrokerConnection>()
  readonly #idle: BrokerConnection[] = []
  #waiting: Waiter[] = []
  #opening = false
  #retired = false

  constructor(
    readonly address: Address,
    private readonly connector: Connector,
  ) {}

  /** Rejects with the signal's reason when it is aborted first. What it gives must be released. */
  acquire(signal: AbortSignal): Promise<BrokerConnection> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = () => {
        this.#waiting = this.#waiting.filter(each => each !== waiter)
        reject(signal.reason)
      }
      const leave = () => signal.removeEventListener('abort', onAbort)
      const waiter: Waiter = {
        signal,
        resolve: connection => {
          leave()
          resolve(connection)
        },
        reject: error => {
          leave()
          reject(error)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
      this.#serve()
    })
  }

  release(connection: BrokerConnection): void {
    if (!connection.isOpen) return
    this.#idle.push(connection)
    this.#serve()
  }

  /** The broker has gone or moved: what is under way may end, then everything closes. */
  retire(): void {
    this.#retired = true
    this.#serve()
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const idle = this.#idle.pop()
      if (idle) {
        this.#waiting.shift()?.resolve(idle)
      } else if (!this.#opening && this.#open.size < MAX_CONNECTIONS) {
        const waiter = this.#waiting.shift()
        if (waiter) void this.#openFor(waiter)
      } else {
        return
      }
    }
    if (!this.#retired) return
    for (const connection of this.#idle.splice(0)) {
      connection.close(connectionError('The broker has moved or left the cluster', this.address))
    }
  }

  async #openFor(waiter: Waiter): Promise<void> {
    this.#opening = true
    try {
      const connection = await this.connector.open(this.address, waiter.signal)
      if (connection.closedWith) throw connection.closedWith
      this.#open.add(connection)
      connection.onClosed = () => this.#forget(connection)
      this.#opening = false
      // Aborted between the last step of opening and this one: nobody would give the connection back.
      if (waiter.signal.aborted) this.release(connection)
      else waiter.resolve(connection)
    } catch (error) {
      this.#opening = false
      waiter.reject(error as Error)
      // Those who waited for this connection share its failure. If only the first one's time was up, the next one tries.
      if (!waiter.signal.aborted) for (const each of this.#waiting.splice(0)) each.reject(error as Error)
    }
    this.#serve()
  }

  #forget(connection: BrokerConnection): void {
    this.#open.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#serve()
  }
}
