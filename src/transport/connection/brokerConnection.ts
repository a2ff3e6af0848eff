import net from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address } from '../address.js'
import { addressKey } from '../address.js'
import type { ProduceExchange } from '../port.js'
import { shielded } from '../quiet.js'
import { closedError, connectionError, misunderstood } from './connectionErrors.js'
import { HeldRequests } from './heldRequests.js'
import { NetworkEvents, type NetworkListener } from './networkEvents.js'
import { OutgoingRequest, type RequestFields } from './outgoingRequest.js'
import { requestHeader } from './requestHeader.js'
import { type FrameReceiver, ResponseFrames } from './responseFrames.js'

/** The correlation id, which no valid response lacks. bytes */
const MIN_RESPONSE_BYTES = 4
/** Of a SASL exchange without Kafka's frames. bytes */
const MAX_SASL_BYTES = 64 * 1024
/** A stream that was destroyed and never says 'close' is taken for closed after this. ms */
const CLOSE_PATIENCE_MS = 1_000
/** A request up to this size leaves as one buffer: a copy costs less than a further piece for the system. bytes */
const COPIED_BYTES = 2048
const MAX_CORRELATION_ID = 2 ** 31 - 1

export interface ConnectionParts {
  readonly address: Address
  /** Connected. */
  readonly socket: Duplex
  readonly clientId: string | null
  readonly listener: NetworkListener
  /** A connection on which nothing happens for this long is closed. ms */
  readonly maxIdleMs: number
}

/** One connection to a broker: requests out, their responses in, in order. Never connected again. */
export class BrokerConnection implements FrameReceiver {
  /** Called once, after every exchange has ended. */
  onClosed: ((error: Error) => void) | undefined
  /** Settles when the socket is closed, so that nothing of it is left. */
  readonly gone: Promise<void>
  readonly address: Address
  /** When bytes last came. ms on the clock of `performance.now()` */
  lastReceivedAt = performance.now()

  readonly #socket: Duplex
  readonly #clientId: Buffer | null
  readonly #events: NetworkEvents
  readonly #frames: ResponseFrames
  readonly #held: HeldRequests
  #closedWith: Error | undefined
  #markGone: () => void = () => {}
  #correlationId = 0
  /** Written or being written, in order; the broker answers in that order. */
  readonly #unanswered: OutgoingRequest[] = []
  /** Whose write is not reported as complete, in order. */
  readonly #unwritten: OutgoingRequest[] = []
  /** Those of them that still stand in the stream's own buffer, behind a write that the system has not taken yet. */
  #buffered: OutgoingRequest[] = []
  #unframed: ((answer: Buffer | Error) => void) | undefined

  constructor({ address, socket, clientId, listener, maxIdleMs }: ConnectionParts) {
    this.address = address
    this.#socket = socket
    this.#clientId = clientId === null ? null : Buffer.from(clientId)
    this.#events = new NetworkEvents(listener, addressKey(address), clientId)
    this.#frames = new ResponseFrames(this)
    this.#held = new HeldRequests(this.#events, request => this.#write(request))
    this.gone = new Promise(resolve => {
      this.#markGone = resolve
    })
    this.#watch(maxIdleMs)
  }

  get isOpen(): boolean {
    return this.#closedWith === undefined
  }

  get closedWith(): Error | undefined {
    return this.#closedWith
  }

  /** Nothing is in flight, and nothing waits to be. */
  get isIdle(): boolean {
    return this.#unanswered.length === 0 && this.#unwritten.length === 0 && this.#held.count === 0
  }

  /** How long a quota holds requests back (KIP-219). ms */
  get throttledForMs(): number {
    return this.#held.forMs
  }

  throttle(ms: number): void {
    this.#held.holdFor(ms)
  }

  /** So many requests wait for the end of a throttle before they come here. */
  tellHeld(count: number): void {
    this.#events.queueSize(count)
  }

  /** Does not throw. On a closed connection the exchange ends in a microtask. */
  send(fields: RequestFields, exchange: ProduceExchange): OutgoingRequest {
    const request = new OutgoingRequest(fields, this.#nextCorrelationId(), exchange)
    if (this.#closedWith !== undefined) {
      const error = this.#closedWith
      queueMicrotask(() => {
        request.fail(error)
        request.release()
      })
    } else if (this.#held.forMs > 0) {
      this.#held.add(request)
    } else {
      this.#write(request)
    }
    return request
  }

  /**
   * The request's time is up: it is withdrawn if a quota still holds it back, else the connection is closed.
   *
   * @param error is given what kafkajs's time-out error tells of a request
   */
  expire(request: OutgoingRequest, error: (context: ReturnType<NetworkEvents['context']>) => Error): void {
    const reason = error(this.#events.context(request))
    if (!this.#held.withdraw(request)) return this.close(reason)
    request.fail(reason)
    request.release()
  }

  /** One step of a SASL exchange as it was before SaslAuthenticate: a size, and the mechanism's own bytes. */
  exchangeUnframed(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#closedWith !== undefined) return reject(this.#closedWith)
      this.#unframed = answer => {
        this.#unframed = undefined
        if (Buffer.isBuffer(answer)) resolve(answer)
        else reject(answer)
      }
      const size = Buffer.alloc(4)
      size.writeInt32BE(bytes.length)
      this.#socket.write(Buffer.concat([size, bytes]))
    })
  }

