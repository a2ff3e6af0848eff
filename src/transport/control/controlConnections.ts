import type { Address } from '../address.js'
import type { AddressOrigin, Connector } from '../brokers/connector.js'
import type { ReadyConnection } from '../handshake/readyConnection.js'

/**
 * A broker answers the requests of one connection one after the other, and some take seconds (CreateTopics waits for the
 * controller): a second connection keeps metadata from standing behind them.
 */
const MAX_CONNECTIONS = 2
/** setTimeout fires at once above this. ms */
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface Waiter {
  resolve(connection: ReadyConnection): void
  reject(error: Error): void
}

/**
 * The control connections of one broker. Each is lent to one request at a time, so that nothing else is in flight when
 * its credentials are renewed. At most one is being opened; that goes on for the next when who asked for it waits no longer.
 */
export class ControlConnections {
  readonly #address: Address
  readonly #origin: AddressOrigin
  readonly #connector: Connector
  readonly #open = new Set<ReadyConnection>()
  readonly #idle: ReadyConnection[] = []
  readonly #waiting = new Set<Waiter>()
  readonly #cancel = new AbortController()
  #preparing = 0
  #isOpening = false
  #isRetired = false
  #timer: NodeJS.Timeout | undefined
  /** As kafkajs's event of the requests that are held back told it last. */
  #toldHeld = 0
  #teller: ReadyConnection | undefined

  constructor(address: Address, origin: AddressOrigin, connector: Connector) {
    this.#address = address
    this.#origin = origin
    this.#connector = connector
  }

  /** Nothing is left of them. */
  get isEmpty(): boolean {
    return this.#open.size === 0 && !this.#isOpening && this.#waiting.size === 0
  }

  /** Rejects with the signal's reason when it is aborted first. What it gives must be released. */
  acquire(signal: AbortSignal): Promise<ReadyConnection> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const leave = () => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(waiter)
        if (this.#waiting.size === 0) this.#stopTimer()
      }
      const onAbort = () => {
        leave()
        reject(signal.reason)
      }
      const waiter: Waiter = {
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
      this.#waiting.add(waiter)
      this.#serve()
    })
  }

  release(connection: ReadyConnection): void {
    if (!connection.isOpen) return
    this.#idle.push(connection)
    this.#serve()
  }

  /** The broker has gone or moved: what is under way may end, then everything closes. */
  retire(): void {
    this.#isRetired = true
    this.#serve()
  }

  /** Ends what is being opened and who waits for it. */
  cancel(error: Error): void {
    this.#cancel.abort(error)
    for (const waiter of [...this.#waiting]) waiter.reject(error)
  }

  #serve(): void {
    this.#stopTimer()
    while (this.#waiting.size > 0) {
      const idle = this.#takeUsable()
      if (idle?.needsPreparation === true) void this.#prepare(idle)
      else if (idle !== undefined) this.#nextWaiter()!.resolve(idle)
      // Those that are being prepared have somebody who waits for them.
      else if (this.#waiting.size <= this.#preparing || this.#isOpening) return
      else if (this.#open.size < MAX_CONNECTIONS) void this.#openOne()
      else return this.#awaitThrottle()
    }
    if (!this.#isRetired) return
    for (const connection of this.#idle.splice(0)) connection.retire()
  }

  #nextWaiter(): Waiter | undefined {
    const [waiter] = this.#waiting
    return waiter
  }

  /** The one used last that no quota holds back: while a broker throttles it, a connection is not lent. */
  #takeUsable(): ReadyConnection | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      if (this.#idle[at]!.connection.throttledForMs === 0) return this.#idle.splice(at, 1)[0]
    }
    return undefined
  }

  #awaitThrottle(): void {
    if (this.#idle.length === 0) return
    const forMs = Math.min(...this.#idle.map(each => each.connection.throttledForMs))
    this.#tellHeld(this.#waiting.size)
    this.#timer = setTimeout(() => this.#serve(), Math.min(Math.ceil(forMs), LONGEST_TIMER_MS))
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.size === 0) this.#tellHeld(0)
  }

  #tellHeld(count: number): void {
    if (count === this.#toldHeld) return
    this.#toldHeld = count
    this.#teller ??= this.#idle[0]
    this.#teller?.connection.tellHeld(count)
    if (count === 0) this.#teller = undefined
  }

  async #prepare(connection: ReadyConnection): Promise<void> {
    this.#preparing++
    try {
      await connection.prepare(this.#cancel.signal)
      this.#idle.push(connection)
    } catch {
      // It is closed: another one is opened for whoever waits.
    }
    this.#preparing--
    this.#serve()
  }

  async #openOne(): Promise<void> {
    this.#isOpening = true
    try {
      const ready = await this.#connector.open(this.#address, this.#origin, this.#cancel.signal)
      this.#open.add(ready)
      ready.connection.onClosed = () => this.#forget(ready)
      if (ready.connection.closedWith !== undefined) this.#forget(ready)
      else this.#idle.push(ready)
      this.#isOpening = false
    } catch (error) {
      this.#isOpening = false
      // Those who waited for this connection share its failure.
      for (const waiter of [...this.#waiting].slice(this.#preparing)) waiter.reject(error as Error)
    }
    this.#serve()
  }

  #forget(connection: ReadyConnection): void {
    this.#open.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#serve()
  }
}
