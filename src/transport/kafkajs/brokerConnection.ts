import type { Socket } from 'node:net'
import { ProducerClosedError } from '../../errors/index.js'
import type { ProduceExchange } from '../port.js'
import type { Address } from './address.js'
import { closedError, connectionError, misunderstood, typedError } from './connectionErrors.js'
import { abortable } from './deadline.js'
import type { KafkajsBroker, KafkajsConnection, KafkajsVersions } from './inside.js'
import { guardParser } from './parserGuard.js'
import { quietLogger, shielded, stopIdleTimers } from './quiet.js'
import { watchForRefusedToken } from './refusedToken.js'
import { requestHeader } from './requestHeader.js'
import { type OutgoingRequest, Sending } from './sending.js'
import { fitRenewal } from './session.js'

/**
 * One connection of kafkajs, from connect to close, never connected again: a half-read response survives in a Connection
 * that reconnects. Its requests are written here, its responses parsed and matched by kafkajs.
 */
export class BrokerConnection {
  /** Called once, after every exchange has ended. */
  onClosed: ((error: Error) => void) | undefined
  /** Settles when the socket is closed, so that nothing of it is left. */
  readonly gone: Promise<void>

  /** kafkajs's `authenticationTimeout`. ms */
  authenticationTimeoutMs = 0

  readonly #kafkajs: KafkajsConnection
  readonly #clientId: Buffer | null
  #socket: Socket | undefined
  #versions: KafkajsVersions = {}
  #closedWith: Error | undefined
  #failOpening: ((error: Error) => void) | undefined
  /** The socket's end before the connection was open. */
  #lostWhileOpening: Error | undefined
  readonly #renewalThresholdMs: number
  #markGone: () => void = () => {}
  /** Written, the write not reported as complete. Those without a response are ended from here. */
  readonly #unwritten = new Set<Sending>()
  /** Those of them that still stand in the stream's own buffer, behind a write that the system has not taken yet. */
  #buffered: Sending[] = []

  constructor(
    readonly address: Address,
    connection: KafkajsConnection,
  ) {
    this.#kafkajs = connection
    this.#clientId = connection.clientId == null ? null : Buffer.from(connection.clientId)
    this.gone = new Promise(resolve => {
      this.#markGone = resolve
    })
    this.#renewalThresholdMs = connection.reauthenticationThreshold
    connection.logger = quietLogger(connection.logger)
    stopIdleTimers(connection.requestQueue)
    this.#watchSocket()
    guardParser(
      connection,
      () => this.#closedWith !== undefined,
      (problem, cause) => this.close(misunderstood(address, problem, cause)),
    )
    watchForRefusedToken(connection, error => this.close(error))
  }

