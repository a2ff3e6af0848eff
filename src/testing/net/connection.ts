import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeBody, wireContext } from '../../protocol/api.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { Reader } from '../../protocol/wire/reader.js'
import { type AnyServedApi, type ApiName, apiNameOf, servedApi } from '../apis/registry.js'
import type { RequestContext, Session } from '../apis/served.js'
import { ERROR } from '../errorCodes.js'
import type { FaultedRequest, FaultScripts, MatchedFault } from '../faults/script.js'
import { errorCodesIn, type Journal, type JournalEntry } from '../journal.js'
import type { ClusterState } from '../state/cluster.js'
import { encodeFrame, type RequestHeader, readHeaderRest, readHeaderStart } from './envelope.js'
import { FrameSplitter } from './frames.js'
import { mayServe } from './session.js'

/** What connections of one cluster share. */
export interface Hall {
  readonly cluster: ClusterState
  readonly journal: Journal
  readonly faults: FaultScripts
  readonly requiresSasl: boolean
  nextConnectionId(): number
  /** A defect of the cluster, or of a fault function: reported when the cluster closes. */
  report(error: unknown): void
}

/** Bytes of unserved requests from which on a connection is no longer read. */
const PAUSE_BYTES = 1024 * 1024

interface Arrived extends RequestHeader {
  readonly name: ApiName
  readonly served: AnyServedApi
  readonly clientId: string | null
  readonly body: unknown
}

/** One client's connection: its requests are served in order, one at a time, as a broker does. */
export class Connection {
  readonly id: number
  private readonly hall: Hall
  private readonly node: number
  private readonly socket: Socket
  private readonly stopped: AbortSignal
  private readonly ended = new AbortController()
  private readonly frames = new FrameSplitter()
  private readonly session: Session = { mechanism: undefined, principal: undefined, expiresAt: undefined }
  private busy = false
  private mutedMs = 0
  private lastAnswer = false

  constructor(hall: Hall, node: number, socket: Socket, stopped: AbortSignal) {
    this.hall = hall
    this.node = node
    this.socket = socket
    this.stopped = stopped
    this.id = hall.nextConnectionId()
    socket.setNoDelay(true)
    socket.on('data', chunk => this.received(chunk))
    // A client that is gone mid-write is an everyday event; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => this.ended.abort())
  }

  destroy(): void {
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
        await this.serve(frame)
        if (this.socket.isPaused() && this.frames.bufferedBytes <= PAUSE_BYTES) this.socket.resume()
        if (this.ended.signal.aborted) return
      }
    } catch (error) {
      // Bytes that are no request: a broker closes the connection, it has nothing to answer.
      if (!(error instanceof MalformedMessageError)) this.hall.report(error)
      this.destroy()
    } finally {
      this.busy = false
    }
  }

  private async serve(frame: Buffer): Promise<void> {
    const request = this.read(frame)
    if (!request) return
    if (!mayServe(request.name, this.session, this.hall.requiresSasl)) return this.destroy()
    const entry = this.record(request)
    const context: RequestContext = {
      cluster: this.hall.cluster,
      node: this.node,
      version: request.version,
      clientId: request.clientId,
      connection: {
        id: this.id,
        closed: this.ended.signal,
        destroy: () => this.destroy(),
        endAfterAnswer: () => {
          this.lastAnswer = true
        },
        session: this.session,
      },
    }
    const handle = async (body: unknown) => request.served.handle(body, context)
    const matched = this.hall.faults.take(request.name, this.node, entry.topics)
    const response = matched
      ? await matched.fault(this.faulted(request, matched, context), (body = request.body) => handle(body))
      : await request.served.handle(request.body, context)
    const errorCodes = response === null ? [] : errorCodesIn(response)
    const dropped = this.ended.signal.aborted
    if (response !== null && !dropped) {
      await this.write(encodeFrame(request.served, request.version, request.correlationId, response))
    }
    this.hall.journal.ended(entry, {
      at: performance.now(),
      outcome: dropped ? 'dropped' : response === null ? 'none' : 'answered',
      errorCodes,
    })
    if (this.lastAnswer) this.endGently()
    else if (this.mutedMs > 0) await this.muted()
  }

  /** @returns undefined when the frame was dealt with already */
  private read(frame: Buffer): Arrived | undefined {
    const reader = new Reader(frame)
    const header = readHeaderStart(reader)
    const name = apiNameOf(header.apiKey)
    const offered = this.hall.cluster.offered.find(({ apiKey }) => apiKey === header.apiKey)
    if (!name || !offered) throw new MalformedMessageError(`API key ${header.apiKey} is not offered`)
    const served = servedApi(name)
    const lowest = Math.max(offered.minVersion, served.api.minVersion)
    if (header.version < lowest || header.version > offered.maxVersion) {
      if (name !== 'ApiVersions') {
        throw new MalformedMessageError(`${name} version ${header.version} is not offered`)
      }
      const refusal = { errorCode: ERROR.UNSUPPORTED_VERSION, apiKeys: [offered] }
      this.socket.write(encodeFrame(served, 0, header.correlationId, refusal))
      return undefined
    }
    const { flexible } = wireContext(served.api, header.version)
    const clientId = readHeaderRest(reader, flexible)
    const body = decodeBody(served.api, served.api.request, header.version, reader)
    return { ...header, name, served, clientId, body }
  }

  private record(request: Arrived): JournalEntry {
    const { name, version, correlationId, clientId, body, served } = request
    const topics = served.topics?.names(body, version)
    const entry: JournalEntry = {
      at: performance.now(),
      node: this.node,
      clientId,
      api: name,
      version,
      correlationId,
      connectionId: this.id,
      ...(topics === undefined ? {} : { topics }),
      ...(name === 'Metadata'
        ? { allowAutoTopicCreation: (body as { allowAutoTopicCreation: boolean }).allowAutoTopicCreation }
        : {}),
      body,
    }
    this.hall.journal.arrived(entry)
    return entry
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
      refuse: async errorCode => {
        const lens = served.topics
        if (topic === undefined || !lens) return served.refuse(body, errorCode, context)
        const hit = lens.only?.(body, topic) ?? lens.pick(body, each => each === topic)
        const refused = served.refuse(hit, errorCode, context)
        const rest = lens.pick(body, each => each !== topic)
        if (lens.names(rest, version)?.length === 0) return refused
        const response = await served.handle(rest, context)
        return response === null ? null : lens.join(refused, response)
      },
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
