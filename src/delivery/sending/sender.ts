import { ProducerClosedError } from '../../errors/index.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { BrokerAddress, ProduceLink } from '../../transport/port.js'
import { asError } from '../../util/realms.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Waiters } from '../../waits/wait.js'
import { type Backoff, backoffMs } from '../backoff.js'
import type { Batch } from '../batch/batch.js'
import { ShareGroup } from '../intake/shares.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'
import { BrokerLateness } from './brokerLateness.js'
import { BrokerStatus } from './brokerStatus.js'
import { type InFlightBatch, InFlightRequest } from './inFlightRequest.js'
import { InFlightRequests } from './inFlightRequests.js'
import { ReadyPartitions, type ReadyPartitionsSettings } from './readyPartitions.js'
import { RequestCuts } from './requestCuts.js'
import { RequestSize } from './requestSize.js'

export interface SenderSettings extends ReadyPartitionsSettings {
  /** No request grows beyond this by a further batch. bytes */
  readonly requestTargetBytes: number
  readonly maxInFlight: number
  readonly requestTimeoutMs: number
  readonly connectBackoff: Backoff
  /** After this long without an answer another broker is asked who leads. ms */
  readonly stallMs: number
  /** All batches are parts of its transactions. */
  readonly transactionalId: string | undefined
}

/** What a sender tells the engine. */
export interface SenderHost {
  openLink(nodeId: number): Promise<ProduceLink>
  /** Whether the broker answers on another connection. Does not reject. */
  isAlive(nodeId: number): Promise<boolean>
  departed(inFlightBatches: readonly InFlightBatch[], now: number): void
  /** @param endpoint the address of the leader that the answer hints at (KIP-951) */
  answered(inFlightBatch: InFlightBatch, answer: PartitionAnswer, endpoint: BrokerAddress | undefined): void
  /** acks 0: written, and nothing more will come. */
  written(inFlightBatch: InFlightBatch): void
  /**
   * The request ended without an answer; `sent`: a part of it may have reached the broker.
   *
   * @param isExcused it may have been too large for the broker, and goes in smaller requests: that was no attempt
   */
  lost(inFlightBatch: InFlightBatch, error: Error, sent: boolean, isExcused: boolean): void
  /** The broker does not know the codec of a batch, which is in no request. */
  unreadable(queue: PartitionQueue, batch: Batch): void
  /** A request's buffers are free again. */
  released(inFlightBatches: readonly InFlightBatch[]): void
  /** This broker cannot be reached, or says nothing: who leads these queues' topics, another is asked. */
  suspect(queues: Iterable<PartitionQueue>, nodeId: number): void
  /** Connecting can never succeed, for example because the credentials are refused. */
  unusable(queues: Iterable<PartitionQueue>, error: Error): void
  /** It has been silent or out of reach for a second, and is not any more. */
  stuck(share: ShareGroup, isStuck: boolean): void
  takeFrame(bytes: number): Buffer
  giveFrame(frame: Buffer): void
  /** The latency of the quickest broker; 0: not known yet. ms */
  quickestMs(): number
  readonly waits: WaitRegistry
  readonly observer: ProducerObserver
  readonly random: () => number
}

/** What a broker's answer may take after its wait for replicas. ms */
const ANSWER_MS = 1000

/** The broker may use the whole ack timeout: unless there is room for an answer within the request's own deadline, that has to be later. ms */
const answerTimeoutMs = (requestTimeoutMs: number, ackTimeoutMs: number): number =>
  ackTimeoutMs <= Math.max(1, requestTimeoutMs - ANSWER_MS) ? requestTimeoutMs : ackTimeoutMs + ANSWER_MS

/** Sends the batches of the partitions that one broker leads. */
export class Sender implements Waiters {
  readonly nodeId: number
  private readonly host: SenderHost
  private readonly settings: SenderSettings
  private readonly queue: ReadyPartitions
  private readonly requests: InFlightRequests
  private readonly requestSize: RequestSize
  private readonly cuts: RequestCuts
  private readonly pace: BrokerLateness
  readonly status: BrokerStatus
  readonly share = new ShareGroup(false)
  private link: ProduceLink | undefined
  private opening = false
  /** When the attempt to connect that is under way began. ms on the clock of `performance.now()` */
  private openingSince = 0
  private isThrottled = false
  private isReviewing = false
  private closed = false
  private connectFailures = 0
  private scheduled = false
  /** The next connect attempt, the end of a throttle, or the earliest end of a linger or a backoff. */
  private wakeTimer: NodeJS.Timeout | undefined
  private notBefore = 0
  /** Runs while a connection is being made. */
  private patience: NodeJS.Timeout | undefined
  /** Those that went with acks 0 on this connection: nobody would say that their leader is another one. */
  private readonly unanswerable = new Set<PartitionQueue>()

