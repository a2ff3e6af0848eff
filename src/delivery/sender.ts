import kafkajs from 'kafkajs'
import { place } from '../errors/bases.js'
import { ProducerClosedError } from '../errors/index.js'
import type { BrokerAddress, ProduceLink } from '../transport/port.js'
import { type Backoff, backoffMs } from './backoff.js'
import { Flight, type Passenger } from './flight.js'
import type { Lane } from './lane.js'
import { LaneQueue, type LaneQueueSettings } from './laneQueue.js'
import type { PartitionAnswer } from './produceResponse.js'

export interface SenderSettings extends LaneQueueSettings {
  readonly maxInFlight: number
  readonly requestTimeoutMs: number
  readonly connectBackoff: Backoff
  /** After this long without an answer another broker is asked who leads. ms */
  readonly stallMs: number
}

/** What a sender tells the engine. */
export interface SenderHost {
  openLink(nodeId: number): Promise<ProduceLink>
  departed(passengers: readonly Passenger[], now: number): void
  /** @param endpoint the address of the leader that the answer hints at (KIP-951) */
  answered(passenger: Passenger, answer: PartitionAnswer, endpoint: BrokerAddress | undefined): void
  /** acks 0: written, and nothing more will come. */
  written(passenger: Passenger): void
  /** The request ended without an answer; `sent`: a part of it may have reached the broker. */
  lost(passenger: Passenger, error: Error, sent: boolean): void
  /** A request's buffers are free again. */
  released(passengers: readonly Passenger[]): void
  requestEnded(elapsedMs: number): void
  /** This broker cannot be reached, or says nothing: who leads these lanes' topics, another is asked. */
  suspect(lanes: Iterable<Lane>, nodeId: number): void
  /** Connecting can never succeed, for example because the credentials are refused. */
  unusable(lanes: Iterable<Lane>, error: Error): void
  takeFrame(bytes: number): Buffer
  giveFrame(frame: Buffer): void
  readonly random: () => number
}

