import type { Logger } from 'kafkajs'
import { ProducerClosedError } from '../../errors/index.js'
import { type Api, encodeBody, readResponse } from '../../protocol/api.js'
import { apiVersionsApi } from '../../protocol/messages/apiVersions.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { allowManyListeners } from '../../util/realms.js'
import { type Address, addressKey, addressText } from '../address.js'
import type { Configuration } from '../configuration.js'
import { connectionError } from '../connection/connectionErrors.js'
import { exchange } from '../connection/exchange.js'
import type { NetworkListener } from '../connection/networkEvents.js'
import { TimeLimit, within } from '../connection/timeLimit.js'
import { negotiate } from '../handshake/versions.js'
import type {
  BrokerAddress,
  BrokerTrouble,
  ControlAnswer,
  ControlOptions,
  ProduceLink,
  ProduceLinkSource,
  Transport,
} from '../port.js'
import { BrokerHealth } from './brokerHealth.js'
import { type Candidate, candidates, orderKnown } from './candidates.js'
import { type AddressOrigin, Connector } from './connector.js'
import { ControlConnections } from './controlConnections.js'
import {
  brokerNotFound,
  mayTryAnother,
  noAnswerInTime,
  noSeedsInTime,
  notReachedInTime,
} from './controlErrors.js'
import type { Loan, Question } from './controlRequest.js'
import { firstOf } from './firstOf.js'
import { ProduceLinks } from './produceLinks.js'

