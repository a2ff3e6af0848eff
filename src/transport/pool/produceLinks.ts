import { type Address, addressKey } from '../address.js'
import type { Connector } from '../brokers/connector.js'
import { connectionError } from '../connection/connectionErrors.js'
import type { ReadyConnection } from '../handshake/readyConnection.js'
import type { BrokerAddress } from '../port.js'
import { BrokerProduceLink } from './produceLink.js'

interface Slot {
  readonly address: Address
  readonly cancel: AbortController
  readonly opening: Promise<BrokerProduceLink>
  link: BrokerProduceLink | undefined
}

/** At most one produce link per broker: open, or being opened for all who ask meanwhile. */
export class ProduceLinks {
  readonly #connector: Connector
  readonly #slots = new Map<number, Slot>()

  constructor(connector: Connector) {
    this.#connector = connector
  }

  open(nodeId: number, address: Address): Promise<BrokerProduceLink> {
    const existing = this.#slots.get(nodeId)
    if (existing) return existing.opening

    const cancel = new AbortController()
    const opening = this.#connect(nodeId, address, cancel.signal, () => {
      if (this.#slots.get(nodeId) === slot) this.#slots.delete(nodeId)
    })
    const slot: Slot = { address, cancel, opening, link: undefined }
    this.#slots.set(nodeId, slot)
    opening.then(
      link => {
        slot.link = link
      },
      () => {},
    )
    return opening
  }

  /**
   * Brokers have moved: a link to an address that is a broker's no longer takes no more requests, and closes once what is in flight
   * has ended. One that the list leaves out keeps its link: the answer of a broker that lags behind lacks brokers that live.
   */
  follow(brokers: readonly BrokerAddress[]): void {
    if (this.#slots.size === 0) return
    for (const broker of brokers) {
      const slot = this.#slots.get(broker.nodeId)
      if (slot === undefined || addressKey(slot.address) === addressKey(broker)) continue
      this.#slots.delete(broker.nodeId)
      if (slot.link !== undefined) slot.link.retire()
      else slot.cancel.abort(connectionError('The broker has moved', slot.address))
    }
  }

  closeAll(error: Error): void {
    for (const slot of this.#slots.values()) slot.cancel.abort(error)
    this.#slots.clear()
  }

  async #connect(
    nodeId: number,
    address: Address,
    signal: AbortSignal,
    forget: () => void,
  ): Promise<BrokerProduceLink> {
    let ready: ReadyConnection | undefined
    try {
      ready = await this.#connector.open({ host: address.host, port: address.port }, 'advertised', signal)
      const { connection } = ready
      const link = new BrokerProduceLink(nodeId, ready, ms => this.#connector.throttle(connection, ms))
      if (connection.closedWith) throw connection.closedWith
      connection.onClosed = error => {
        forget()
        link.notifyClosed(error)
      }
      signal.addEventListener('abort', () => connection.close(signal.reason), { once: true })
      return link
    } catch (error) {
      forget()
      ready?.connection.close(error as Error)
      throw error
    }
  }
}