  constructor(nodeId: number, settings: SenderSettings, host: SenderHost) {
    this.nodeId = nodeId
    this.settings = settings
    this.host = host
    this.queue = new ReadyPartitions(settings)
    const { waits, observer } = host
    this.status = new BrokerStatus({ nodeId, waits, observer, waiters: this })
    this.requestSize = new RequestSize(settings.requestTargetBytes)
    this.cuts = new RequestCuts(this.requestSize)
    this.requests = new InFlightRequests(nodeId, settings.stallMs, {
      suspect: silentMs => {
        if ((this.link?.throttledForMs ?? 0) === 0) {
          this.setStuck(true)
          this.status.silent(silentMs)
        }
        // Those that wait as well: they would else be found out one round of requests after the other.
        host.suspect(this.waitingQueues, nodeId)
      },
      giveUp: error => {
        this.cuts.gaveUp(this.link)
        this.link?.destroy(error)
      },
      isAlive: () => host.isAlive(nodeId),
      successorOf: ({ sender }) => (sender === this ? undefined : sender?.nodeId),
    })
    this.pace = new BrokerLateness(this)
  }

  get waitingSince(): number | undefined {
    return this.opening ? this.openingSince : this.requests.oldestSentAt
  }

  get quickestMs(): number {
    return this.host.quickestMs()
  }

  get lateness(): number {
    return this.pace.lateness
  }

  get latencyMs(): number {
    return this.pace.latencyMs
  }

  get slowness(): number {
    return this.pace.latencyMs / this.pace.patienceMs
  }

  probe(): void {
    if (this.link?.isOpen || this.opening || this.closed || this.notBefore > performance.now()) return
    this.open()
  }

  get inFlight(): number {
    return this.requests.count
  }

  get isConnected(): boolean {
    return this.link?.isOpen === true
  }

  get isWaiting(): boolean {
    return this.status.isWaitedFor
  }

  /** The records that wait for this broker while anything does. */
  get waitingRecords(): number {
    let sum = 0
    for (const { batches } of this.waitingQueues) for (const { recordCount } of batches) sum += recordCount
    return sum
  }

  /** The queues whose batches are in flight to this broker, or wait to be. */
  private get waitingQueues(): Set<PartitionQueue> {
    const queues = this.requests.queues
    for (const queue of this.queue.all) if (queue.batches.length > 0) queues.add(queue)
    return queues
  }

  /** The queue may have something to send. */
  wake(queue: PartitionQueue): void {
    this.queue.add(queue)
    this.schedule()
  }

  /** The queue's partition has another leader now, or the queue is given back. */
  leave(queue: PartitionQueue): void {
    this.queue.remove(queue)
    this.unanswerable.delete(queue)
    this.reviewWaits()
  }

  /** A partition with batches in flight here has another leader: once per turn, however many have (see {@link InFlightRequests.abandonIfDeposed}). */
  reviewDeposed(): void {
    if (this.isReviewing || this.requests.count === 0) return
    this.isReviewing = true
    setImmediate(() => {
      this.isReviewing = false
      if (!this.closed) this.requests.abandonIfDeposed()
    })
  }

  /** What nothing waits for any more is no wait. */
  private reviewWaits(): void {
    if (this.status.isWaitedFor && this.queue.isEmpty && this.requests.count === 0) this.status.abandoned()
  }

  private setStuck(isStuck: boolean): void {
    if (this.share.isStuck !== isStuck) this.host.stuck(this.share, isStuck)
  }

  private schedule(): void {
    if (this.scheduled || this.closed) return
    this.scheduled = true
    // On the next turn of the loop: what the current one still sends goes along.
    setImmediate(() => {
      this.scheduled = false
      this.drain()
    })
  }