const requestTimeout = (nodeId: number, afterMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(
    `broker ${nodeId} did not answer a Produce request within ${Math.round(afterMs)} ms`,
  )

/** Sends the batches of the partitions that one broker leads. */
export class Sender {
  readonly nodeId: number
  private readonly host: SenderHost
  private readonly settings: SenderSettings
  private readonly queue: LaneQueue
  private readonly flying = new Set<Flight>()
  private link: ProduceLink | undefined
  private opening = false
  private closed = false
  private connectFailures = 0
  private scheduled = false
  /** The next connect attempt, the end of a throttle, or the earliest end of a linger or a backoff. */
  private wakeTimer: NodeJS.Timeout | undefined
  private watchTimer: NodeJS.Timeout | undefined
  private notBefore = 0
  /** When the last answer came. ms on the clock of `performance.now()` */
  private answeredAt = 0
  /** Those that went with acks 0 on this connection: nobody would say that their leader is another one. */
  private readonly unanswerable = new Set<Lane>()

  constructor(nodeId: number, settings: SenderSettings, host: SenderHost) {
    this.nodeId = nodeId
    this.settings = settings
    this.host = host
    this.queue = new LaneQueue(settings)
  }

  get inFlight(): number {
    return this.flying.size
  }

  /** The lane may have something to send. */
  wake(lane: Lane): void {
    this.queue.add(lane)
    this.schedule()
  }

  /** The lane's partition has another leader now. */
  leave(lane: Lane): void {
    this.queue.remove(lane)
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
    if (this.closed || this.queue.isEmpty) return
    const { link } = this
    if (link === undefined || !link.isOpen) {
      this.open()
      return
    }
    const now = performance.now()
    if (this.notBefore > now) return this.wakeAt(this.notBefore)
    if (link.throttledForMs > 0) return this.wakeAt(now + link.throttledForMs)
    if (link.needsAuthentication) {
      if (this.flying.size === 0) this.authenticate(link)
      return
    }
    while (this.flying.size < this.settings.maxInFlight && !this.queue.isEmpty) {
      const { passengers, nextDue } = this.queue.collect(now, this.flying.size)
      if (nextDue < Infinity) this.wakeAt(nextDue)
      if (passengers.length === 0) return
      this.send(link, passengers, now)
      if (this.link !== link) return
    }
  }

  private send(link: ProduceLink, passengers: readonly Passenger[], now: number): void {
    const { acks, ackTimeoutMs } = passengers[0]!.batch.deliveryClass
    for (const { batch, lane } of passengers) {
      batch.pendingWrites++
      if (acks === 0) this.unanswerable.add(lane)
    }
    // The broker may use the whole ack timeout: the request's own deadline has to be later.
    const timeoutMs = Math.max(this.settings.requestTimeoutMs, ackTimeoutMs + 1000)
    const flight = new Flight(passengers, link.produceVersion, now, timeoutMs)
    let frame: Buffer | undefined
    const chunks = flight.layOut(bytes => {
      frame = this.host.takeFrame(bytes)
      return frame
    })
    this.flying.add(flight)
    this.host.departed(passengers, now)
    link.produce(chunks, acks, {
      onResponse: payload => this.answered(link, flight, payload),
      onFailure: (error, sent) => this.failed(flight, error, sent),
      onBuffersReleased: () => {
        this.host.giveFrame(frame!)
        this.host.released(passengers)
      },
    })
    this.watch()
  }

  private answered(link: ProduceLink, flight: Flight, payload: Buffer | null): void {
    if (!this.flying.delete(flight)) return
    this.answeredAt = performance.now()
    this.host.requestEnded(this.answeredAt - flight.sentAt)
    if (payload === null) {
      for (const passenger of flight.passengers) this.host.written(passenger)
    } else {
      try {
        this.deliver(link, flight, payload)
      } catch (error) {
        // An answer that cannot be read tells nothing of what was written, nor does anything after it on this connection.
        const cause = error instanceof Error ? error : new Error(String(error))
        for (const passenger of flight.passengers) {
          if (passenger.batch.state === 'inFlight') this.host.lost(passenger, cause, true)
        }
        link.destroy(cause)
      }
    }
    this.connectFailures = 0
    this.afterAnswer()
  }

  private deliver(link: ProduceLink, flight: Flight, payload: Buffer): void {
    const { throttleTimeMs, endpointOf } = flight.match(payload)
    if (throttleTimeMs > 0) link.throttle(throttleTimeMs)
    for (const passenger of flight.passengers) {
      const answer = passenger.answer!
      const { leaderId } = answer.currentLeader
      this.host.answered(passenger, answer, leaderId < 0 ? undefined : endpointOf(leaderId))
    }
  }

  private failed(flight: Flight, error: Error, sent: boolean): void {
    if (!this.flying.delete(flight)) return
    this.host.requestEnded(performance.now() - flight.sentAt)
    for (const passenger of flight.passengers) this.host.lost(passenger, error, sent)
    this.afterAnswer()
  }

  private afterAnswer(): void {
    if (this.flying.size === 0 && this.watchTimer !== undefined) {
      clearTimeout(this.watchTimer)
      this.watchTimer = undefined
    }
    if (!this.queue.isEmpty) this.schedule()
  }

  /** While requests are in flight: asks another broker when this one says nothing, and ends what is overdue. */
  private watch(): void {
    if (this.watchTimer !== undefined || this.flying.size === 0) return
    this.watchTimer = setTimeout(() => {
      this.watchTimer = undefined
      const { head } = this
      if (head === undefined) return
      const silentMs = performance.now() - this.silentSince
      if (silentMs >= this.settings.stallMs) {
        const stalled = new Set<Lane>()
        for (const { passengers } of this.flying) for (const { lane } of passengers) stalled.add(lane)
        this.host.suspect(stalled, this.nodeId)
      }
      if (silentMs >= head.timeoutMs) this.link?.destroy(requestTimeout(this.nodeId, silentMs))
      // A leader may have been found before the silence was long enough to tell.
      else this.abandonIfDeposed()
      this.watch()
    }, this.watchDelay())
  }

  /** The request that the broker is working on: it serves a connection in order, one request at a time. */
  private get head(): Flight | undefined {
    const [head] = this.flying
    return head
  }

  /**
   * Since when the broker could have answered and did not: it begins a request only after the answer to the one before,
   * which may take its whole ack timeout.
   */
  private get silentSince(): number {
    return Math.max(this.head?.sentAt ?? Infinity, this.answeredAt)
  }

  private watchDelay(): number {
    const now = performance.now()
    const stalledAt = this.silentSince + this.settings.stallMs
    const lookAt = stalledAt > now ? stalledAt : now + this.settings.stallMs
    const deadline = this.silentSince + (this.head?.timeoutMs ?? Infinity)
    return Math.max(1, Math.ceil(Math.min(lookAt, deadline) - now))
  }

  /**
   * Gives up on the connection of a broker that says nothing once a partition in flight on it has another leader: what
   * is in flight then goes there, instead of waiting for the request's deadline. A broker that lives answers.
   */
  abandonIfDeposed(): void {
    if (this.flying.size === 0 || performance.now() - this.silentSince < this.settings.stallMs) return
    for (const { passengers } of this.flying) {
      const deposed = passengers.find(({ lane }) => lane.sender !== undefined && lane.sender !== this)
      if (deposed === undefined) continue
      const { topic, partition, lane } = deposed
      this.link?.destroy(
        new kafkajs.KafkaJSConnectionError(
          `broker ${this.nodeId} does not answer, and broker ${lane.sender?.nodeId} leads ${place(topic, partition)} now`,
        ),
      )
      return
    }
  }

  private open(): void {
    if (this.opening || this.closed) return
    const now = performance.now()
    if (this.notBefore > now) return this.wakeAt(this.notBefore)
    this.opening = true
    this.host.openLink(this.nodeId).then(
      link => {
        this.opening = false
        if (this.closed) return link.destroy(new ProducerClosedError())
        this.link = link
        link.onClosed = () => {
          if (this.link === link) this.link = undefined
          // A broker can refuse a request that it must not answer in no other way.
          if (this.unanswerable.size > 0 && !this.closed) this.host.suspect(this.unanswerable, this.nodeId)
          this.unanswerable.clear()
          if (!this.queue.isEmpty) this.schedule()
        }
        this.drain()
      },
      (error: Error & { retriable?: boolean }) => {
        this.opening = false
        if (this.closed) return
        const lanes = this.queue.all
        this.connectFailures++
        this.notBefore =
          performance.now() +
          backoffMs(this.settings.connectBackoff, this.connectFailures, this.host.random())
        if (error.retriable === false) this.host.unusable(lanes, error)
        else this.host.suspect(lanes, this.nodeId)
        if (!this.queue.isEmpty) this.wakeAt(this.notBefore)
      },
    )
  }

  private authenticate(link: ProduceLink): void {
    if (this.opening) return
    this.opening = true
    link.authenticate().then(
      () => {
        this.opening = false
        this.schedule()
      },
      (error: Error) => {
        this.opening = false
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
    clearTimeout(this.watchTimer)
    this.link?.destroy(error)
  }
}
