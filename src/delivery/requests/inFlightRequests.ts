import kafkajs from 'kafkajs'
import { place } from '../../errors/bases.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { InFlightRequest } from './inFlightRequest.js'

export interface InFlightRequestsHost {
  /** The broker says nothing: another one is asked who leads its partitions. */
  suspect(silentMs: number): void
  /** The connection is of no use any more. */
  giveUp(error: Error): void
  /** Whether the broker answers on another connection. Does not reject. */
  isAlive(): Promise<boolean>
  /** The broker that leads the queue now; undefined while that is this one, or none. */
  successorOf(queue: PartitionQueue): number | undefined
}

export const unanswered = (nodeId: number, afterMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(
    `broker ${nodeId} has not answered a Produce request for ${Math.round(afterMs)} ms`,
  )

const requestTimeout = (nodeId: number, afterMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(
    `broker ${nodeId} did not answer a Produce request within ${Math.round(afterMs)} ms`,
  )

/** A timer that is so late tells of an event loop or a process that stood still. ms */
const STALLED_MS = 100

/**
 * A broker's work for a batch is that of some hundred records, so of many partitions a request takes a few dozen: while
 * it is with the broker the others gather records, and their batches are larger.
 */
const LEAST_SHARE = 64
/**
 * Where a request takes the broker longer than its work for so many batches can be, it waits for something else, as for
 * replicas, and one at a time: then each takes more of them. ms a batch
 */
const BATCH_MS = 0.08
/** How fast a slow answer is forgotten, at each answer that is not. */
const FORGETTING = 0.7

/**
 * The requests in flight to one broker, and the watch over its silence. Its timer is not cleared by an answer: at a thousand requests a
 * second, one each would cost more than a look too many. It runs out, and is not made again, once nothing is in flight.
 */
export class InFlightRequests {
  private readonly nodeId: number
  private readonly stallMs: number
  private readonly host: InFlightRequestsHost
  private readonly inFlight = new Set<InFlightRequest>()
  private timer: NodeJS.Timeout | undefined
  /** When the timer runs out. ms on the clock of `performance.now()` */
  private dueAt = 0
  private looking: NodeJS.Immediate | undefined
  private isAsking = false
  /** When the last answer came. ms on the clock of `performance.now()` */
  private answeredAt = 0
  /** How long the broker took for a request lately. ms */
  private serviceMs = 0

  /** @param stallMs after this long without an answer another broker is asked who leads */
  constructor(nodeId: number, stallMs: number, host: InFlightRequestsHost) {
    this.nodeId = nodeId
    this.stallMs = stallMs
    this.host = host
  }

  get count(): number {
    return this.inFlight.size
  }

  /** When the oldest of them was sent, if there is one. ms on the clock of `performance.now()` */
  get oldestSentAt(): number | undefined {
    return this.head?.sentAt
  }

  add(request: InFlightRequest): void {
    this.inFlight.add(request)
    // It was made for a request with more time, or during a throttle.
    if (this.inFlight.size === 1 && this.dueAt > request.sentAt + Math.min(request.timeoutMs, this.stallMs))
      this.close()
    this.watch()
  }

  /** The partitions with a batch in flight. */
  get queues(): Set<PartitionQueue> {
    const queues = new Set<PartitionQueue>()
    for (const { inFlightBatches } of this.inFlight)
      for (const { queue } of inFlightBatches) queues.add(queue)
    return queues
  }

  /**
   * The broker has answered.
   *
   * @returns false when it had ended before
   */
  answered(request: InFlightRequest, now: number): boolean {
    const serviceMs = Math.max(0, now - Math.max(request.sentAt, this.answeredAt))
    if (!this.end(request)) return false
    this.serviceMs = Math.max(serviceMs, this.serviceMs * FORGETTING)
    this.answeredAt = now
    return true
  }

  /** For so long the broker reads nothing of this connection (KIP-219): that is no silence. */
  throttled(ms: number, now: number): void {
    this.answeredAt = Math.max(this.answeredAt, now + ms)
  }

  /** How many partitions the next request takes at the most. */
  share(now: number): number {
    const slowest = Math.max(this.serviceMs, this.silentMs(now))
    return Math.max(LEAST_SHARE, Math.ceil(slowest / BATCH_MS))
  }

  /** Whether the broker is working on this one: it serves a connection in order. */
  isHead(request: InFlightRequest): boolean {
    return this.head === request
  }

  /** @returns false when it had ended before */
  end(request: InFlightRequest): boolean {
    return this.inFlight.delete(request)
  }

  /** Asks another broker when this one says nothing, and ends what is overdue. */
  private watch(): void {
    if (this.timer !== undefined || this.looking !== undefined || this.inFlight.size === 0) return
    const delayMs = this.watchDelay
    const dueAt = performance.now() + delayMs
    this.dueAt = dueAt
    this.timer = setTimeout(() => {
      this.timer = undefined
      // After a stall, timers run before sockets are read: what lies there has come in time.
      if (performance.now() - dueAt < STALLED_MS) this.look()
      else this.looking ??= setImmediate(() => this.look())
    }, delayMs)
  }

  private look(): void {
    this.looking = undefined
    const { head } = this
    if (head === undefined) return
    const silentMs = this.silentMs(performance.now())
    if (silentMs >= this.stallMs) {
      this.host.suspect(silentMs)
    }
    if (silentMs >= head.timeoutMs) this.host.giveUp(requestTimeout(this.nodeId, silentMs))
    // A leader may have been found before the silence was long enough to tell.
    else this.abandonIfDeposed()
    this.watch()
  }

  /** The request that the broker is working on: it serves a connection in order, one request at a time. */
  private get head(): InFlightRequest | undefined {
    const [head] = this.inFlight
    return head
  }

  /**
   * For how long the broker could have answered and did not: it begins a request only after the answer to the one
   * before, which may take its whole ack timeout.
   */
  private silentMs(now: number): number {
    const { head } = this
    return head === undefined ? 0 : now - Math.max(head.sentAt, this.answeredAt)
  }

  private get watchDelay(): number {
    const { stallMs } = this
    const silentMs = this.silentMs(performance.now())
    const untilLook = silentMs < stallMs ? stallMs - silentMs : stallMs
    const untilDeadline = (this.head?.timeoutMs ?? Infinity) - silentMs
    return Math.max(1, Math.ceil(Math.min(untilLook, untilDeadline)))
  }

  /**
   * Gives up on the connection of a broker that says nothing once the partitions in flight on it have other leaders: what is in flight
   * is then sent there, instead of waiting for the request's deadline. Where it still leads some of them, it may only be slow, and
   * their batches would be written twice: then it has to be silent on another connection, too.
   */
  abandonIfDeposed(): void {
    const { head } = this
    if (head === undefined || this.silentMs(performance.now()) < this.stallMs) return
    let deposed: Error | undefined
    let leadsOthers = false
    for (const { inFlightBatches } of this.inFlight) {
      for (const { topic, partition, queue } of inFlightBatches) {
        const successor = this.host.successorOf(queue)
        if (successor === undefined) leadsOthers = true
        else
          deposed ??= new kafkajs.KafkaJSConnectionError(
            `broker ${this.nodeId} does not answer, and broker ${successor} leads ${place(topic, partition)} now`,
          )
      }
    }
    if (deposed === undefined) return
    if (!leadsOthers) this.host.giveUp(deposed)
    else if (!this.isAsking) void this.abandonUnlessAlive(head, deposed)
  }

  private async abandonUnlessAlive(head: InFlightRequest, reason: Error): Promise<void> {
    this.isAsking = true
    const isAlive = await this.host.isAlive()
    this.isAsking = false
    // An answer that came meanwhile says that it is.
    if (!isAlive && this.head === head) this.host.giveUp(reason)
  }

  close(): void {
    clearTimeout(this.timer)
    clearImmediate(this.looking)
    this.timer = undefined
    this.looking = undefined
  }
}