  private drain(): void {
    if (this.closed) return
    if (this.isThrottled) {
      this.isThrottled = false
      this.pace.usable()
    }
    if (this.queue.isEmpty) return this.reviewWaits()
    const { link } = this
    if (link === undefined || !link.isOpen) {
      this.open()
      return
    }
    const now = performance.now()
    if (this.notBefore > now) return this.wakeAt(this.notBefore)
    if (link.throttledForMs > 0) {
      this.isThrottled = true
      this.pace.unusable()
      this.status.held(link.throttledForMs)
      return this.wakeAt(now + link.throttledForMs)
    }
    if (link.needsPreparation) {
      if (this.requests.count === 0) this.prepare(link)
      return
    }
    while (this.requests.count < this.settings.maxInFlight && !this.queue.isEmpty) {
      const { inFlightBatches, unreadable, nextDue } = this.queue.collect(now, {
        inFlight: this.requests.count,
        mostPartitions: this.requests.share(now),
        targetBytes: this.requestSize.target(now),
        version: link.produceVersion,
      })
      for (const { queue, batch } of unreadable) this.host.unreadable(queue, batch)
      if (nextDue < Infinity) this.wakeAt(nextDue)
      if (inFlightBatches.length === 0) return this.reviewWaits()
      this.send(link, inFlightBatches, now)
      if (this.link !== link) return
    }
  }

  private send(link: ProduceLink, inFlightBatches: readonly InFlightBatch[], now: number): void {
    const { acks, ackTimeoutMs } = inFlightBatches[0]!.batch.deliveryClass
    for (const { batch, queue } of inFlightBatches) {
      batch.pendingWrites++
      if (acks === 0) this.unanswerable.add(queue)
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
    this.setStuck(false)
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
    this.connectFailures = 0
    this.afterAnswer()
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
    if (!this.closed) this.status.requestLost(error)
    const isExcused = this.cuts.lost({ link, request, isHead, sent, error }, performance.now())
    for (const inFlightBatch of request.inFlightBatches) {
      this.host.lost(inFlightBatch, error, sent, isExcused)
    }
    this.afterAnswer()
  }

  private afterAnswer(): void {
    if (this.queue.isEmpty) this.reviewWaits()
    else this.schedule()
  }

  private open(): void {
    if (this.opening || this.closed) return
    const now = performance.now()
    if (this.notBefore > now) return this.wakeAt(this.notBefore)
    this.opening = true
    this.openingSince = now
    this.pace.asked()
    // While a connection is slow to be made, its broker may have been deposed.
    const patience = setInterval(() => {
      this.setStuck(true)
      this.status.connecting(performance.now() - now)
      this.host.suspect(this.queue.all, this.nodeId)
    }, this.settings.stallMs)
    this.patience = patience
    this.host.openLink(this.nodeId).then(
      link => {
        clearInterval(patience)
        this.setStuck(false)
        this.opening = false
        if (this.closed) return link.destroy(new ProducerClosedError())
        this.link = link
        this.pace.usable()
        this.status.connected()
        link.onClosed = () => {
          if (this.link === link) {
            this.link = undefined
            this.status.disconnected()
          }
          // A broker can refuse a request that it must not answer in no other way.
          if (this.unanswerable.size > 0 && !this.closed) this.host.suspect(this.unanswerable, this.nodeId)
          this.unanswerable.clear()
          if (!this.queue.isEmpty) this.schedule()
        }
        this.drain()
      },
      (error: Error & { retriable?: boolean }) => {
        clearInterval(patience)
        this.opening = false
        if (this.closed) return
        this.pace.unusable()
        this.status.notConnected(error)
        this.setStuck(true)
        const queues = this.queue.all
        for (const { batches } of queues) {
          for (const batch of batches) if (batch.state !== 'inFlight') batch.noteCause(error)
        }
        this.connectFailures++
        this.notBefore =
          performance.now() +
          backoffMs(this.settings.connectBackoff, this.connectFailures, this.host.random())
        if (error.retriable === false) this.host.unusable(queues, error)
        else this.host.suspect(queues, this.nodeId)
        // Their records may have ended meanwhile: then nobody needs this connection.
        this.queue.prune()
        this.reviewWaits()
        if (!this.queue.isEmpty) this.wakeAt(this.notBefore)
      },
    )
  }

  private prepare(link: ProduceLink): void {
    if (this.opening) return
    this.opening = true
    this.openingSince = performance.now()
    link.prepare().then(
      () => {
        this.opening = false
        this.schedule()
      },
      (error: Error) => {
        this.opening = false
        this.status.notConnected(error)
        this.reviewWaits()
        link.destroy(error)
      },
    )
  }

  private wakeAt(moment: number): void {
    if (this.wakeTimer !== undefined) clearTimeout(this.wakeTimer)
    this.wakeTimer = setTimeout(
      () => {
        this.wakeTimer = undefined
        this.drain()
      },
      Math.max(1, Math.ceil(moment - performance.now())),
    )
  }

  close(error: Error): void {
    this.closed = true
    clearTimeout(this.wakeTimer)
    clearInterval(this.patience)
    this.requests.close()
    this.pace.close()
    this.link?.destroy(error)
    this.status.abandoned()
  }
}
