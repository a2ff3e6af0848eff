import { withOutcome } from '../errors/bases.js'
import type { ProducerObserver } from '../metrics/observer.js'
import type { ProduceLinkSource } from '../transport/port.js'
import type { Backoff } from './backoff.js'
import type { Batch } from './batch.js'
import { BufferPool } from './bufferPool.js'
import type { Endings } from './endings.js'
import type { Passenger } from './flight.js'
import type { Lane } from './lane.js'
import { Sender, type SenderSettings } from './sender.js'
import type { Settlement } from './settlement.js'

/** One more batch is not added to a request of this size. bytes */
const REQUEST_TARGET_BYTES = 4 * 1024 * 1024
/** A leader that says nothing for this long is asked for at another broker. ms */
const STALL_MS = 1000
const CONNECT_BACKOFF: Backoff = { minMs: 50, maxMs: 1000, factor: 2 }
const KEPT_FRAME_BYTES = 1024 * 1024

export interface SenderPoolSettings {
  readonly maxInFlightPerBroker: number
  readonly lingerMs: number
  readonly requestBytes: number
  readonly requestTimeoutMs: number
  readonly transactionalId?: string | undefined
}

export interface SenderPoolParts {
  readonly transport: ProduceLinkSource
  readonly settlement: Settlement
  readonly endings: Endings
  readonly observer: ProducerObserver
  readonly random: () => number
  released(batch: Batch): void
  suspect(topic: string, nodeId: number): void
}

/** The senders, one a broker, and which of them a lane goes to. */
export class SenderPool {
  private readonly settings: SenderSettings
  private readonly parts: SenderPoolParts
  private readonly senders = new Map<number, Sender>()
  private readonly frames = new BufferPool(KEPT_FRAME_BYTES)

  constructor(settings: SenderPoolSettings, parts: SenderPoolParts) {
    this.settings = {
      maxInFlight: settings.maxInFlightPerBroker,
      lingerMs: settings.lingerMs,
      requestTargetBytes: Math.min(settings.requestBytes, REQUEST_TARGET_BYTES),
      requestTimeoutMs: settings.requestTimeoutMs,
      connectBackoff: CONNECT_BACKOFF,
      stallMs: STALL_MS,
      transactionalId: settings.transactionalId,
    }
    this.parts = parts
  }

  get inFlight(): number {
    let sum = 0
    for (const sender of this.senders.values()) sum += sender.inFlight
    return sum
  }

  /**
   * @param nodeId the partition's leader; -1: none
   * @param leaderEpoch -1: not known
   */
  lead(lane: Lane, nodeId: number, leaderEpoch = -1): void {
    const former = lane.sender === undefined ? undefined : this.senders.get(lane.sender.nodeId)
    // The new leader has acknowledged nothing yet: until it has, it would take any sequence for the first. So would
    // one that led before, lost the office and has it again.
    if (former?.nodeId !== nodeId || leaderEpoch > lane.leaderEpoch) lane.leaderChanged()
    lane.leaderEpoch = leaderEpoch
    if (former?.nodeId === nodeId || (former === undefined && nodeId < 0)) return
    former?.leave(lane)
    lane.sender = nodeId < 0 ? undefined : this.senderOf(nodeId)
    for (const batch of lane.batches) batch.retryAt = 0
    if (lane.sender !== undefined && lane.batches.length > 0) lane.sender.wake(lane)
    former?.abandonIfDeposed()
  }

  private senderOf(nodeId: number): Sender {
    const known = this.senders.get(nodeId)
    if (known !== undefined) return known
    const { transport, settlement, endings, observer, random } = this.parts
    const sender = new Sender(nodeId, this.settings, {
      openLink: id => transport.openProduceLink(id),
      departed: (passengers, now) => this.observeDeparture(passengers, now),
      answered: (passenger, answer, endpoint) => settlement.answered(passenger, answer, nodeId, endpoint),
      written: passenger => settlement.written(passenger),
      lost: (passenger, error, sent) => settlement.lost(passenger, error, sent, nodeId),
      released: passengers => {
        for (const { batch } of passengers) {
          batch.pendingWrites--
          this.parts.released(batch)
        }
      },
      requestEnded: elapsedMs => observer.requestEnded(elapsedMs),
      suspect: (lanes, id) => {
        const topics = new Set<string>()
        for (const lane of lanes) topics.add(lane.topic)
        for (const topic of topics) this.parts.suspect(topic, id)
      },
      unusable: (lanes, error) => {
        for (const lane of lanes) endings.rejectAll(lane, withOutcome(error, 'not-written'))
      },
      takeFrame: bytes => this.frames.take(bytes),
      giveFrame: frame => this.frames.give(frame),
      random,
    })
    this.senders.set(nodeId, sender)
    return sender
  }

  private observeDeparture(passengers: readonly Passenger[], now: number): void {
    for (const { topic, batch } of passengers) {
      if (batch.attempts > 1) continue
      this.parts.observer.batchSent(
        topic,
        batch.recordCount,
        batch.wireBytes,
        batch.bodyBytes,
        now - batch.createdAt,
      )
    }
  }

  close(error: Error): void {
    for (const sender of this.senders.values()) sender.close(error)
  }
}
