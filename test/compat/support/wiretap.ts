import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { ISocketFactory } from 'kafkajs'
import {
  correlationIdOf,
  Frames,
  readRequest,
  readResponse,
  type WireRequest,
  writeResponse,
} from './wire.js'

/** What happens to a request in place of its being answered. */
export type Fault =
  /** The broker does not get it: the answer is this. */
  | { readonly instead: (request: WireRequest) => object }
  /** The broker serves it: the answer is this. */
  | { readonly answer: (request: WireRequest) => object }
  /** The broker serves it; its answer is changed to this. */
  | { readonly changed: (response: object) => object }
  /** The broker serves it; the connection ends in place of the answer. */
  | 'lose the answer'
  /** The broker serves it; nothing comes back. */
  | 'silence'
  /** The broker serves it; its answer comes when this has come to pass. */
  | { readonly answerAfter: Promise<void> }

interface Planned {
  readonly api: string
  readonly fault: Fault
  readonly when: (request: WireRequest) => boolean
}

/**
 * Sits in a client's own sockets, by kafkajs's `socketFactory`: reads each request on its way to any broker, real or
 * embedded, and makes chosen ones fail.
 */
export class Wiretap {
  readonly requests: WireRequest[] = []
  readonly #planned: Planned[] = []
  readonly #sockets = new Set<Tapped>()

  readonly socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    const tapped = new Tapped(connect({ host, port }, onConnect), `${host}:${port}`, this)
    this.#sockets.add(tapped)
    tapped.once('close', () => this.#sockets.delete(tapped))
    // A stream that does what kafkajs and this package ask of a socket.
    return tapped as unknown as Socket
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  of(api: string): WireRequest[] {
    return this.requests.filter(request => request.api === api)
  }

  /** The next request of the API, and for which `when` holds, meets this fault. Those planned first are met first. */
  next(api: string, fault: Fault, when: (request: WireRequest) => boolean = () => true): void {
    this.#planned.push({ api, fault, when })
  }

  /** Faults that no request has met. */
  get pending(): number {
    return this.#planned.length
  }

  /** Ends all connections, as a network does. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Notes the request; the fault that it meets. */
  take(request: WireRequest): Fault | undefined {
    this.requests.push(request)
    const at = this.#planned.findIndex(({ api, when }) => api === request.api && when(request))
    return at < 0 ? undefined : this.#planned.splice(at, 1)[0]?.fault
  }
}

class Tapped extends Duplex {
  readonly #outgoing = new Frames()
  readonly #incoming = new Frames()
  readonly #faults = new Map<number, { readonly fault: Fault; readonly request: WireRequest }>()

  constructor(
    readonly socket: Socket,
    readonly broker: string,
    readonly tap: Wiretap,
  ) {
    super({ allowHalfOpen: false })
    socket.on('data', chunk => {
      for (const frame of this.#incoming.take(chunk)) this.#answered(frame)
    })
    socket.on('end', () => this.push(null))
    socket.on('error', error => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const forwarded = this.#outgoing.take(chunk).filter(frame => this.#isForwarded(frame))
    if (forwarded.length === 0) done()
    else this.socket.write(Buffer.concat(forwarded), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy()
    done(error)
  }

  setKeepAlive(...options: Parameters<Socket['setKeepAlive']>): this {
    this.socket.setKeepAlive(...options)
    return this
  }

  setNoDelay(...options: Parameters<Socket['setNoDelay']>): this {
    this.socket.setNoDelay(...options)
    return this
  }

  ref(): this {
    this.socket.ref()
    return this
  }

  unref(): this {
    this.socket.unref()
    return this
  }

  #isForwarded(frame: Buffer): boolean {
    const request = readRequest(this.broker, frame)
    const fault = this.tap.take(request)
    if (fault === undefined) return true
    if (typeof fault === 'object' && 'instead' in fault) {
      // Not within the write: no network answers so fast.
      setImmediate(() => this.push(writeResponse(request, fault.instead(request))))
      return false
    }
    this.#faults.set(request.correlationId, { fault, request })
    return true
  }

  #answered(frame: Buffer): void {
    const met = this.#faults.get(correlationIdOf(frame))
    if (met === undefined) this.push(frame)
    else if (met.fault === 'lose the answer') this.destroy()
    else if (typeof met.fault === 'object' && 'answerAfter' in met.fault)
      void met.fault.answerAfter.then(() => this.push(frame))
    else if (typeof met.fault === 'object' && 'changed' in met.fault) {
      const response = readResponse(met.request, frame) as object
      this.push(writeResponse(met.request, met.fault.changed(response)))
    } else if (typeof met.fault === 'object' && 'answer' in met.fault)
      this.push(writeResponse(met.request, met.fault.answer(met.request)))
  }
}