  /** Ends every exchange with `error`, then destroys the socket. */
  close(error: Error): void {
    if (this.#closedWith !== undefined) return
    this.#closedWith = error
    const [oldest] = this.#unanswered
    // Answers come in order: the oldest request is the one whose time passed.
    if (error.name === 'KafkaJSRequestTimeoutError' && oldest !== undefined) this.#events.timedOut(oldest)
    for (const request of this.#unanswered.splice(0)) request.fail(error)
    for (const request of this.#held.takeAll()) {
      request.fail(error)
      request.release()
    }
    for (const request of this.#unwritten) request.fail(error)
    this.#unframed?.(error)
    this.#socket.destroy()
    this.#awaitClose()
    const { onClosed } = this
    if (onClosed) shielded(() => onClosed(error))
  }

  frameBounds(): { readonly min: number; readonly max: number } {
    if (this.#unframed !== undefined) return { min: 0, max: MAX_SASL_BYTES }
    const max = this.#unanswered[0]?.fields.maxResponseBytes ?? MIN_RESPONSE_BYTES
    return { min: MIN_RESPONSE_BYTES, max }
  }

  onFrame(frame: Buffer): void {
    this.lastReceivedAt = performance.now()
    if (this.#unframed !== undefined) return this.#unframed(frame)
    const correlationId = frame.readInt32BE(0)
    const request = this.#unanswered[0]
    // A broker answers in order. Anything else could take one batch's acknowledgement for another's.
    if (request === undefined || correlationId !== request.correlationId) {
      const expected = request?.correlationId ?? 'none'
      const problem = `an answer to request ${correlationId} where ${expected} was expected`
      return this.close(misunderstood(this.address, problem))
    }
    this.#unanswered.shift()
    request.respond(frame.subarray(MIN_RESPONSE_BYTES))
    this.#events.answered(request, frame.length)
  }

  onImpossibleSize(size: number): void {
    this.close(misunderstood(this.address, `a response of ${size} bytes`))
  }

  #nextCorrelationId(): number {
    const id = this.#correlationId
    this.#correlationId = id === MAX_CORRELATION_ID ? 0 : id + 1
    return id
  }

  #write(request: OutgoingRequest): void {
    const socket = this.#socket
    const { fields } = request
    this.#unwritten.push(request)
    if (fields.expectResponse) this.#unanswered.push(request)
    request.sentAt = Date.now()
    if (socket.destroyed) {
      // Not at once: the caller has not returned from `send`.
      queueMicrotask(() => this.close(closedError(this.address)))
      return
    }
    // While an earlier write is with the system, a stream keeps what follows to itself.
    if (socket.writableLength === 0) request.sent = true
    else this.#buffered.push(request)

    const { chunks } = fields
    let bodyBytes = 0
    for (const chunk of chunks) bodyBytes += chunk.length
    if (bodyBytes <= COPIED_BYTES) {
      const bytes = requestHeader(fields, request.correlationId, this.#clientId, bodyBytes, bodyBytes)
      let at = bytes.length - bodyBytes
      for (const chunk of chunks) {
        bytes.set(chunk, at)
        at += chunk.length
      }
      socket.write(bytes, this.#onWritten)
      return
    }
    const header = requestHeader(fields, request.correlationId, this.#clientId, bodyBytes, 0)
    const last = chunks.length - 1
    socket.cork()
    socket.write(header)
    for (let i = 0; i < last; i++) socket.write(chunks[i]!)
    socket.write(chunks[last]!, this.#onWritten)
    socket.uncork()
  }

  /** A stream reports its writes in order. */
  readonly #onWritten = (error?: Error | null): void => {
    const request = this.#unwritten[0]
    if (request === undefined) return
    // A write that a destroyed socket cuts off reports no error (net's onWriteComplete). Its exchange ends with the close that follows.
    if (error == null && !this.#socket.destroyed) {
      this.#unwritten.shift()
      // With this write done, the stream has handed over all it kept: their bytes may leave from now on.
      if (this.#buffered.length > 0) {
        for (const each of this.#buffered) each.sent = true
        this.#buffered = []
      }
      if (!request.fields.expectResponse) {
        request.respond(null)
        this.#events.answered(request, 0)
      }
      request.release()
    }
  }

  #watch(maxIdleMs: number): void {
    const socket = this.#socket
    const lost = (error: Error) => this.close(error)
    socket.on('error', (error: Error) =>
      lost(connectionError(`Connection error: ${error.message}`, this.address, error)),
    )
    socket.on('end', () => lost(closedError(this.address)))
    socket.on('close', () => {
      lost(closedError(this.address))
      this.#released()
    })
    socket.on('data', (data: Buffer) => this.#frames.push(data))
    if (socket instanceof net.Socket) {
      // Node's own list of timers: nothing is made or cleared per request, and the process may end meanwhile.
      socket.setTimeout(maxIdleMs, () => {
        if (this.isIdle)
          lost(connectionError(`Idle for ${maxIdleMs} ms (connectionsMaxIdleMs)`, this.address))
      })
    }
    if (socket.destroyed || socket.readableEnded) queueMicrotask(() => lost(closedError(this.address)))
  }

  /** Some streams never say 'close'. */
  #awaitClose(): void {
    if (this.#socket instanceof net.Socket && !this.#socket.closed) return
    const patience = setTimeout(() => this.#released(), CLOSE_PATIENCE_MS)
    setImmediate(() => {
      if (this.#socket.closed) this.#released()
    })
    void this.gone.then(() => clearTimeout(patience))
  }

  #released(): void {
    for (const request of this.#unwritten.splice(0)) request.release()
    this.#markGone()
  }
}