  get #isOpening(): boolean {
    return this.#failOpening !== undefined
  }

  get isOpen(): boolean {
    return this.#closedWith === undefined && this.#socket !== undefined && !this.#isOpening
  }

  get closedWith(): Error | undefined {
    return this.#closedWith
  }

  get versions(): KafkajsVersions {
    return this.#versions
  }

  get needsAuthentication(): boolean {
    return this.#kafkajs.sasl != null && !this.#kafkajs.isAuthenticated()
  }

  get throttledForMs(): number {
    return Math.max(0, this.#kafkajs.requestQueue.throttledUntil - Date.now())
  }

  throttle(ms: number): void {
    this.#kafkajs.requestQueue.maybeThrottle(ms)
  }

  /** Connects, negotiates versions and authenticates. To be called once. An aborted signal closes the connection with its reason. */
  async open(broker: KafkajsBroker, signal: AbortSignal): Promise<void> {
    const closed = new Promise<never>((_, reject) => {
      this.#failOpening = reject
    })
    this.authenticationTimeoutMs = broker.authenticationTimeout
    try {
      await this.#closingOnAbort(signal, Promise.race([broker.connect(), closed]))
      if (this.#closedWith) throw this.#closedWith
      this.#versions = broker.versions ?? {}
      fitRenewal(this.#kafkajs, this.#renewalThresholdMs)
    } catch (error) {
      const typed = this.#openingFailure(error)
      this.close(typed)
      throw typed
    } finally {
      this.#failOpening = undefined
    }
  }

  /** kafkajs takes whatever ends an authentication for a refusal, which nobody tries again: a lost connection is none. */
  #openingFailure(error: unknown): Error {
    const typed = typedError(error, this.address)
    return this.#lostWhileOpening !== undefined && typed.name === 'KafkaJSSASLAuthenticationError'
      ? this.#lostWhileOpening
      : typed
  }

  /** Renews the SASL credentials (KIP-368). Nothing else may be in flight. The connection is closed when that fails. */
  async authenticate(signal: AbortSignal): Promise<void> {
    try {
      await this.#closingOnAbort(signal, this.#kafkajs.authenticate())
      if (this.#closedWith) throw this.#closedWith
      fitRenewal(this.#kafkajs, this.#renewalThresholdMs)
    } catch (error) {
      const typed = this.#closedWith ?? typedError(error, this.address)
      this.close(typed)
      throw typed
    }
  }

  /** Does not throw. On a closed connection the exchange ends in a microtask. Returns the correlation id. */
  send(request: OutgoingRequest, exchange: ProduceExchange): number {
    const sending = new Sending(request, exchange)
    const correlationId = this.#kafkajs.nextCorrelationId()
    if (!this.isOpen) {
      queueMicrotask(() => {
        sending.fail(this.#closedWith ?? closedError(this.address))
        sending.release()
      })
      return correlationId
    }
    const { apiKey, apiName, apiVersion, expectResponse } = request
    this.#kafkajs.requestQueue.push({
      entry: {
        apiKey,
        apiName,
        apiVersion,
        correlationId,
        // kafkajs takes a request without a response for complete before it is written: its end is the write's.
        resolve: ({ payload }) => {
          if (expectResponse) sending.respond(payload)
        },
        reject: error => {
          sending.fail(this.#closedWith ?? error)
          if (!this.#unwritten.has(sending)) sending.release()
        },
      },
      expectResponse,
      requestTimeout: null,
      sendRequest: () => this.#write(sending, correlationId),
    })
    return correlationId
  }

  /** The request's deadline has passed: it is withdrawn if kafkajs still holds it back, else the connection is closed. */
  expire(correlationId: number, error: (context: object) => Error): void {
    const { requestQueue: queue } = this.#kafkajs
    const held = queue.pending.find(request => request.correlationId === correlationId)
    if (held === undefined) {
      this.close(error(queue.inflight.get(correlationId) ?? {}))
      return
    }
    queue.pending = queue.pending.filter(request => request !== held)
    if (queue.pending.length === 0) queue.destroy()
    held.rejected(error(held))
  }

  /** Ends every exchange with `error`, then destroys the socket. */
  close(error: Error): void {
    if (this.#closedWith) return
    this.#closedWith = error
    const { requestQueue: queue } = this.#kafkajs
    if (error.name === 'KafkaJSRequestTimeoutError') {
      // Answers come in order: the oldest request is the one whose time passed. kafkajs emits its event.
      const [oldest] = queue.inflight.values()
      oldest?.timeoutRequest()
    }
    queue.rejectAll(error)
    queue.destroy()
    for (const sending of this.#unwritten) sending.fail(error)
    // kafkajs clears its connect timer on 'error' and 'end', not on 'close'. Later it only logs the error, as its own.
    const socketError = this.#isOpening || !(error instanceof ProducerClosedError) ? error : undefined
    this.#failOpening?.(error)
    if (this.#socket) this.#socket.destroy(socketError)
    else this.#markGone()
    const { onClosed } = this
    if (onClosed) shielded(() => onClosed(error))
  }

  #write(sending: Sending, correlationId: number): void {
    const socket = this.#socket
    if (this.#closedWith) {
      // kafkajs sends what it held back while `close` withdraws the oldest request.
      sending.fail(this.#closedWith)
      sending.release()
      return
    }
    this.#unwritten.add(sending)
    if (!socket || socket.destroyed) {
      // Not at once: kafkajs marks the request as sent after this returns, and would undo its rejection.
      queueMicrotask(() => this.close(closedError(this.address)))
      return
    }
    // While an earlier write is with the system, a stream keeps what follows to itself.
    if (socket.writableLength === 0) sending.sent = true
    else this.#buffered.push(sending)

    const { chunks } = sending.request
    let bodyBytes = 0
    for (const chunk of chunks) bodyBytes += chunk.length
    const written = (error?: Error | null) => this.#written(sending, error)
    socket.cork()
    const header = requestHeader(sending.request, correlationId, this.#clientId, bodyBytes)
    const last = chunks.length - 1
    if (last < 0) socket.write(header, written)
    else socket.write(header)
    for (let i = 0; i < last; i++) socket.write(chunks[i]!)
    if (last >= 0) socket.write(chunks[last]!, written)
    socket.uncork()
  }

  #written(sending: Sending, error: Error | null | undefined): void {
    // A write that a destroyed socket cuts off reports no error (net's onWriteComplete). Its exchange ends with the close that follows.
    if (error == null && this.#socket?.destroyed === false) {
      this.#unwritten.delete(sending)
      // With this write done, the stream has handed over all it kept: their bytes may leave from now on.
      for (const each of this.#buffered) each.sent = true
      this.#buffered = []
      if (!sending.request.expectResponse) sending.respond(null)
    }
    sending.release()
  }

  #watchSocket(): void {
    const connection = this.#kafkajs
    const create = connection.socketFactory
    connection.socketFactory = options => {
      if (this.#closedWith) throw this.#closedWith
      const socket = create(options)
      this.#socket = socket
      socket.setNoDelay(true)
      // These come before kafkajs's own listeners, which reject what is in flight: by then nothing may be sent here any more.
      // While it connects, kafkajs's errors are better: they know what was being done.
      const lost = (error: Error) => {
        if (!this.#isOpening) this.close(error)
        // Without frames a broker refuses by closing the connection. What is closed here already has its reason.
        else if (connection.authHandlers === null && !this.#closedWith) this.#lostWhileOpening ??= error
      }
      socket.on('end', () => lost(closedError(this.address)))
      socket.on('timeout', () => lost(connectionError('Connection timeout', this.address)))
      socket.on('error', error =>
        lost(connectionError(`Connection error: ${error.message}`, this.address, error)),
      )
      socket.on('close', () => {
        // kafkajs does not hear a 'close' without 'end' or 'error' while it connects. Its own rejections take microtasks only.
        if (this.#isOpening) setImmediate(() => this.close(closedError(this.address)))
        else this.close(closedError(this.address))
        for (const sending of this.#unwritten) sending.release()
        this.#unwritten.clear()
        this.#markGone()
      })
      return socket
    }
  }

  async #closingOnAbort<T>(signal: AbortSignal, step: Promise<T>): Promise<T> {
    try {
      return await abortable(step, signal)
    } finally {
      if (signal.aborted) this.close(signal.reason)
    }
  }
}
