import { ProducerClosedError } from '../errors/index.js'
import type { BrokerAddress, ProduceLink } from '../transport/port.js'
import { type Backoff, backoffMs } from './backoff.js'
import { Flight, type Passenger } from './flight.js'
import { Flights } from './flights.js'
import type { Lane } from './lane.js'
import { LaneQueue, type LaneQueueSettings } from './laneQueue.js'
import type { PartitionAnswer } from './produceResponse.js'

export interface SenderSettings extends LaneQueueSettings {
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

/** Sends the batches of the partitions that one broker leads. */
export class Sender {
  readonly nodeId: number
  private readonly host: SenderHost
  private readonly settings: SenderSettings
  private readonly queue: LaneQueue
  private readonly flights: Flights
  private link: ProduceLink | undefined
  private opening = false
  private closed = false
  private connectFailures = 0
  private scheduled = false
  /** The next connect attempt, the end of a throttle, or the earliest end of a linger or a backoff. */
  private wakeTimer: NodeJS.Timeout | undefined
  private notBefore = 0
  /** Those that went with acks 0 on this connection: nobody would say that their leader is another one. */
  private readonly unanswerable = new Set<Lane>()

  constructor(nodeId: number, settings: SenderSettings, host: SenderHost) {
    this.nodeId = nodeId
    this.settings = settings
    this.host = host
    this.queue = new LaneQueue(settings)
    this.flights = new Flights(nodeId, settings.stallMs, {
      suspect: lanes => host.suspect(lanes, nodeId),
      giveUp: error => this.link?.destroy(error),
      successorOf: ({ sender }) => (sender === this ? undefined : sender?.nodeId),
    })
  }

  get inFlight(): number {
    return this.flights.count
  }

  get isConnected(): boolean {
    return this.link?.isOpen === true
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
      if (this.flights.count === 0) this.authenticate(link)
      return
    }
    while (this.flights.count < this.settings.maxInFlight && !this.queue.isEmpty) {
      const { passengers, nextDue } = this.queue.collect(now, this.flights.count, this.flights.share(now))
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
    }, this.settings.transactionalId)
    this.flights.add(flight)
    this.host.departed(passengers, now)
    link.produce(flight.version, chunks, acks, {
      onResponse: payload => this.answered(link, flight, payload),
      onFailure: (error, sent) => this.failed(flight, error, sent),
      onBuffersReleased: () => {
        this.host.giveFrame(frame!)
        this.host.released(passengers)
      },
    })
  }

  private answered(link: ProduceLink, flight: Flight, payload: Buffer | null): void {
    const now = performance.now()
    if (!this.flights.answered(flight, now)) return
    this.host.requestEnded(now - flight.sentAt)
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
    if (!this.flights.end(flight)) return
    this.host.requestEnded(performance.now() - flight.sentAt)
    for (const passenger of flight.passengers) this.host.lost(passenger, error, sent)
    this.afterAnswer()
  }

  private afterAnswer(): void {
    if (!this.queue.isEmpty) this.schedule()
  }

  /** See {@link Flights.abandonIfDeposed}. */
  abandonIfDeposed(): void {
    this.flights.abandonIfDeposed()
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
        for (const { batches } of lanes) {
          for (const batch of batches) if (batch.state !== 'inFlight') batch.noteCause(error)
        }
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
    this.flights.close()
    this.link?.destroy(error)
  }
}
