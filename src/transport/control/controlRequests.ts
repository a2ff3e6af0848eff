import type { Logger } from 'kafkajs'
import { encodeBody, readResponse } from '../../protocol/api.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { type Address, addressKey, addressText } from '../address.js'
import type { BrokerHealth } from '../brokers/brokerHealth.js'
import { type Candidate, candidates, orderKnown } from '../brokers/candidates.js'
import type { AddressOrigin, Connector } from '../brokers/connector.js'
import type { Configuration } from '../configuration.js'
import { connectionError } from '../connection/connectionErrors.js'
import { exchange } from '../connection/exchange.js'
import { TimeLimit, within } from '../connection/timeLimit.js'
import { negotiate } from '../handshake/versions.js'
import type { BrokerAddress, ControlAnswer } from '../port.js'
import { ControlConnections } from './controlConnections.js'
import {
  mayTryAnother,
  noAnswerInTime,
  noAnswerYet,
  noSeedsInTime,
  noSeedsYet,
  notReachedInTime,
} from './controlErrors.js'
import type { Loan, Question } from './controlRequest.js'
import { firstOf } from './firstOf.js'

/** How long a broker is being reached before another one is tried beside it. ms */
const REACHING_ALONE_MS = 500

export interface ControlRequestsParts {
  readonly configuration: Configuration
  readonly connector: Connector
  readonly health: BrokerHealth
  readonly logger: Logger
  /** Aborted when the transport closes. */
  readonly closing: AbortSignal
}

/** Control requests: which broker is asked, on which of its connections, and within what time. */
export class ControlRequests {
  readonly #parts: ControlRequestsParts
  readonly #closing: AbortSignal
  /** By address: a seed that turns out to be a known broker keeps its connection. */
  readonly #controls = new Map<string, ControlConnections>()
  #brokers: readonly BrokerAddress[] = []
  #turn = 0
  /** What is waited for beside connections, each as an error that tells for how long. The oldest first. */
  readonly #awaited = new Set<() => Error>()

  constructor(parts: ControlRequestsParts) {
    this.#parts = parts
    this.#closing = parts.closing
  }

  /**
   * @param kept the addresses of these brokers and of those before: a broker that one answer leaves out is there again in the next; a seed
   * under another name is needed no more
   */
  follow(brokers: readonly BrokerAddress[], kept: ReadonlySet<string>): void {
    this.#brokers = [...brokers]
    for (const [key, connections] of this.#controls) {
      if (kept.has(key)) continue
      this.#controls.delete(key)
      connections.retire()
    }
  }

  /** What is waited for at this moment: the function `brokers`, or the answer to a request. */
  get pending(): Error | undefined {
    const [oldest] = this.#awaited
    return oldest?.()
  }

  cancel(error: Error): void {
    for (const connections of this.#controls.values()) connections.cancel(error)
  }

  /** One request, of one broker. */
  async askAt<ReqIn, Response>(
    address: Address,
    question: Question<ReqIn, Response>,
  ): Promise<ControlAnswer<Response>> {
    const loan = await this.#borrow({ address, origin: 'advertised' }, question, this.#closing)
    return this.#ask(loan, question)
  }

  /** One request, of the first broker on which a connection can be had. */
  async askFirstReached<ReqIn, Response>(
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
      signal: this.#closing,
    })
    return this.#ask(loan, question)
  }

  /** One broker after the other is asked beside those that have not answered yet; the first answer counts. */
  async askFirstToAnswer<ReqIn, Response>(
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
      signal: this.#closing,
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
    const known = orderKnown(this.#brokers, this.#parts.health, avoid, this.#turn++, performance.now())
    const tooLate = () => noSeedsInTime(api.name, timeoutMs)
    let seeds: AsyncIterator<Address> | undefined
    return candidates(known, async () => {
      if (isReached()) return undefined
      seeds ??= this.#parts.configuration.seeds()
      const list = seeds
      const step = await this.#awaiting(noSeedsYet, () =>
        within(timeoutMs, tooLate, this.#closing, () => list.next()),
      )
      return step.done === true ? undefined : step.value
    })
  }

  /** @param yet what is told meanwhile, of ms so far */
  async #awaiting<T>(yet: (forMs: number) => Error, work: () => Promise<T>): Promise<T> {
    const since = performance.now()
    const pending = () => yet(performance.now() - since)
    this.#awaited.add(pending)
    try {
      return await work()
    } finally {
      this.#awaited.delete(pending)
    }
  }

  #noteSlow({ address }: Candidate, afterMs: number): void {
    const error = connectionError(`No answer within ${afterMs} ms`, address)
    this.#parts.health.noteFailure(addressKey(address), performance.now(), error)
  }

  async #borrow(
    { address, origin }: Candidate,
    { api, timeoutMs }: { readonly api: { readonly name: string }; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<Loan> {
    const connections = this.#controlsOf(address, origin)
    const tooLate = () =>
      notReachedInTime(
        api.name,
        timeoutMs,
        address,
        this.#parts.connector.pending(address) ?? this.#parts.health.causeOf(addressKey(address)),
      )
    const reaching = new TimeLimit(timeoutMs, tooLate, signal)
    try {
      return { connections, ready: await connections.acquire(reaching.signal) }
    } catch (error) {
      if (!signal.aborted)
        this.#parts.logger.debug('A broker cannot be reached', {
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
    const answering = new TimeLimit(timeoutMs, () => noAnswerInTime(timeoutMs), this.#closing)
    try {
      const version = negotiate(api, ready.versions, addressText(address), maxVersion)
      const bytes = encodeBody(api, api.request, version, body(version))
      const payload = await this.#awaiting(
        forMs => noAnswerYet(api.name, address, forMs),
        () => exchange(connection, api, version, bytes, { signal: answering.signal }),
      )
      const { response, trailingBytes } = readResponse(api, version, payload)
      const { throttleTimeMs } = response as { readonly throttleTimeMs?: unknown }
      if (typeof throttleTimeMs === 'number') this.#parts.connector.throttle(connection, throttleTimeMs)
      this.#parts.health.noteSuccess(addressKey(address))
      return { response, version, nodeId: this.#nodeIdAt(address), trailingBytes }
    } catch (error) {
      // What cannot be read here says that the two sides do not agree on where messages begin.
      if (error instanceof MalformedMessageError) connection.close(error)
      // Closed with a request under way: not what a healthy broker does.
      if (connection.closedWith && !this.#closing.aborted)
        this.#parts.health.noteFailure(addressKey(address), performance.now(), error as Error)
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
      this.#controls.get(key) ?? new ControlConnections({ host, port }, origin, this.#parts.connector)
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
