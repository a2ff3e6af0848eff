import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import type { RequestContext, Session } from '../apis/served.js'
import type { FaultedRequest, FaultScripts, MatchedFault } from '../faults/script.js'
import type { Gate } from '../gate.js'
import type { ClusterState } from '../state/cluster.js'
import { type Arrived, journalEntry, readRequest } from './arrived.js'
import { encodeFrame } from './envelope.js'
import { FrameSplitter } from './frames.js'
import { type Answer, errorCodesIn, type Journal } from './journal.js'
import { refuse } from './refusal.js'
import { mayServe } from './session.js'

/** What connections of one cluster share. */
export interface BrokerContext {
  readonly cluster: ClusterState
  readonly journal: Journal
  readonly faults: FaultScripts
  readonly requiresSasl: boolean
  /** The gate that a paused broker's requests wait at. */
  pauseOf(node: number): Gate | undefined
  nextConnectionId(): number
  /** A defect of the cluster, or of a fault function: reported when the cluster closes. */
  report(error: unknown): void
}

/** Bytes of unserved requests from which on a connection is no longer read. */
const PAUSE_BYTES = 1024 * 1024

/** One client's connection: its requests are served in order, one at a time, as a broker does. */
export class Connection {
  readonly id: number
  private readonly context: BrokerContext
  private readonly node: number
  private readonly socket: Socket
  private readonly stopped: AbortSignal
  private readonly ended = new AbortController()
  private readonly frames: FrameSplitter
  private readonly session: Session = { exchange: undefined, principal: undefined, expiresAt: undefined }
  private busy = false
  private mutedMs = 0
  private lastAnswer = false

  constructor(context: BrokerContext, node: number, socket: Socket, stopped: AbortSignal) {
    this.context = context
    this.node = node
    this.socket = socket
    this.stopped = stopped
    this.id = context.nextConnectionId()
    this.frames = new FrameSplitter(context.cluster.broker(node).config.number('socket.request.max.bytes'))
    socket.setNoDelay(true)
    socket.on('data', chunk => this.received(chunk))
    // A client that is gone mid-write is an everyday event; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => this.ended.abort())
  }

  private destroy(): void {
    this.socket.destroy()
    this.ended.abort()
  }

  /** Cuts the connection behind what was written. */
  private endGently(): void {
    this.socket.destroySoon()
    this.ended.abort()
  }

  private received(chunk: Buffer): void {
    this.frames.push(chunk)
    if (!this.busy) void this.serveAll()
    else if (this.frames.bufferedBytes > PAUSE_BYTES) this.socket.pause()
  }

  private async serveAll(): Promise<void> {
    this.busy = true
    try {
      for (let frame = this.frames.next(); frame; frame = this.frames.next()) {
        if ((await this.context.pauseOf(this.node)?.wait(this.ended.signal)) === 'aborted') return
        await this.serve(frame)
        if (this.socket.isPaused() && this.frames.bufferedBytes <= PAUSE_BYTES) this.socket.resume()
        if (this.ended.signal.aborted) return
      }
    } catch (error) {
      // Bytes that are no request: a broker closes the connection, it has nothing to answer.
      if (!(error instanceof MalformedMessageError)) this.context.report(error)
      this.destroy()
    } finally {
      this.busy = false
    }
  }

  private async serve(frame: Buffer): Promise<void> {
    const request = readRequest(frame, this.context.cluster)
    if ('refusal' in request) return this.write(request.refusal)
    if (!mayServe(request.name, this.session, this.context.requiresSasl)) return this.destroy()
    const entry = journalEntry(request, this.node, this.id)
    this.context.journal.arrived(entry)
    let answer: Pick<Answer, 'outcome' | 'errorCodes'> = { outcome: 'dropped', errorCodes: [] }
    try {
      const context = this.contextOf(request)
      const matched = this.context.faults.take(request.name, this.node, entry.topics)
      const response = matched
        ? await matched.fault(this.faulted(request, matched, context), async (body = request.body) =>
            request.served.handle(body, context),
          )
        : await request.served.handle(request.body, context)
      answer = await this.answer(request, response)
    } finally {
      this.context.journal.ended(entry, { at: performance.now(), ...answer })
    }
    if (this.lastAnswer) this.endGently()
    else if (this.mutedMs > 0) await this.muted()
  }

  private async answer(
    { served, version, correlationId, body }: Arrived,
    response: unknown,
  ): Promise<Pick<Answer, 'outcome' | 'errorCodes'>> {
    const errorCodes = response === null ? [] : errorCodesIn(response)
    if (this.ended.signal.aborted) return { outcome: 'dropped', errorCodes }
    if (response === null) return { outcome: 'none', errorCodes }
    if (served.isUnanswered?.(body)) {
      // The only way to tell such a client that something is wrong, so that it asks for metadata again.
      if (errorCodes.every(code => code === 0)) return { outcome: 'none', errorCodes }
      this.destroy()
      return { outcome: 'dropped', errorCodes }
    }
    await this.write(encodeFrame(served, version, correlationId, response))
    return { outcome: 'answered', errorCodes }
  }

  private contextOf({ version, clientId }: Arrived): RequestContext {
    return {
      cluster: this.context.cluster,
      node: this.node,
      version,
      clientId,
      connection: {
        id: this.id,
        closed: this.ended.signal,
        endAfterAnswer: () => {
          this.lastAnswer = true
        },
        session: this.session,
      },
    }
  }

  private faulted(
    request: Arrived,
    { topic }: MatchedFault,
    context: RequestContext,
  ): FaultedRequest<unknown, unknown> {
    const { name, version, correlationId, clientId, body, served } = request
    return {
      api: name,
      version,
      node: this.node,
      clientId,
      correlationId,
      connectionId: this.id,
      body,
      stopped: this.stopped,
      closed: this.ended.signal,
      refuse: (errorCode, fate = 'not-applied') => refuse(request, errorCode, topic, fate, context),
      encode: response => encodeFrame(served, version, correlationId, response),
      write: bytes => {
        this.socket.write(bytes)
      },
      drop: () => this.endGently(),
      mute: ms => {
        this.mutedMs = ms
      },
    }
  }

  private async write(frame: Buffer): Promise<void> {
    if (this.socket.write(frame)) return
    // Without this wait a client that does not read would make the broker hold all its answers.
    await once(this.socket, 'drain', { signal: this.ended.signal }).catch(() => {})
  }

  private async muted(): Promise<void> {
    const ms = this.mutedMs
    this.mutedMs = 0
    await delay(ms, undefined, { signal: this.ended.signal }).catch(() => {})
  }
}
