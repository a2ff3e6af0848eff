import { ProducerClosedError } from '../../errors/index.js'
import type { Api } from '../../protocol/api.js'
import { apiVersionsApi } from '../../protocol/messages/apiVersions.js'
import { allowManyListeners } from '../../util/realms.js'
import { addressKey } from '../address.js'
import { BrokerHealth } from '../brokers/brokerHealth.js'
import { Connector } from '../brokers/connector.js'
import type { Configuration } from '../configuration.js'
import type { NetworkListener } from '../connection/networkEvents.js'
import { brokerNotFound } from '../control/controlErrors.js'
import { ControlRequests } from '../control/controlRequests.js'
import type {
  BrokerAddress,
  BrokerTrouble,
  ControlAnswer,
  ControlOptions,
  ProduceLink,
  ProduceLinkSource,
  Transport,
} from '../port.js'
import { ProduceLinks } from './produceLinks.js'

/** What a broker that lives may take to answer the smallest request. ms */
const ALIVE_MS = 1_000
/** From version 3 on the header of its response is another than that of all flexible ones (KIP-511). */
const LAST_PLAIN_API_VERSIONS = 2

export interface TransportParts {
  readonly configuration: Configuration
  readonly listener: NetworkListener
  /** ms */
  readonly connectionsMaxIdleMs: number
}

export class BrokerTransport implements Transport {
  readonly #health = new BrokerHealth()
  readonly #connector: Connector
  /** The first are those of `openProduceLink`. */
  readonly #links: [ProduceLinks, ...ProduceLinks[]]
  readonly #closing = new AbortController()
  readonly #requests: ControlRequests
  #brokers: readonly BrokerAddress[] = []

  constructor({ configuration, listener, connectionsMaxIdleMs }: TransportParts) {
    // Every call under way listens to it: Node would warn of a leak from the eleventh on.
    allowManyListeners(this.#closing.signal)
    const logger = configuration.logger.namespace('Transport')
    this.#connector = new Connector({
      configuration,
      health: this.#health,
      listener,
      logger,
      maxIdleMs: connectionsMaxIdleMs,
    })
    this.#requests = new ControlRequests({
      configuration,
      connector: this.#connector,
      health: this.#health,
      logger,
      closing: this.#closing.signal,
    })
    this.#links = [new ProduceLinks(this.#connector)]
  }

  get troubles(): readonly BrokerTrouble[] {
    return this.#health.troubles
  }

  setBrokers(brokers: readonly BrokerAddress[]): void {
    const before = new Set(this.#brokers.map(addressKey))
    this.#brokers = [...brokers]
    const kept = new Set([...brokers.map(addressKey), ...before])
    this.#health.keepOnly(kept)
    for (const links of this.#links) links.follow(brokers)
    this.#requests.follow(brokers, kept)
  }

  async control<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
    { target, timeoutMs, besideMs }: ControlOptions,
    maxVersion?: number,
  ): Promise<ControlAnswer<Response>> {
    this.#closing.signal.throwIfAborted()
    const question = { api, body, timeoutMs, maxVersion }
    if ('anyBut' in target) {
      return besideMs === undefined
        ? this.#requests.askFirstReached(question, target.anyBut)
        : this.#requests.askFirstToAnswer(question, target.anyBut, besideMs)
    }
    const address = 'at' in target ? target.at : this.#brokers.find(each => each.nodeId === target.node)
    if (address === undefined) throw brokerNotFound('at' in target ? target.at.nodeId : target.node)
    return this.#requests.askAt(address, question)
  }

  openProduceLink(nodeId: number): Promise<ProduceLink> {
    return this.#openLink(this.#links[0], nodeId)
  }

  pending(nodeId?: number): Error | undefined {
    if (nodeId === undefined) return this.#connector.pending() ?? this.#requests.pending
    const address = this.#brokers.find(each => each.nodeId === nodeId)
    return address === undefined ? undefined : this.#connector.pending(address)
  }

  async isAlive(nodeId: number): Promise<boolean> {
    const options = { target: { node: nodeId }, timeoutMs: ALIVE_MS }
    try {
      await this.control(apiVersionsApi, () => ({}), options, LAST_PLAIN_API_VERSIONS)
      return true
    } catch {
      return false
    }
  }

  separateLinks(): ProduceLinkSource {
    const links = new ProduceLinks(this.#connector)
    this.#links.push(links)
    return {
      openProduceLink: nodeId => this.#openLink(links, nodeId),
      isAlive: nodeId => this.isAlive(nodeId),
      pending: nodeId => this.pending(nodeId),
    }
  }

  #openLink(links: ProduceLinks, nodeId: number): Promise<ProduceLink> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason)
    const address = this.#brokers.find(each => each.nodeId === nodeId)
    if (address === undefined) return Promise.reject(brokerNotFound(nodeId))
    return links.open(nodeId, address)
  }

  async close(): Promise<void> {
    const error = new ProducerClosedError()
    this.#closing.abort(error)
    for (const links of this.#links) links.closeAll(error)
    this.#requests.cancel(error)
    await this.#connector.closeAll(error)
  }
}
