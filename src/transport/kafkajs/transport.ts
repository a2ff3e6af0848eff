import { setMaxListeners } from 'node:events'
import kafkajs, { type Logger } from 'kafkajs'
import { ProducerClosedError } from '../../errors/index.js'
import { type Api, encodeBody, readResponse } from '../../protocol/api.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import type {
  BrokerAddress,
  ControlAnswer,
  ControlOptions,
  ControlTarget,
  ProduceLink,
  ProduceLinkSource,
  Transport,
} from '../port.js'
import { type Address, addressKey } from './address.js'
import type { BrokerConnection } from './brokerConnection.js'
import { BrokerHealth } from './brokerHealth.js'
import { type Candidate, candidates, orderKnown } from './candidates.js'
import { Connector } from './connector.js'
import { exchangeControl } from './controlExchange.js'
import { ControlLane } from './controlLane.js'
import { abortable, Deadline } from './deadline.js'
import type { KafkajsInside } from './inside.js'
import { ProduceLinks } from './produceLinks.js'
import { negotiate } from './versions.js'

/** The share of an attempt's time that a broker may take to be reached while others could be asked. */
const REACHING_SHARE = 0.5

export class KafkajsTransport implements Transport {
  readonly #logger: Logger
  readonly #health = new BrokerHealth()
  readonly #connector: Connector
  /** The first are those of `openProduceLink`. */
  readonly #links: [ProduceLinks, ...ProduceLinks[]]
  readonly #closing = new AbortController()
  /** By address: a seed that turns out to be a known broker keeps its connection. */
  readonly #lanes = new Map<string, ControlLane>()
  #brokers: readonly BrokerAddress[] = []
  #turn = 0