/** How long a broker is being reached before another one is tried beside it. ms */
const REACHING_ALONE_MS = 500

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
  readonly #configuration: Configuration
  readonly #logger: Logger
  readonly #health = new BrokerHealth()
  readonly #connector: Connector
  /** The first are those of `openProduceLink`. */
  readonly #links: [ProduceLinks, ...ProduceLinks[]]
  readonly #closing = new AbortController()
  /** By address: a seed that turns out to be a known broker keeps its connection. */
  readonly #controls = new Map<string, ControlConnections>()
  #brokers: readonly BrokerAddress[] = []
  #turn = 0

  constructor({ configuration, listener, connectionsMaxIdleMs }: TransportParts) {
    // Every call under way listens to it: Node would warn of a leak from the eleventh on.
    allowManyListeners(this.#closing.signal)
    this.#configuration = configuration
    this.#logger = configuration.logger.namespace('Transport')
    this.#connector = new Connector({
      configuration,
      health: this.#health,
      listener,
      logger: this.#logger,
      maxIdleMs: connectionsMaxIdleMs,
    })
    this.#links = [new ProduceLinks(this.#connector)]
  }

  get troubles(): readonly BrokerTrouble[] {
    return this.#health.troubles
  }

  setBrokers(brokers: readonly BrokerAddress[]): void {
    const before = new Set(this.#brokers.map(addressKey))
    this.#brokers = [...brokers]
    const known = new Set(brokers.map(addressKey))
    this.#health.keepOnly(new Set([...known, ...before]))
    for (const links of this.#links) links.follow(brokers)
    for (const [key, connections] of this.#controls) {
      // A broker that one answer leaves out is there again in the next; a seed under another name is needed no more.
      if (known.has(key) || before.has(key)) continue
      this.#controls.delete(key)
      connections.retire()
    }
  }

  async control<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
    { target, timeoutMs, besideMs }: ControlOptions,
    maxVersion?: number,
  ): Promise<ControlAnswer<Response>> {
    const { signal } = this.#closing
    signal.throwIfAborted()
    const question = { api, body, timeoutMs, maxVersion }
    if ('anyBut' in target) {
      return besideMs === undefined
        ? this.#askFirstReached(question, target.anyBut)
        : this.#askFirstToAnswer(question, target.anyBut, besideMs)
    }
    const address = 'at' in target ? target.at : this.#brokers.find(each => each.nodeId === target.node)
    if (address === undefined) throw brokerNotFound('at' in target ? target.at.nodeId : target.node)
    const loan = await this.#borrow({ address, origin: 'advertised' }, question, signal)
    return this.#ask(loan, question)
  }

  openProduceLink(nodeId: number): Promise<ProduceLink> {
    return this.#openLink(this.#links[0], nodeId)
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
    for (const connections of this.#controls.values()) connections.cancel(error)
    await this.#connector.closeAll(error)
  }

  /** One request, of the first broker on which a connection can be had. */
  async #askFirstReached<ReqIn, Response>(
    question: Question<ReqIn, Response>,
    avoid: number | undefined,
  ): Promise<ControlAnswer<Response>> {
    const loan = await firstOf<Candidate, Loan>({
      candidates: this.#candidates(avoid, question, () => false),
      besideMs: REACHING_ALONE_MS,
      attempt: (candidate, over) => this.#borrow(candidate, question, over),
      onSlow: candidate => this.#noteSlow(candidate, REACHING_ALONE_MS),
      discard: ({ connections, ready }) => connections.release(ready),
      isFinal: error => !mayTryAnother(error),
      signal: this.#closing.signal,
    })
    return this.#ask(loan, question)
  }

  /** One broker after the other is asked beside those that have not answered yet; the first answer counts. */
  async #askFirstToAnswer<ReqIn, Response>(
    question: Question<ReqIn, Response>,
    avoid: number | undefined,
    besideMs: number,
  ): Promise<ControlAnswer<Response>> {
    let reached = 0
    const unanswered = new Set<unknown>()
    return firstOf<Candidate, ControlAnswer<Response>>({
      candidates: this.#candidates(avoid, question, () => reached > 0),
      besideMs,
      attempt: async (candidate, over) => {
        const loan = await this.#borrow(candidate, question, over)
        if (over.aborted) {
          loan.connections.release(loan.ready)
          throw over.reason
        }
        reached++
        return this.#ask(loan, question).catch(error => {
          unanswered.add(error)
          throw error
        })
      },
      onSlow: candidate => this.#noteSlow(candidate, besideMs),
      discard: () => {},
      // Who was asked and did not answer is asked again by the caller, in its own time.
      isFinal: (error, othersPending) => (unanswered.has(error) ? !othersPending : !mayTryAnother(error)),
      signal: this.#closing.signal,
    })
  }

  #candidates(
    avoid: number | undefined,
    {
      api,
      timeoutMs,
    }: Pick<Question<never, unknown>, 'timeoutMs'> & { readonly api: { readonly name: string } },
    isReached: () => boolean,
  ): AsyncGenerator<Candidate> {
    const known = orderKnown(this.#brokers, this.#health, avoid, this.#turn++, performance.now())
    const tooLate = () => noSeedsInTime(api.name, timeoutMs)
    let seeds: AsyncIterator<Address> | undefined
    return candidates(known, async () => {
      if (isReached()) return undefined
      seeds ??= this.#configuration.seeds()
      const list = seeds
      const step = await within(timeoutMs, tooLate, this.#closing.signal, () => list.next())
      return step.done === true ? undefined : step.value
    })
  }

  #noteSlow({ address }: Candidate, afterMs: number): void {
    const error = connectionError(`No answer within ${afterMs} ms`, address)
    this.#health.noteFailure(addressKey(address), performance.now(), error)
  }

  async #borrow(
    { address, origin }: Candidate,
    { api, timeoutMs }: { readonly api: { readonly name: string }; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<Loan> {
    const connections = this.#controlsOf(address, origin)
    const tooLate = () =>
      notReachedInTime(api.name, timeoutMs, address, this.#health.causeOf(addressKey(address)))
    const reaching = new TimeLimit(timeoutMs, tooLate, signal)
    try {
      return { connections, ready: await connections.acquire(reaching.signal) }
    } catch (error) {
      if (!signal.aborted)
        this.#logger.debug('A broker cannot be reached', {
          broker: addressText(address),
          error: (error as Error).message,
        })
      throw error
    } finally {
      reaching.clear()
      this.#forgetIfEmpty(address)
    }
  }

  /** The request's own time begins here, where its connection is ready. */
  async #ask<ReqIn, Response>(
    { connections, ready }: Loan,
    { api, body, timeoutMs, maxVersion }: Question<ReqIn, Response>,
  ): Promise<ControlAnswer<Response>> {
    const { connection } = ready
    const { address } = connection
    const answering = new TimeLimit(timeoutMs, () => noAnswerInTime(timeoutMs), this.#closing.signal)
    try {
      const version = negotiate(api, ready.versions, addressText(address), maxVersion)
      const bytes = encodeBody(api, api.request, version, body(version))
      const payload = await exchange(connection, api, version, bytes, { signal: answering.signal })
      const { response, trailingBytes } = readResponse(api, version, payload)
      const { throttleTimeMs } = response as { readonly throttleTimeMs?: unknown }
      if (typeof throttleTimeMs === 'number') this.#connector.throttle(connection, throttleTimeMs)
      this.#health.noteSuccess(addressKey(address))
      return { response, version, nodeId: this.#nodeIdAt(address), trailingBytes }
    } catch (error) {
      // What cannot be read here says that the two sides do not agree on where messages begin.
      if (error instanceof MalformedMessageError) connection.close(error)
      // Closed with a request under way: not what a healthy broker does.
      if (connection.closedWith && !this.#closing.signal.aborted)
        this.#health.noteFailure(addressKey(address), performance.now(), error as Error)
      throw error
    } finally {
      answering.clear()
      connections.release(ready)
    }
  }

  #controlsOf(address: Address, origin: AddressOrigin): ControlConnections {
    const key = addressKey(address)
    const { host, port } = address
    const connections =
      this.#controls.get(key) ?? new ControlConnections({ host, port }, origin, this.#connector)
    this.#controls.set(key, connections)
    return connections
  }

  /** Addresses that come and go must not pile up. */
  #forgetIfEmpty(address: Address): void {
    const key = addressKey(address)
    if (this.#controls.get(key)?.isEmpty === true) this.#controls.delete(key)
  }

  #nodeIdAt(address: Address): number {
    const key = addressKey(address)
    return this.#brokers.find(each => addressKey(each) === key)?.nodeId ?? -1
  }
}
