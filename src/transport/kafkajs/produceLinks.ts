import type { BrokerAddress } from '../port.js'
import { type Address, addressKey } from './address.js'
import type { BrokerConnection } from './brokerConnection.js'
import { connectionError } from './connectionErrors.js'
import type { Connector } from './connector.js'
import { KafkajsProduceLink } from './produceLink.js'

interface Slot {
  readonly address: Address
  readonly cancel: AbortController
  readonly link: Promise<KafkajsProduceLink>
}

/** At most one produce link per broker: open, or being opened for all who ask meanwhile. */
export class ProduceLinks {
  readonly #slots = new Map<number, Slot>()

  constructor(private readonly connector: Connector) {}

  open(nodeId: number, address: Address): Promise<KafkajsProduceLink> {
    const existing = this.#slots.get(nodeId)
    if (existing) return existing.link

    const cancel = new AbortController()
    const link = this.#connect(nodeId, address, cancel.signal, () => {
      if (this.#slots.get(nodeId) === slot) this.#slots.delete(nodeId)
    })
    const slot: Slot = { address, cancel, link }
    this.#slots.set(nodeId, slot)
    return link
  }

  /** Closes the links of brokers that are gone or have moved. */
  keepOnly(brokers: readonly BrokerAddress[]): void {
    const addresses = new Map(brokers.map(each => [each.nodeId, addressKey(each)]))
    for (const [nodeId, { address }] of this.#slots) {
      if (addresses.get(nodeId) === addressKey(address)) continue
      this.#drop(nodeId, connectionError('The broker has moved or left the cluster', address))
    }
  }

  closeAll(error: Error): void {
    for (const nodeId of this.#slots.keys()) this.#drop(nodeId, error)
  }

  #drop(nodeId: number, error: Error): void {
    const slot = this.#slots.get(nodeId)
    this.#slots.delete(nodeId)
    slot?.cancel.abort(error)
  }

  async #connect(
    nodeId: number,
    address: Address,
    signal: AbortSignal,
    forget: () => void,
  ): Promise<KafkajsProduceLink> {
    let connection: BrokerConnection | undefined
    try {
      connection = await this.connector.open({ host: address.host, port: address.port }, signal)
      const link = new KafkajsProduceLink(nodeId, connection)
      if (connection.closedWith) throw connection.closedWith
      const opened = connection
      opened.onClosed = error => {
        forget()
        link.notifyClosed(error)
      }
      signal.addEventListener('abort', () => opened.close(signal.reason), { once: true })
      return link
    } catch (error) {
      forget()
      connection?.close(error as Error)
      throw error
    }
  }
}