  constructor(private readonly inside: KafkajsInside) {
    // Every call under way listens to it: Node would warn of a leak from the eleventh on.
    setMaxListeners(0, this.#closing.signal)
    this.#logger = inside.logger.namespace('Transport')
    this.#connector = new Connector(inside, this.#health)
    this.#links = [new ProduceLinks(this.#connector)]
  }

  setBrokers(brokers: readonly BrokerAddress[]): void {
    this.#brokers = [...brokers]
    const known = new Set(brokers.map(addressKey))
    this.#health.keepOnly(known)
    for (const links of this.#links) links.keepOnly(brokers)
    for (const [key, lane] of this.#lanes) {
      if (known.has(key)) continue
      this.#lanes.delete(key)
      lane.retire()
    }
  }

  async control<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
    { target, timeoutMs }: ControlOptions,
    maxVersion?: number,
  ): Promise<ControlAnswer<Response>> {
    const deadline = new Deadline(
      timeoutMs,
      () =>
        new kafkajs.KafkaJSRequestTimeoutError(
          `${api.name} could not be sent within ${timeoutMs} ms: no usable connection to ${describeTarget(target)}`,
        ),
      this.#closing.signal,
    )
    let lane: ControlLane | undefined
    let connection: BrokerConnection | undefined
    try {
      ;({ lane, connection } = await this.#reach(target, deadline))
      const where = addressKey(connection.address)
      const version = negotiate(api, connection.versions, where, maxVersion)
      const bytes = encodeBody(api, api.request, version, body(version))
      if (connection.needsAuthentication) await connection.authenticate(deadline.signal)
      const payload = await exchangeControl(connection, api, version, bytes, deadline.signal)
      const { response, trailingBytes } = readResponse(api, version, payload)
      applyThrottle(connection, response)
      this.#health.noteSuccess(where)
      return { response, version, nodeId: this.#nodeIdAt(connection.address), trailingBytes }
    } catch (error) {
      // What cannot be read here says that the two sides do not agree on where messages begin.
      if (error instanceof MalformedMessageError) connection?.close(error)
      // Closed with a request under way: not what a healthy broker does.
      if (connection?.closedWith) this.#health.noteFailure(addressKey(connection.address), performance.now())
      throw error
    } finally {
      deadline.clear()
      if (connection) lane?.release(connection)
    }
  }

  openProduceLink(nodeId: number): Promise<ProduceLink> {
    return this.#openLink(this.#links[0], nodeId)
  }

  separateLinks(): ProduceLinkSource {
    const links = new ProduceLinks(this.#connector)
    this.#links.push(links)
    return { openProduceLink: nodeId => this.#openLink(links, nodeId) }
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
    await this.#connector.closeAll(error)
  }

  /** Borrows a connection of the first broker on which one can be had. */
  async #reach(
    target: ControlTarget,
    deadline: Deadline,
  ): Promise<{ lane: ControlLane; connection: BrokerConnection }> {
    if ('node' in target || 'at' in target) {
      const address = 'at' in target ? target.at : this.#brokers.find(each => each.nodeId === target.node)
      if (address === undefined) throw brokerNotFound('at' in target ? target.at.nodeId : target.node)
      const lane = this.#laneOf(address)
      return { lane, connection: await lane.acquire(deadline.signal) }
    }
    const known = orderKnown(this.#brokers, this.#health, target.anyBut, this.#turn++, performance.now())
    const nextSeed = () => abortable(this.inside.nextSeed(), deadline.signal)
    let lastError: unknown
    for await (const candidate of candidates(known, nextSeed)) {
      try {
        return await this.#tryCandidate(candidate, deadline)
      } catch (error) {
        if (deadline.signal.aborted) throw lastError === undefined ? error : withCause(error, lastError)
        if (!mayTryAnother(error)) throw error
        lastError = error
        this.#logger.debug('A broker cannot be reached', {
          broker: addressKey(candidate.address),
          error: (error as Error).message,
        })
      }
    }
    throw lastError
  }

  async #tryCandidate({ address, hasAlternatives }: Candidate, deadline: Deadline) {
    const lane = this.#laneOf(address)
    const limitMs = deadline.remainingMs * (hasAlternatives ? REACHING_SHARE : 1)
    const reaching = new Deadline(
      limitMs,
      () =>
        new kafkajs.KafkaJSRequestTimeoutError(
          `No connection to ${addressKey(address)} within ${Math.round(limitMs)} ms`,
        ),
      deadline.signal,
    )
    try {
      return { lane, connection: await lane.acquire(reaching.signal) }
    } finally {
      reaching.clear()
    }
  }

  #laneOf(address: Address): ControlLane {
    const key = addressKey(address)
    const lane =
      this.#lanes.get(key) ?? new ControlLane({ host: address.host, port: address.port }, this.#connector)
    this.#lanes.set(key, lane)
    return lane
  }

  #nodeIdAt(address: Address): number {
    const key = addressKey(address)
    return this.#brokers.find(each => addressKey(each) === key)?.nodeId ?? -1
  }
}

/** Not being let in, or not being understood, is the same at every broker. */
const mayTryAnother = (error: unknown): boolean =>
  error instanceof Error && (!('retriable' in error) || error.retriable === true)

const describeTarget = (target: ControlTarget): string => {
  if ('at' in target) return `broker ${target.at.nodeId}`
  return 'node' in target ? `broker ${target.node}` : 'any broker'
}

/** kafkajs's time-out takes no cause. */
const withCause = (error: unknown, cause: unknown): unknown =>
  error instanceof Error ? Object.assign(error, { cause }) : error

// kafkajs's types do not know the argument that its constructor needs.
const brokerNotFound = (nodeId: number): Error =>
  Reflect.construct(kafkajs.KafkaJSBrokerNotFound, [`Broker ${nodeId} is not in the newest metadata`])

/** Brokers answer first and expect the client to hold back by itself (KIP-219). */
const applyThrottle = (connection: BrokerConnection, response: unknown): void => {
  if (typeof response !== 'object' || response === null || !('throttleTimeMs' in response)) return
  const { throttleTimeMs } = response
  if (typeof throttleTimeMs === 'number' && throttleTimeMs > 0) connection.throttle(throttleTimeMs)
}
