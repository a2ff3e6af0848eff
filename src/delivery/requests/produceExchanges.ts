import type { ProduceLink } from '../../transport/port.js'
import { asError } from '../../util/realms.js'
import type { BrokerLateness } from '../brokers/brokerLateness.js'
import type { BrokerStatus } from '../brokers/brokerStatus.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { ExchangeHost, ExchangeSettings } from './exchangeHost.js'
import { type InFlightBatch, InFlightRequest } from './inFlightRequest.js'
import type { InFlightRequests } from './inFlightRequests.js'
import { RequestCuts } from './requestCuts.js'
import { RequestSize } from './requestSize.js'

/** What a broker's answer may take after its wait for replicas. ms */
const ANSWER_MS = 1000

/** The broker may use the whole ack timeout: unless there is room for an answer within the request's own deadline, that has to be later. ms */
const answerTimeoutMs = (requestTimeoutMs: number, ackTimeoutMs: number): number =>
  ackTimeoutMs <= Math.max(1, requestTimeoutMs - ANSWER_MS) ? requestTimeoutMs : ackTimeoutMs + ANSWER_MS

/** What an exchange tells its sender. */
export interface ExchangeOwner {
  readonly isClosed: boolean
  setStuck(isStuck: boolean): void
  /** A batch of this queue went with acks 0: nobody will say that its leader is another one. */
  unanswerable(queue: PartitionQueue): void
  requestAnswered(): void
  /** Without an answer. */
  requestEnded(): void
}

export interface ProduceExchangesParts {
  readonly host: ExchangeHost
  readonly requests: InFlightRequests
  readonly pace: BrokerLateness
  readonly status: BrokerStatus
  readonly owner: ExchangeOwner
}

/** One broker's Produce requests: each is laid out, sent, and ends by its answer or the loss of it. */
export class ProduceExchanges {
  private readonly settings: ExchangeSettings
  private readonly host: ExchangeHost
  private readonly requests: InFlightRequests
  private readonly pace: BrokerLateness
  private readonly status: BrokerStatus
  private readonly owner: ExchangeOwner
  private readonly requestSize: RequestSize
  private readonly cuts: RequestCuts

  constructor(settings: ExchangeSettings, { host, requests, pace, status, owner }: ProduceExchangesParts) {
    this.settings = settings
    this.host = host
    this.requests = requests
    this.pace = pace
    this.status = status
    this.owner = owner
    this.requestSize = new RequestSize(settings.requestTargetBytes)
    this.cuts = new RequestCuts(this.requestSize)
  }

  /** How large a request may become. bytes */
  targetBytes(now: number): number {
    return this.requestSize.target(now)
  }

  /** The connection is closed from here, for the broker's silence. */
  gaveUp(link: ProduceLink | undefined): void {
    this.cuts.gaveUp(link)
  }

  send(link: ProduceLink, inFlightBatches: readonly InFlightBatch[], now: number): void {
    const { acks, ackTimeoutMs } = inFlightBatches[0]!.batch.deliveryClass
    for (const { batch, queue } of inFlightBatches) {
      batch.pendingWrites++
      if (acks === 0) this.owner.unanswerable(queue)
    }
    const timeoutMs = answerTimeoutMs(this.settings.requestTimeoutMs, ackTimeoutMs)
    const request = new InFlightRequest(inFlightBatches, link.produceVersion, now, timeoutMs)
    let frame: Buffer | undefined
    const chunks = request.layOut(bytes => {
      frame = this.host.takeFrame(bytes)
      return frame
    }, this.settings.transactionalId)
    this.requests.add(request)
    this.pace.asked()
    this.host.departed(inFlightBatches, now)
    link.produce(request.version, chunks, acks, {
      onResponse: payload => this.answered(link, request, payload),
      onFailure: (error, sent) => this.failed(link, request, error, sent),
      onBuffersReleased: () => {
        this.host.giveFrame(frame!)
        this.host.released(inFlightBatches)
      },
    })
  }

  private answered(link: ProduceLink, request: InFlightRequest, payload: Buffer | null): void {
    const now = performance.now()
    // What was written with acks 0 says nothing of whether the broker answers.
    if (payload === null ? !this.requests.end(request) : !this.requests.answered(request, now)) return
    if (payload !== null) this.pace.answered(now - request.sentAt, now)
    this.requestSize.answered(request.bytes)
    this.owner.setStuck(false)
    if (payload === null) {
      this.status.written()
      for (const inFlightBatch of request.inFlightBatches) this.host.written(inFlightBatch)
    } else {
      this.status.answered(now - request.sentAt, now)
      try {
        this.deliver(link, request, payload)
      } catch (error) {
        // An answer that cannot be read tells nothing of what was written, nor does anything after it on this connection.
        const cause = asError(error)
        for (const inFlightBatch of request.inFlightBatches) {
          if (inFlightBatch.batch.state === 'inFlight') this.host.lost(inFlightBatch, cause, true, false)
        }
        link.destroy(cause)
      }
    }
    this.owner.requestAnswered()
  }

  private deliver(link: ProduceLink, request: InFlightRequest, payload: Buffer): void {
    const { throttleTimeMs, endpointOf } = request.match(payload)
    if (throttleTimeMs > 0) {
      link.throttle(throttleTimeMs)
      this.requests.throttled(throttleTimeMs, performance.now())
    }
    this.status.throttled(throttleTimeMs)
    for (const inFlightBatch of request.inFlightBatches) {
      const answer = inFlightBatch.answer!
      const { leaderId } = answer.currentLeader
      this.host.answered(inFlightBatch, answer, leaderId < 0 ? undefined : endpointOf(leaderId))
    }
  }

  private failed(link: ProduceLink, request: InFlightRequest, error: Error, sent: boolean): void {
    const isHead = this.requests.isHead(request)
    if (!this.requests.end(request)) return
    // Until a connection is open again.
    this.pace.unusable()
    if (!this.owner.isClosed) this.status.requestLost(error)
    const isExcused = this.cuts.lost({ link, request, isHead, sent, error }, performance.now())
    for (const inFlightBatch of request.inFlightBatches) {
      this.host.lost(inFlightBatch, error, sent, isExcused)
    }
    this.owner.requestEnded()
  }
}
